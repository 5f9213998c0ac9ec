"""Every error a user can meet.

    WfrunError
    ├── UsageError            2    the command was typed wrongly
    │   ├── NotFoundError     2    no such execution, task, file
    │   └── AmbiguousError    2    a prefix that fits several
    ├── InvalidError          3    a workflow, services file or input that cannot be accepted; carries problems
    ├── ConflictError         2    the world moved: decided already, held by another runner, id taken
    ├── ServiceError          -    a call's outcome: data of the execution, never the end of the program
    ├── ExpressionError       -    an expression that has no value; becomes a problem or a step's error
    ├── DivergenceError       6    a journal that its definition cannot have produced
    └── JournalError          6    damage, or I/O that failed; nothing more is done to this execution
        └── StateError        6    a state directory that cannot be trusted

Each has a stable `code` in dotted words, a message that says what is wrong, and where it can, a `Place` and a
`hint` that says what to do. The number is the exit code of a command that ends with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where in a user's file something stands. Lines and columns count from 1; `path` is the step path or key path."""

    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        position = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return position or self.path


class Problem(NamedTuple):
    """One thing wrong with a user's file: data, so that text, JSON and editors can each render it."""

    code: str
    message: str
    place: Place = Place()
    hint: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.place}: " if str(self.place) else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.severity}[{self.code}] {self.message}{hint}"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By place: the files in the order in which they are first met, each from its top to its end. Once each."""
    distinct = list(dict.fromkeys(problems))
    files = {file: number for number, file in enumerate(dict.fromkeys(problem.place.file for problem in distinct))}
    return sorted(distinct, key=lambda each: (files[each.place.file], each.place.line, each.place.column, each.code))


# Nobody corrects more at once. Advice is there to be filtered and counted, too.
MOST_ERRORS = 20
MOST_ADVICE = 200


def bounded(problems: Iterable[Problem]) -> list[Problem]:
    """The problems in order, the first 20 errors and 200 pieces of advice; of the others only their number."""
    ordered = in_order(problems)
    errors = [each for each in ordered if each.severity == "error"]
    advice = [each for each in ordered if each.severity != "error"]
    shown = {*errors[:MOST_ERRORS], *advice[:MOST_ADVICE]}
    more = [*_more(errors, MOST_ERRORS, "problem"), *_more(advice, MOST_ADVICE, "warning")]
    return [*(each for each in ordered if each in shown), *more]


def _more(found: list[Problem], most: int, what: str) -> Iterator[Problem]:
    rest = len(found) - most
    if rest > 0:
        message = f"and {rest} more {what if rest == 1 else f'{what}s'}"
        yield Problem("schema.more", message, Place(found[most].place.file), severity=found[most].severity)


class WfrunError(Exception):
    """The root: an error for people. `exit_code` is documented in docs/cli.md."""

    exit_code = 1

    def __init__(self, code: str, message: str, *, place: Place | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place or Place()
        self.hint = hint

    @property
    def problems(self) -> Sequence[Problem]:
        """The error as a list of problems: one, unless the error carries several."""
        return [Problem(self.code, self.message, self.place, self.hint)]

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UsageError(WfrunError):
    exit_code = 2


class NotFoundError(UsageError):
    pass


class AmbiguousError(UsageError):
    pass


class ConflictError(WfrunError):
    exit_code = 2


class InvalidError(WfrunError):
    """A file or an input that is refused, with every problem found in it."""

    exit_code = 3

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.code, first.message, place=first.place, hint=first.hint)
        self._problems = tuple(problems)

    @property
    def problems(self) -> Sequence[Problem]:
        return self._problems


class ServiceError(WfrunError):
    """A service's answer that is not a result.

    `type` is a dotted name (`http.503`, `payment.declined`, `timeout`) that retry rules and handlers match.
    `status` is the HTTP status where there is one, `details` any JSON. `retry_after_ms` is the delay that the service
    asked for. `retryable` is the service's own word on whether another attempt can help; None leaves it to the rules.
    """

    def __init__(
        self,
        type: str,
        message: str,
        *,
        status: int | None = None,
        details: Any = None,
        retry_after_ms: int | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(type, message)
        self.type = type
        self.status = status
        self.details = details
        self.retry_after_ms = retry_after_ms
        self.retryable = retryable


class ExpressionError(WfrunError):
    """An expression that cannot be parsed or has no value. `column` counts from 1 inside the expression's own text.

    `template_path` is where the expression stands in the template that was resolved, () outside of one.
    Codes: `expression.syntax`, `expression.undefined`, `expression.type`, `expression.limit`, `expression.value`.
    """

    exit_code = 3

    def __init__(self, code: str, message: str, *, column: int = 0, hint: str = "", place: Place | None = None) -> None:
        super().__init__(code, message, place=place, hint=hint)
        self.column = column
        self.template_path: tuple[str | int, ...] = ()


class DivergenceError(WfrunError):
    exit_code = 6


class JournalError(WfrunError):
    exit_code = 6

    @property
    def is_of_the_disk(self) -> bool:
        """Whether the next journal will fail, too, so that nothing more is begun: one that is damaged is alone."""
        return not self.code.endswith(".damaged")


class StateError(JournalError):
    pass
