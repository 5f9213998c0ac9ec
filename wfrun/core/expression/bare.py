"""Conditions over one flat object, as they are typed in a shell: `status == failed and workflow == "order"`.

They are expressions like all others, but for two things. A word that names a field of the object is that field, without
`$.`; and a word that names none is text, without quotes. Such words may have hyphens and points: `needs-attention`,
`payment.declined`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wfrun.core.expression import nodes
from wfrun.core.expression.expression import Expression, build, check_source
from wfrun.core.expression.hints import nearest
from wfrun.core.expression.kinds import limit_error
from wfrun.core.expression.parser import Node, Parser
from wfrun.core.expression.path import Path, Segment
from wfrun.core.expression.tokens import FOREIGN, WORDS
from wfrun.errors import ExpressionError

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[-.:/@][A-Za-z0-9_]+)*")
_RESERVED = frozenset({*WORDS, *FOREIGN, "true", "false", "null", "env", "secret"})


class Condition(NamedTuple):
    """`required` are the values that fields must have for it to hold, as far as it says so outright."""

    expression: Expression
    required: Mapping[str, str | int | float]


def parse_condition(text: str, fields: Sequence[str]) -> Condition:
    """Raises ExpressionError with the column; so also for a comparison of which neither side is a field."""
    check_source(text)
    try:
        parser = _BareParser(text, fields)
        node = parser.expression()
        parser.end()
    except RecursionError:
        raise limit_error("the condition is nested too deeply to be read here", column=1) from None
    return Condition(build(text, node, parser), parser.required_by(node))


class _BareParser(Parser):
    def __init__(self, text: str, fields: Sequence[str]) -> None:
        super().__init__(text)
        self._fields = fields
        # By node, which is kept so that its id stays its own: equalities without which it cannot be true.
        self._required: dict[int, tuple[Node, dict[str, str | int | float]]] = {}

    def required_by(self, node: Node) -> dict[str, str | int | float]:
        return self._required.get(id(node), (node, {}))[1]

    def _named(self) -> Node:
        name, pos = self.token.text, self.token.pos
        is_called = self._text[pos + len(name) :].lstrip()[:1] == "("
        if name in self._bound or is_called:
            return super()._named()
        if name in self._fields:
            self._advance()
            path = Path(name, (Segment((name,)),), (name,), True)
            self.mentions.path(path, pos + 1)
            return Node(nodes.definite(path, pos + 1), path=path, reaches=True)
        return super()._named() if name in _RESERVED else self._bare_text(pos)

    def _bare_text(self, pos: int) -> Node:
        match = _WORD.match(self._text, pos)
        assert match is not None
        self.token = self._scan(match.end())
        return Node(nodes.constant(match[0]), literal=match[0])

    def _comparison(self, left: Node, sign: str, right: Node, pos: int) -> Node:
        if isinstance(left.literal, str) and isinstance(right.literal, str):
            raise self._no_field(left.literal, pos)
        node = super()._comparison(left, sign, right, pos)
        constant = left.literal if right.path is not None else right.literal
        path = right.path or left.path
        if sign == "==" and path is not None and len(path.keys) == 1 and isinstance(constant, str | int | float):
            self._required[id(node)] = node, {str(path.keys[0]): constant}
        return node

    def _no_field(self, word: str, pos: int) -> ExpressionError:
        close = nearest(word, self._fields)
        hint = f"did you mean {close}?" if close else f"fields: {', '.join(self._fields)}"
        return self._error(f"{word!r} is no field", hint=hint, pos=len(self._text[:pos].rstrip()) - len(word))

    def _extend(self, left: Node, sign: str, right: Node, level: int, pos: int) -> Node:
        required = {**self.required_by(left), **self.required_by(right)}
        node = super()._extend(left, sign, right, level, pos)
        if sign == "&&":
            self._required[id(node)] = node, required
        return node
