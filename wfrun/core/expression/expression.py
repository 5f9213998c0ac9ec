"""An expression: parsed once, evaluated as often as needed."""

from __future__ import annotations

from wfrun.core.expression.export import export
from wfrun.core.expression.kinds import (
    MAX_SOURCE,
    MISSING,
    Budget,
    Context,
    Frame,
    Host,
    Run,
    Value,
    a_kind,
    limit_error,
    type_error,
    weigh,
)
from wfrun.core.expression.nodes import located
from wfrun.core.expression.parser import Node, Parser
from wfrun.core.expression.path import Path, lookup
from wfrun.core.expression.query import Finder
from wfrun.core.expression.reference import Comparison, Operation, Reference, Variable
from wfrun.core.frozen import frozen
from wfrun.core.values import Json, canonical
from wfrun.errors import ExpressionError

_MAX_OPERAND = 1_000


@frozen
class Expression:
    """A parsed expression; immutable, cheap to share.

    `references` are its paths in the order written, `comparisons` those with a constant, `operations` what is
    calculated with paths and which of them are compared, `variables` those of services. `constant` says that it has no
    path and no variable, nor a function that the host answers.
    """

    text: str
    references: tuple[Reference, ...]
    comparisons: tuple[Comparison, ...]
    operations: tuple[Operation, ...]
    variables: tuple[Variable, ...]
    constant: bool
    _run: Run
    _paths: tuple[Path, ...]
    _raw: bool

    def evaluate(self, context: Context, host: Host) -> Json:
        """The value as JSON; instants and durations as text. Raises ExpressionError with the column."""
        frame = Frame(context, host)
        try:
            value = self._run(frame)
            return value if self._raw else self._leave(value, frame)
        except RecursionError:
            raise limit_error("the expression is nested too deeply to be evaluated here", column=1) from None

    def test(self, context: Context, host: Host) -> bool:
        """The value of a condition. Raises ExpressionError where it is neither true nor false."""
        value = self.evaluate(context, host)
        if value is True or value is False:
            return value
        raise type_error(
            f"a condition must be true or false, not {a_kind(value)}",
            column=1,
            hint="compare it: == != < > has(…); nothing is converted to true or false",
        )

    def operands(self, context: Context) -> dict[str, Json]:
        """The value of every path that is mentioned, by its text: why a condition came out as it did.

        Missing ones are left out, and a value of more than 1,000 characters is only described.
        """
        found: dict[str, Json] = {}
        for path in self._paths:
            value = _operand(path, context)
            if value is not MISSING:
                found[path.text] = _described(value)
        return found

    def _leave(self, value: Value, frame: Frame) -> Json:
        try:
            weigh(value, frame)
        except ExpressionError as error:
            raise located(error, 1) from None
        return export(value)


def parse(text: str, *, variables: bool = False) -> Expression:
    """Parses an expression; with `variables`, `env.NAME` and `secret.NAME` are terms too.

    Raises ExpressionError with the column: `expression.syntax`, or `expression.limit` for one too long or too deep.
    """
    check_source(text)
    try:
        parser = Parser(text, variables=variables)
        node = parser.expression()
        parser.end()
    except RecursionError:
        raise limit_error("the expression is nested too deeply to be read here", column=1) from None
    return build(text, node, parser)


def check_source(text: str) -> None:
    if len(text) > MAX_SOURCE:
        raise limit_error(f"an expression cannot be longer than {MAX_SOURCE:,} characters", column=1)


def build(text: str, node: Node, parser: Parser) -> Expression:
    """The expression that a parser has read."""
    mentions = parser.mentions
    references = mentions.references
    return Expression(
        text=text,
        references=references,
        comparisons=tuple(mentions.comparisons),
        operations=tuple(mentions.operations),
        variables=mentions.variables,
        constant=not references and not parser.asks_host,
        _run=node.run,
        _paths=tuple(mentions.paths.values()),
        _raw=node.path is not None,
    )


def _operand(path: Path, context: Context) -> Value:
    if path.definite:
        return lookup(context, path.keys)
    try:
        return Finder(path).find(context, Budget().charge)
    except ExpressionError:
        return MISSING


def _described(value: Json) -> Json:
    text = canonical(value)
    if len(text) <= _MAX_OPERAND:
        return value
    size = f" of {len(value)}" if isinstance(value, str | list | dict) else ""
    return f"({a_kind(value)}{size}, {len(text)} characters as JSON)"
