"""A plan in the making: what its parts share while they are compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

from wfrun.core.definition import Document, Path, render_path
from wfrun.core.expression import Expression, Template, TemplateError, compile_template, parse, parse_duration
from wfrun.core.expression.hints import double_braces
from wfrun.core.gaps import Gaps, reads, steps_of
from wfrun.core.plan.nodes import Call, OnCrash
from wfrun.core.retry import Retry
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, Problem

# The constants `true` and `false`, written as YAML booleans, are conditions too.
_CONSTANTS = {True: "true", False: "false"}


class Common(TypedDict):
    """What every node has, under the names of its fields."""

    id: str
    path: Path
    condition: Expression | None
    compensation: tuple[Call, ...]
    bound: int | None


# What is not written.
NOTHING = compile_template(None)

# A condition of which nothing is known.
UNKNOWN = parse("$")


class Draft:
    """The names taken so far, the compensations that have not found their step, what calls inherit, what is wrong.

    Whatever is wrong is noted, and something harmless put in its place, so that everything is told at once.
    """

    def __init__(self, document: Document, compile: Callable[[Json], Template]) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.names: dict[str, Path] = {}
        self.compensations: dict[str, Any] = {}
        self.retries: tuple[Retry, ...] = (Retry(),)
        self.timeout: int | None = None
        self.on_crash: OnCrash = "retry"
        self._compile = compile
        self._gaps: set[Path] = set()
        self._reads: set[str] = set()
        self._in_doubt = {step for gap in document.gaps.paths for step in steps_of(gap)}

    @property
    def gaps(self) -> Gaps:
        """Those of the document, and what turned out to be wrong beyond them."""
        known = self.document.gaps
        return known._replace(paths=known.paths | self._gaps, reads=known.reads | self._reads) if self._gaps else known

    def is_in_doubt(self, path: Path) -> bool:
        """Whether something is missing or wrong in the step at a path itself."""
        return path in self._in_doubt

    def note(self, code: str, message: str, path: Path, hint: str = "", *, key: bool = False) -> None:
        """Something is wrong, and it is clear all the same what the step does."""
        self.problems.append(Problem(code, message, self.document.place(path, key=key), hint))

    def error(self, code: str, message: str, path: Path, hint: str = "", *, key: bool = False) -> None:
        """Something is wrong, and what depends on it is left open."""
        self.note(code, message, path, hint, key=key)
        self.doubt(path)

    def doubt(self, path: Path, lost: Json = None) -> None:
        """What is written at a path, `lost`, is of no use."""
        self._gaps.add(path)
        self._reads.update(reads(lost))
        self._in_doubt.update(steps_of(path))

    def identify(self, data: Mapping[str, Any], path: Path) -> str:
        """A step's id: its name, or where it stands."""
        name = data.get("name")
        if name is None:
            return render_path(path)
        if name in self.names:
            first = self.document.place((*self.names[name], "name"))
            self.note(
                "plan.duplicate-name",
                f"the name {name!r} is taken by the step in line {first.line}",
                (*path, "name"),
                "a name is a step's identity in the journal: give each its own",
            )
        self.names[name] = path
        return str(name)

    def template(self, value: Json, path: Path) -> Template:
        if value is None:
            return NOTHING
        try:
            return self._compile(value)
        except TemplateError as error:
            for inside, problem in error.errors:
                self._expression_problem(problem, path + inside, value)
            return NOTHING

    def templates(self, values: Mapping[str, Json], path: Path) -> tuple[tuple[str, Template], ...]:
        return tuple((name, self.template(value, (*path, name))) for name, value in values.items())

    def expression(self, data: Mapping[str, Any], key: str, path: Path) -> Expression | None:
        return self.test(data, key, path) if key in data else None

    def test(self, data: Mapping[str, Any], key: str, path: Path) -> Expression:
        text = data[key]
        try:
            return parse(_CONSTANTS[text] if isinstance(text, bool) else _bare(text))
        except ExpressionError as error:
            if isinstance(text, str) and text.strip().startswith("${{"):
                error.hint = double_braces(text.strip()[2:])
            self._expression_problem(error, (*path, key), text)
            return UNKNOWN

    def duration(self, data: Mapping[str, Any], key: str, path: Path) -> int | None:
        if key not in data:
            return None
        try:
            return parse_duration(data[key])
        except ExpressionError as error:
            self.error("plan.duration", error.message, (*path, key), error.hint)
            return None

    def _expression_problem(self, error: ExpressionError, path: Path, written: Json) -> None:
        column = f", column {error.column} of the expression" if error.column else ""
        self.error(error.code, f"{error.message}{column}", path, error.hint)
        self.doubt(path, written)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint, if there is a name that is much like this one."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]!r}?" if near else ""


def _bare(text: str) -> str:
    """A condition may be written as `${ … }`, too: the braces add nothing."""
    stripped = text.strip()
    if stripped.startswith("${") and stripped.endswith("}") and "${" not in stripped[2:]:
        return stripped[2:-1]
    return text
