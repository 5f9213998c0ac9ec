"""Reading JSONPath: the grammar that path.py gives, and a reason for everything that is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from wfrun.core.expression.path import (
    Both,
    Compare,
    Either,
    Filter,
    Literal,
    Not,
    Path,
    Query,
    Segment,
    Selector,
    Test,
    Wildcard,
    definite_prefix,
    keys_of,
)
from wfrun.core.expression.scan import NAME_CHAR, Scanner
from wfrun.core.values import MAX_DEPTH
from wfrun.errors import ExpressionError

Reader: TypeAlias = "Callable[[], Test]"
# RFC 9535 section 2.1: integers stay within what an IEEE double holds exactly.
_MAX_INTEGER = 2**53 - 1
# The common case, read at once: `$.order.total` with nothing behind it that could still belong to the path.
_DOTTED = re.compile(rf"\$((?:\.[A-Za-z_][A-Za-z0-9_]*)*)(?!{NAME_CHAR}|[ \t\n\r]*[.\[])")
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


def parse_path(text: str) -> Path:
    """A text that is a JSONPath and nothing else. Raises ExpressionError with the column."""
    reader = PathReader(text)
    path = reader.path()
    if reader.pos < len(text):
        raise reader.unfinished()
    return path


class PathReader(Scanner):
    """Reads the longest path at a position of a text.

    After whitespace, `.` or `[` still belongs to the path. A bracket that cannot hold a selector does not: in an
    expression `$.rates[$.country]` goes on with a computed index.
    """

    __slots__ = ("_absolute", "_depth")

    def __init__(self, text: str, pos: int = 0) -> None:
        super().__init__(text, pos)
        self._absolute: list[tuple[int, int, Query]] = []
        self._depth = 0

    def path(self) -> Path:
        match = _DOTTED.match(self.text, self.pos)
        if match is not None and match.group(1).count(".") <= MAX_DEPTH:
            self.pos = match.end()
            keys = tuple(match.group(1).split(".")[1:])
            return Path(match.group(), tuple([Segment((key,)) for key in keys]), keys, True)
        return self._any_path()

    def _any_path(self) -> Path:
        start = self.pos
        self.expect("$", "at the beginning of a path")
        segments = self.segments()
        prefix = definite_prefix(segments)
        text = self.text[start : self.pos]
        return Path(text, segments, keys_of(prefix), prefix is segments, tuple(self._absolute))

    def segments(self) -> tuple[Segment, ...]:
        found: list[Segment] = []
        while (segment := self._segment()) is not None:
            found.append(segment)
            if len(found) > MAX_DEPTH:
                raise self.error(f"a path cannot have more than {MAX_DEPTH} segments")
        return tuple(found)

    def unfinished(self) -> ExpressionError:
        """What to say about a text that goes on after its path."""
        rest = self.text[self.pos :]
        if rest.startswith("-"):
            return self.error("a path ends before '-'", hint="a key with a hyphen is written $['a-b']")
        return self.error(
            f"unexpected {self.here()} after the path", hint="compute inside ${ … }; a literal dollar is written $$"
        )

    def _segment(self) -> Segment | None:
        start = self.pos
        self.space()
        if self.accept(".."):
            if self.looking_at("["):
                return Segment(self._bracket(), descend=True)
            return Segment((self._dotted("'..'"),), descend=True)
        if self.looking_at(".") and not self.text[self.pos + 1 : self.pos + 2].isdigit():
            self.pos += 1
            return Segment((self._dotted("'.'"),))
        if self.looking_at("[") and self._selects():
            return Segment(self._bracket())
        self.pos = start
        return None

    def _dotted(self, after: str) -> Selector:
        if self.accept("*"):
            return Wildcard.CHILD
        name = self.name()
        if name is None:
            raise self.error(f"expected a name after {after}, not {self.here()}", hint="other keys are quoted: ['…']")
        return name

    def _selects(self) -> bool:
        """Whether the bracket here begins like a selector, not like an expression."""
        ahead = Scanner(self.text, self.pos + 1)
        ahead.space()
        rest = self.text[ahead.pos : ahead.pos + 2]
        return rest[:1] in set("'\"*?:0123456789") or (rest[:1] == "-" and rest[1:].isdigit())

    def _bracket(self) -> tuple[Selector, ...]:
        opening = self.pos
        self.expect("[", "")
        selectors = [self._selector()]
        self.space()
        while self.accept(","):
            selectors.append(self._selector())
            self.space()
        if not self.accept("]"):
            raise self._unclosed(opening, selectors[-1])
        return tuple(selectors)

    def _unclosed(self, opening: int, last: Selector) -> ExpressionError:
        if self.pos == len(self.text):
            return self.error("this '[' has no ']'", pos=opening)
        hint = "a computed index is put in parentheses: [(…)]"
        if isinstance(last, Filter):
            hint = "inside a filter, and is written &&, or ||; calculation needs filter($.items, i, …)"
        return self.error(f"expected ',' or ']', not {self.here()}", hint=hint)

    def _selector(self) -> Selector:
        self.space()
        char = self.text[self.pos : self.pos + 1]
        if char in ("'", '"') and char:
            return self.string()
        if self.accept("*"):
            return Wildcard.CHILD
        if self.accept("?"):
            return Filter(self._nested(self._either))
        return self._index_or_slice()

    def _index_or_slice(self) -> int | slice:
        start = self._whole()
        after_start = self.pos
        self.space()
        if not self.accept(":"):
            if start is None:
                raise self.error(f"expected a selector, not {self.here()}", hint="'name', 0, 1:3, * or ?@.key == 1")
            self.pos = after_start
            return start
        self.space()
        end = self._whole()
        before_step = self.pos
        self.space()
        if not self.accept(":"):
            self.pos = before_step
            return slice(start, end)
        self.space()
        return slice(start, end, self._whole())

    def _whole(self) -> int | None:
        start = self.pos
        if (self.text[start : start + 1] or " ") not in "-0123456789":
            return None
        number = self.number()
        if type(number) is not int or abs(number) > _MAX_INTEGER or self.text[start : start + 2] == "-0":
            raise self.error("expected a whole number as index", pos=start)
        return number

    def _nested(self, read: Reader) -> Test:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(f"filters nest deeper than {MAX_DEPTH} levels")
        found = read()
        self._depth -= 1
        return found

    def _either(self) -> Test:
        return self._joined("||", self._both, Either)

    def _both(self) -> Test:
        return self._joined("&&", self._term, Both)

    def _joined(self, sign: str, read: Reader, make: type[Either | Both]) -> Test:
        terms = [read()]
        self.space()
        while self.accept(sign):
            terms.append(read())
            self.space()
        return terms[0] if len(terms) == 1 else make(tuple(terms))

    def _term(self) -> Test:
        self.space()
        if self.accept("!"):
            self.space()
            return Not(self._negated())
        if self.looking_at("("):
            return self._group()
        return self._test()

    def _negated(self) -> Test:
        """RFC 9535: `!` stands before a parenthesis or an existence test, not before a comparison or another `!`."""
        if self.looking_at("("):
            return self._group()
        start = self.pos
        test = self._test()
        if not isinstance(test, Query):
            raise self.error("'!' before a comparison needs parentheses", hint="!(@.a == 1)", pos=start)
        return test

    def _group(self) -> Test:
        self.expect("(", "")
        found = self._nested(self._either)
        self.space()
        self.expect(")", "at the end of the group")
        return found

    def _test(self) -> Test:
        start = self.pos
        left = self._operand()
        self.space()
        op = next((sign for sign in _COMPARISONS if self.accept(sign)), None)
        if op is None:
            return self._existence(left, start)
        self.space()
        right_start = self.pos
        right = self._operand()
        self._comparable(left, start)
        self._comparable(right, right_start)
        if isinstance(left, Literal) and isinstance(right, Literal):
            raise self.error("this compares two constants", hint="one side is a path: @.key", pos=start)
        return Compare(op, left, right)

    def _existence(self, operand: Query | Literal, start: int) -> Query:
        if self.looking_at("="):
            raise self.error("'=' does not compare", hint="write ==")
        if isinstance(operand, Query):
            return operand
        raise self.error("a constant alone is no test", hint="compare it: @.key == …", pos=start)

    def _comparable(self, operand: Query | Literal, start: int) -> None:
        if isinstance(operand, Query) and not operand.singular:
            raise self.error("only a single value can be compared", hint="use names and indexes", pos=start)
        if isinstance(operand, Query) and operand.absolute and not operand.segments:
            raise self.error("the whole '$' cannot be compared in a filter", pos=start)

    def _operand(self) -> Query | Literal:
        char = self.text[self.pos : self.pos + 1]
        if char in ("@", "$") and char:
            return self._query(absolute=char == "$")
        if char in ("'", '"') and char:
            return Literal(self.string())
        number = self.number()
        return Literal(number) if number is not None else self._word()

    def _word(self) -> Literal:
        start = self.pos
        word = self.name() or ""
        if word in _WORDS:
            return Literal(_WORDS[word])
        if word and self.looking_at("("):
            raise self.error(
                f"the JSONPath function {word}() is not accepted",
                hint="use filter($.items, i, …) with the functions of expressions",
                pos=start,
            )
        raise self.error(
            f"expected @, $ or a constant in the filter, not {word or self.here()!r}",
            hint=_HINTS.get(word, ""),
            pos=start,
        )

    def _query(self, *, absolute: bool) -> Query:
        start = self.pos
        self.pos += 1
        segments = self._nested_segments()
        query = Query(absolute, segments)
        for segment in segments:
            if segment.descend or len(segment.selectors) > 1:
                what = "'..'" if segment.descend else "several selectors in one bracket"
                raise self.error(f"{what} inside a filter is not accepted", hint="use filter($.items, i, …)", pos=start)
        if absolute and not query.singular:
            raise self.error("a '$' path inside a filter must be of names and indexes only", pos=start)
        if absolute:
            self._absolute.append((start, self.pos, query))
        return query

    def _nested_segments(self) -> tuple[Segment, ...]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(f"filters nest deeper than {MAX_DEPTH} levels")
        segments = self.segments()
        self._depth -= 1
        return segments


_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_HINTS = {"True": "write true", "False": "write false", "None": "write null", "not": "write !( … )"}
