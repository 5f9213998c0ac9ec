"""Values in a service's entry: `${env.X}` and `${secret.X}` anywhere, the call's input where an adapter allows it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from wfrun.adapters.contract import ServiceConfig
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, InvalidError, Place, Problem

if TYPE_CHECKING:
    from wfrun.core.expression import Missing, Template, Variable


class InputContext:
    """What `$` is inside a service's entry: the input of the call, whatever its type."""

    def __init__(self, value: Json) -> None:
        self._value = value

    def get(self, name: str) -> Json | Missing:
        from wfrun.core.expression import MISSING

        return self._value.get(name, MISSING) if isinstance(self._value, dict) else MISSING

    def whole(self) -> Any:
        return self._value

    def names(self) -> Iterable[str]:
        return self._value if isinstance(self._value, dict) else ()


class VariableHost:
    """Answers variables, but neither clock nor ids: a repeated call must be the same call."""

    def __init__(self, variable: Callable[[str, str], str]) -> None:
        self.variable = variable

    def now(self) -> datetime:
        self._refuse("now()")

    def uuid(self) -> str:
        self._refuse("uuid()")

    def _refuse(self, function: str) -> NoReturn:
        message = f"{function} cannot be used in a service: the same call would differ when it is repeated"
        raise ExpressionError(
            "expression.value", message, hint="compute it in the workflow's step and pass it as input"
        )


class Entry:
    """The compiled templates of one service, and the host they are resolved with.

    `variables` are those that the templates compiled so far ask for, each with the path of its template.
    """

    def __init__(self, config: ServiceConfig) -> None:
        self.config = config
        self.host = VariableHost(config.variable)
        self.variables: list[tuple[tuple[str | int, ...], Variable]] = []

    def compile(self, value: Any, *path: str | int) -> Template:
        """A value that may use variables and the call's input. Raises InvalidError with every wrong expression."""
        from wfrun.core.expression import TemplateError, compile_template

        try:
            template = compile_template(value, variables=True)
        except TemplateError as error:
            raise InvalidError(
                [Problem(e.code, e.message, place(self.config, *path, *at), e.hint) for at, e in error.errors]
            ) from None
        self.variables += [(path, variable) for variable in template.variables]
        return template

    def resolve(self, template: Template, input: Json = None) -> Json:
        """Raises ExpressionError where the input or a variable is not there."""
        return template.resolve(InputContext(input), self.host)

    def fixed(self, value: Any, *path: str | int) -> Template:
        """A value of the author's alone: it may use variables, not data of the execution."""
        template = self.compile(value, *path)
        if template.references:
            message = "data of the execution cannot be used here, only ${env.…} and ${secret.…}"
            raise refused(self.config, "service.data", message, *path)
        return template

    def milliseconds(self, duration: Any, *path: str | int) -> int:
        """A duration such as `30s`, or bare milliseconds. Raises InvalidError for anything else."""
        from wfrun.core.expression import parse_duration

        try:
            return parse_duration(duration)
        except ExpressionError as error:
            raise refused(self.config, error.code, error.message, *path, hint=error.hint) from None


def place(config: ServiceConfig, *path: str | int) -> Place:
    """Where a part of an entry stands."""
    if config.locate is not None:
        return config.locate(path)
    from wfrun.core.definition import render_path

    return Place(path=render_path(("services", config.name, *path)))


def refused(config: ServiceConfig, code: str, message: str, *path: str | int, hint: str = "") -> InvalidError:
    """An entry of `services:` that cannot be accepted."""
    return InvalidError([Problem(code, message, place(config, *path), hint)])


def action_table(config: ServiceConfig) -> dict[str, Any]:
    """The entry's `actions`. Raises InvalidError if there is none, or it is not a mapping."""
    actions = config.settings.get("actions")
    if not isinstance(actions, dict) or not actions:
        raise refused(config, "service.actions", "a mapping of action names is needed", "actions")
    return actions


def closed(
    config: ServiceConfig, written: Mapping[str, Any], known: Collection[str], code: str, what: str, *path: str | int
) -> None:
    """Raises InvalidError for the first key of `written` that is not known."""
    for key in written:
        if key not in known:
            from difflib import get_close_matches

            close = get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(sorted(known))}"
            raise refused(config, code, f"{what} has no key {key!r}", *path, key, hint=hint)


def told(read: Callable[[], object]) -> Iterator[Problem]:
    """The problems with which reading a part of an entry refuses it; none if it is accepted."""
    try:
        read()
    except InvalidError as invalid:
        yield from invalid.problems
