"""The parser: top-down operator precedence (V. Pratt, POPL 1973), which yields closures at once, without a tree.

loosest  1  c ? a : b        5  not !                          9  unary -
         2  ??               6  == != < <= > >= in (no chain)  10 call, .name, [index]
         3  or ||            7  + -
         4  and &&           8  * / %
"""

from __future__ import annotations

from collections.abc import Callable

from wfrun.core.expression import nodes
from wfrun.core.expression.functions import FUNCTIONS
from wfrun.core.expression.hints import nearest
from wfrun.core.expression.kinds import Run, Value
from wfrun.core.expression.mentions import Mentions
from wfrun.core.expression.nodes import Step
from wfrun.core.expression.path import Path, keys_of
from wfrun.core.expression.reader import PathReader
from wfrun.core.expression.reference import Comparison, operation
from wfrun.core.expression.scan import Scanner
from wfrun.core.expression.text_functions import compile_pattern
from wfrun.core.expression.tokens import FOREIGN, WORDS, TokenReader
from wfrun.core.values import MAX_DEPTH
from wfrun.errors import ExpressionError

_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_LEVELS = {"?": 1, "??": 2, "||": 3, "&&": 4, "+": 7, "-": 7, "*": 8, "/": 8, "%": 8, ".": 10, "[": 10}
_LEVELS.update(dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 6))
_NOT, _COMPARED, _NEGATIVE = 5, 6, 9
_SHORT_CIRCUITS = ("??", "||", "&&")
_CHAINS: dict[str, Callable[[Run, list[Step]], Run]] = {
    "??": nodes.coalesce,
    "||": nodes.either,
    "&&": nodes.both,
    ".": nodes.index,
    "[": nodes.index,
}
_SPECIAL = ("has", "default", *nodes.BINDERS)
_RESERVED = {*WORDS, *_CONSTANTS, "env", "secret"}


class Node:
    """A parsed part: its closure, and what the parts around it must know.

    `weight` is about how many closures it is. `steps` are those of a chain of operators at `level`, to which the next
    operator of that level is appended, so that a long chain does not nest. `path` is set for a path alone, `literal`
    for a constant, `reaches` for what has() may ask for.
    """

    __slots__ = ("level", "literal", "path", "reaches", "run", "steps", "weight")

    def __init__(
        self, run: Run, *, weight: int = 1, path: Path | None = None, literal: Value = None, reaches: bool = False
    ) -> None:
        self.run = run
        self.weight = weight
        self.path = path
        self.literal = literal
        self.reaches = reaches
        self.level = 0
        self.steps: list[Step] = []


class Parser(TokenReader):
    """Parses one expression that begins at `pos` of a text, and stops at the first token that cannot belong to it."""

    def __init__(self, text: str, pos: int = 0, *, variables: bool = False) -> None:
        super().__init__(text, pos)
        self._allow_variables = variables
        self._depth = 0
        self._bound: list[str] = []
        self.mentions = Mentions()
        self.asks_host = False

    def expression(self, minimum: int = 0) -> Node:
        """The longest expression of operators that bind tighter than `minimum`."""
        mark = self.mentions.mark()
        left = self._prefix(minimum)
        while True:
            sign = self._sign()
            level = _LEVELS.get(sign, 0)
            if level <= minimum:
                return left
            if sign == "??":
                self.mentions.make_optional(mark)
            before = self.mentions.mark()
            left = self._infix(left, sign, level)
            if sign == "??":
                self.mentions.make_fallback(mark, before)

    # What begins an operand

    def _prefix(self, minimum: int) -> Node:
        kind, text, pos = self.token
        if kind == "path":
            return self._path()
        if kind == "name":
            return self._inverse(minimum) if text == "not" else self._named()
        if kind == "number" or kind == "quote":
            return self._literal()
        if text == "!":
            return self._inverse(minimum)
        if text == "-":
            return self._negative()
        if text == "(":
            self._advance()
            inner = self._nested(self.expression)
            self._expect(")", "to close the parenthesis")
            return inner
        if text == "[":
            return self._array()
        if text == "{":
            return self._mapping()
        if text == "." and self._text[pos + 1 : pos + 2].isdigit():
            raise self._error("a number does not begin with a point", hint="write 0.5")
        raise self._unexpected()

    def _nested(self, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(
                "expression.limit", f"the expression nests deeper than {MAX_DEPTH} levels", column=self.token.pos + 1
            )
        node = read()
        self._depth -= 1
        return node

    def _path(self) -> Node:
        pos = self.token.pos
        if self._text[pos + 1 : pos + 2].isalpha():
            raise self._error("'$' is followed by '.' or '['", hint=f"write $.{self._text[pos + 1 :].split()[0]}")
        reader = PathReader(self._text, pos)
        path: Path = self._read(reader, reader.path)
        self.mentions.path(path, pos + 1)
        for start, end, query in path.absolute:
            inner = Path(self._text[start:end], query.segments, keys_of(query.segments), True)
            self.mentions.path(inner, start + 1)
        run = nodes.definite(path, pos + 1) if path.definite else nodes.indefinite(path, pos + 1)
        return Node(run, path=path, reaches=True)

    def _literal(self) -> Node:
        scanner = Scanner(self._text, self.token.pos)
        value = self._read(scanner, scanner.number if self.token.kind == "number" else scanner.string)
        return Node(nodes.constant(value), literal=value)

    def _inverse(self, minimum: int) -> Node:
        if minimum > _NOT:
            raise self._unexpected()
        pos = self._advance().pos
        operand = self._nested(lambda: self.expression(_NOT))
        return Node(nodes.inverse(operand.run, pos + 1), weight=operand.weight + 1)

    def _negative(self) -> Node:
        pos = self._advance().pos
        operand = self._nested(lambda: self.expression(_NEGATIVE))
        return Node(nodes.negative(operand.run, pos + 1), weight=operand.weight + 1)

    def _array(self) -> Node:
        self._advance()
        items = self._list("]", "the list")
        return Node(nodes.array([item.run for item in items]), weight=1 + sum(item.weight for item in items))

    def _list(self, closing: str, where: str) -> list[Node]:
        items: list[Node] = []
        while not self._accept(closing):
            if items:
                self._expect(",", f"or {closing!r} in {where}")
            items.append(self._nested(self.expression))
        return items

    def _mapping(self) -> Node:
        self._advance()
        entries: dict[str, Node] = {}
        while not self._accept("}"):
            if entries:
                self._expect(",", "or '}' in the object")
            key = self._key()
            if key in entries:
                raise self._error(f"the key {key!r} stands twice")
            self._expect(":", "after the key")
            entries[key] = self._nested(self.expression)
        run = nodes.mapping([(key, node.run) for key, node in entries.items()])
        return Node(run, weight=1 + sum(node.weight for node in entries.values()))

    def _key(self) -> str:
        if self.token.kind == "name":
            return self._advance().text
        if self.token.kind != "quote":
            raise self._unexpected("expected a key")
        scanner = Scanner(self._text, self.token.pos)
        return str(self._read(scanner, scanner.string))

    # Names

    def _named(self) -> Node:
        name, pos = self.token.text, self.token.pos
        if name in _CONSTANTS:
            self._advance()
            return Node(nodes.constant(_CONSTANTS[name]))
        if name in self._bound:
            self._advance()
            return Node(nodes.variable(name), reaches=True)
        if name in ("env", "secret"):
            return self._host_variable()
        if name in WORDS:
            raise self._unexpected()
        self._advance()
        if self._accept("("):
            return self._call(name, pos)
        raise self._unknown(name, pos)

    def _unknown(self, name: str, pos: int) -> ExpressionError:
        if name in FOREIGN:
            hint = FOREIGN[name]
        elif self._text[pos - 1 : pos] == "-" and self.mentions.paths:
            hint = "a key with a hyphen is written $['a-b']"
        elif name in FUNCTIONS or name in _SPECIAL:
            hint = f"call it: {name}(…)"
        else:
            hint = f"data is written $.{name}, a text '{name}'"
        return self._error(f"unknown name {name!r}", hint=hint, pos=pos)

    def _host_variable(self) -> Node:
        kind, pos = self.token.text, self.token.pos
        if not self._allow_variables:
            raise self._error(f"{kind}.… cannot be used here", hint="only the settings of services see it")
        self._advance()
        self._expect(".", f"after {kind}")
        if self.token.kind != "name":
            raise self._unexpected(f"expected a name after '{kind}.'")
        name = self._advance().text
        self.mentions.variable(kind, name)
        self.asks_host = True
        return Node(nodes.host_variable(kind, name, pos + 1), reaches=True)

    def _call(self, name: str, pos: int) -> Node:
        if name in nodes.BINDERS:
            return self._binder(name, pos)
        if name == "has":
            return self._has(pos)
        if name == "default":
            return self._default()
        arguments = self._list(")", f"{name}()")
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._unknown_function(name, pos)
        self._count(name, len(arguments), function.low, function.high, pos)
        if name == "matches" and type(arguments[1].literal) is str:
            self._check_pattern(arguments[1].literal, pos)
        self.asks_host = self.asks_host or function.host
        run = nodes.call(name, function, [argument.run for argument in arguments], pos + 1)
        return Node(run, weight=1 + sum(argument.weight for argument in arguments), reaches=True)

    def _unknown_function(self, name: str, pos: int) -> ExpressionError:
        close = nearest(name, (*FUNCTIONS, *_SPECIAL))
        hint = FOREIGN.get(name) or (f"did you mean {close}()?" if close else "")
        return self._error(f"there is no function {name}()", hint=hint, pos=pos)

    def _count(self, name: str, count: int, low: int, high: int, pos: int) -> None:
        if not low <= count <= high:
            wanted = f"{low}" if low == high else f"{low} or more" if high > 9 else f"{low} to {high}"
            noun = "argument" if wanted == "1" else "arguments"
            raise self._error(f"{name}() takes {wanted} {noun}, not {count}", pos=pos)

    def _check_pattern(self, pattern: str, pos: int) -> None:
        try:
            compile_pattern(pattern)
        except ExpressionError as error:
            raise nodes.located(error, pos + 1) from None

    def _has(self, pos: int) -> Node:
        mark = self.mentions.mark()
        argument = self._optional()
        if not argument.reaches:
            raise self._error("has() asks for a path", hint="has($.order.discount)", pos=pos)
        self._expect(")", "to close has()")
        path = argument.path
        if path is not None and path.definite:
            self.mentions.guard(path.keys)
        self.mentions.guard_variables(mark)
        many = path is not None and not path.definite
        return Node(nodes.has(argument.run, many=many), weight=argument.weight + 1)

    def _default(self) -> Node:
        first = self.mentions.mark()
        argument = self._optional()
        self._expect(",", "and another value in default()")
        mark = self.mentions.mark()
        otherwise = self._nested(self.expression)
        self.mentions.make_conditional(mark)
        self.mentions.make_fallback(first, mark)
        self._expect(")", "to close default()")
        return Node(nodes.default(argument.run, otherwise.run), weight=argument.weight + otherwise.weight + 1)

    def _optional(self) -> Node:
        mark = self.mentions.mark()
        node = self._nested(self.expression)
        self.mentions.make_optional(mark)
        return node

    def _binder(self, word: str, pos: int) -> Node:
        """`any($.items, i, i.qty > 0)`"""
        source = self._nested(self.expression)
        self._expect(",", f"after the list of {word}()")
        name = self._variable_name(word)
        self._expect(",", f"after the name in {word}()")
        self._bound.append(name)
        mark = self.mentions.mark()
        body = self._nested(self.expression)
        self.mentions.make_conditional(mark)
        self._bound.pop()
        self._expect(")", f"to close {word}()")
        run = nodes.binder(word, source.run, name, body.run, body.weight, pos + 1)
        return Node(run, weight=source.weight + body.weight + 1)

    def _variable_name(self, word: str) -> str:
        kind, name, _ = self.token
        if kind != "name":
            raise self._error(f"{word}() needs a name for the element", hint=f"{word}($.items, i, i.qty > 0)")
        if name in _RESERVED or name in self._bound:
            raise self._error(f"the name {name!r} is taken", hint="choose another")
        self._advance()
        return name

    # What follows an operand

    def _infix(self, left: Node, sign: str, level: int) -> Node:
        pos = self._advance().pos
        if sign == "?":
            return self._conditional(left, pos)
        if sign == ".":
            return self._extend(left, sign, self._member(), level, pos)
        if sign == "[":
            key = self._nested(self.expression)
            self._expect("]", "after the index")
            return self._extend(left, sign, key, level, pos)
        mark = self.mentions.mark()
        right = self.expression(level)
        if sign in _SHORT_CIRCUITS:
            self.mentions.make_conditional(mark)
        if level == _COMPARED:
            return self._comparison(left, sign, right, pos)
        return self._extend(left, sign, right, level, pos)

    def _conditional(self, condition: Node, pos: int) -> Node:
        mark = self.mentions.mark()
        then = self._nested(self.expression)
        self._expect(":", "between the two values of '?'")
        otherwise = self._nested(self.expression)
        self.mentions.make_conditional(mark)
        run = nodes.conditional(condition.run, then.run, otherwise.run, pos + 1)
        return Node(run, weight=condition.weight + then.weight + otherwise.weight + 1)

    def _member(self) -> Node:
        if self.token.kind != "name":
            raise self._unexpected("expected a name after '.'")
        return Node(nodes.constant(self._advance().text))

    def _comparison(self, left: Node, sign: str, right: Node, pos: int) -> Node:
        if _LEVELS.get(self._sign()) == _COMPARED:
            raise self._error("comparisons cannot be chained", hint="write a < b and b < c")
        for path, constant in ((left.path, right.literal), (right.path, left.literal)):
            if path is not None and path.definite and isinstance(constant, str | int | float):
                self.mentions.comparisons.append(Comparison(path.text, path.keys, sign, constant))
        self.mentions.operations += operation(sign, left.path, left.literal, right.path, right.literal)
        run = nodes.comparison(sign, left.run, right.run, pos + 1)
        return Node(run, weight=left.weight + right.weight + 1)

    def _extend(self, left: Node, sign: str, right: Node, level: int, pos: int) -> Node:
        """One more operand for a chain of operators of one level, or the first of a new chain."""
        self.mentions.operations += operation(sign, left.path, left.literal, right.path, right.literal)
        step = Step(right.run, pos + 1, sign)
        if left.level == level:
            left.steps.append(step)
            left.weight += right.weight + 1
            return left
        steps = [step]
        run = _CHAINS.get(sign, nodes.arithmetic)(left.run, steps)
        chain = Node(run, weight=left.weight + right.weight + 1, reaches=left.reaches and level == _LEVELS["["])
        chain.level, chain.steps = level, steps
        return chain
