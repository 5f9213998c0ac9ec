"""Templates: JSON values with references in their texts.

A text that is a path (`$`, `$.a.b`, `$['odd key']`, `$.items[*].sku`) is that path's value. `${ … }` puts the value
of an expression into a text; a text that is exactly one `${ … }` is that value itself. `$$` writes a dollar. Every
other dollar is a dollar: `$5.00`, `US$`. A text that begins like a path (`$.`, `$[`) and is none is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias, cast

from wfrun.core.definition import Path
from wfrun.core.expression.export import render
from wfrun.core.expression.expression import Expression, build, check_source, parse
from wfrun.core.expression.hints import double_braces
from wfrun.core.expression.kinds import MISSING, Context, DictContext, Host, check_text, limit_error
from wfrun.core.expression.parser import Parser
from wfrun.core.expression.path import lookup
from wfrun.core.expression.reader import parse_path
from wfrun.core.expression.reference import Reference, Variable
from wfrun.core.frozen import frozen
from wfrun.core.values import Json
from wfrun.errors import ExpressionError

_MARK = re.compile(r"\$\$|\$\{")

# A constant expression asks neither.
_NOWHERE = DictContext({})
_NOBODY = cast(Host, None)

Resolve: TypeAlias = Callable[[Context, Host], Json]


class TemplateError(Exception):
    """Every expression of a template that cannot be parsed, with its path inside the template."""

    def __init__(self, errors: list[tuple[Path, ExpressionError]]) -> None:
        super().__init__("; ".join(error.message for _, error in errors))
        self.errors = errors


@frozen
class Template:
    """A compiled template; immutable, cheap to share.

    `references` are its paths, each with the path of its text inside the template, as `expressions` are; `variables`
    its (kind, NAME) pairs. `constant` says that resolving needs neither data nor host.
    """

    references: tuple[tuple[Path, Reference], ...]
    constant: bool
    variables: tuple[Variable, ...]
    _resolve: Resolve
    expressions: tuple[tuple[Path, Expression], ...] = ()

    def resolve(self, context: Context, host: Host) -> Json:
        """The value with every reference resolved. Parts without any are shared, not copied: never change it.

        Raises ExpressionError, whose `template_path` says where.
        """
        return self._resolve(context, host)


class _Builder:
    """What is gathered while a template is walked."""

    def __init__(self, variables_allowed: bool) -> None:
        self.variables_allowed = variables_allowed
        self.references: list[tuple[Path, Reference]] = []
        self.expressions: list[tuple[Path, Expression]] = []
        self.variables: list[Variable] = []
        self.errors: list[tuple[Path, ExpressionError]] = []
        self.constant = True

    def template(self, resolve: Resolve) -> Template:
        variables, expressions = tuple(self.variables), tuple(self.expressions)
        return Template(tuple(self.references), self.constant, variables, resolve, expressions)

    def note(self, path: Path, expression: Expression) -> None:
        self.expressions.append((path, expression))
        self.references += [(path, reference) for reference in expression.references]
        self.variables += expression.variables
        self.constant = self.constant and expression.constant


def compile_template(value: Json, *, variables: bool = False) -> Template:
    """Compiles every text of a JSON value; with `variables`, `env.NAME` and `secret.NAME` are terms too.

    Raises TemplateError with all that is wrong.
    """
    builder = _Builder(variables)
    resolve = _value(value, (), builder)
    if builder.errors:
        raise TemplateError(builder.errors)
    if not isinstance(resolve, _Plain):
        return builder.template(resolve)
    return Template((), True, (), resolve)


def defer_template(value: Json) -> Template:
    """The template, compiled when it is first resolved. For values that were compiled before without an error, of which
    most are never resolved again: it knows no references, and an error is one of resolving."""
    return Template((), False, (), _Deferred(value))


class _Deferred:
    __slots__ = ("_resolve", "_value")

    def __init__(self, value: Json) -> None:
        self._value = value
        self._resolve: Resolve | None = None

    def __call__(self, context: Context, host: Host) -> Json:
        if self._resolve is None:
            try:
                self._resolve = compile_template(self._value).resolve
            except TemplateError as failed:
                raise failed.errors[0][1] from None
        return self._resolve(context, host)


class _Plain:
    """A part of a template in which nothing is to be resolved."""

    __slots__ = ("value",)

    def __init__(self, value: Json) -> None:
        self.value = value

    def __call__(self, context: Context, host: Host) -> Json:
        return self.value


def _value(value: Json, path: Path, builder: _Builder) -> Resolve:
    if isinstance(value, str):
        return _string(value, path, builder)
    if isinstance(value, list):
        return _list([_value(item, (*path, position), builder) for position, item in enumerate(value)], value)
    if isinstance(value, dict):
        return _object({key: _value(item, (*path, key), builder) for key, item in value.items()}, value)
    return _Plain(value)


def _list(parts: list[Resolve], value: list[Json]) -> Resolve:
    if all(isinstance(part, _Plain) for part in parts):
        plain = [part.value for part in parts if isinstance(part, _Plain)]
        return _Plain(value if plain == value else plain)
    return lambda context, host: [part(context, host) for part in parts]


def _object(parts: dict[str, Resolve], value: dict[str, Json]) -> Resolve:
    if all(isinstance(part, _Plain) for part in parts.values()):
        plain = {key: part.value for key, part in parts.items() if isinstance(part, _Plain)}
        return _Plain(value if plain == value else plain)
    entries = list(parts.items())
    return lambda context, host: {key: part(context, host) for key, part in entries}


def _string(text: str, path: Path, builder: _Builder) -> Resolve:
    if "$" not in text:
        return _Plain(text)
    try:
        if text == "$" or text.startswith(("$.", "$[")):
            return _path(text, path, builder)
        return _interpolated(text, path, builder)
    except ExpressionError as error:
        error.template_path = path
        builder.errors.append((path, error))
        return _Plain(None)


def _path(text: str, path: Path, builder: _Builder) -> Resolve:
    check_source(text)
    keys, definite = _checked(text)
    expression = parse(text)
    builder.note(path, expression)
    located = _located(expression, path)
    if not definite:
        return located

    def resolve(context: Context, host: Host) -> Json:
        value = lookup(context, keys)
        return located(context, host) if value is MISSING else value  # type: ignore[return-value]

    return resolve


def _checked(text: str) -> tuple[tuple[str | int, ...], bool]:
    """The path that the text must be; where it is none, the hint says how to write what may have been meant."""
    try:
        found = parse_path(text)
    except ExpressionError as error:
        error.hint = error.hint or "a literal dollar at the beginning is written $$"
        raise
    return found.keys, found.definite


def _located(expression: Expression, path: Path) -> Resolve:
    def resolve(context: Context, host: Host) -> Json:
        try:
            return expression.evaluate(context, host)
        except ExpressionError as error:
            error.template_path = path
            raise

    return resolve


def _interpolated(text: str, path: Path, builder: _Builder) -> Resolve:
    parts = _parts(text, path, builder)
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0]
    if all(isinstance(part, str | _Plain) for part in parts):
        return _Plain(_joined(parts, _NOWHERE, _NOBODY, path))
    return lambda context, host: _joined(parts, context, host, path)


def _folded(expression: Expression, path: Path) -> Resolve:
    """A constant expression is evaluated now, once; where it has no value, that is found before any run."""
    if expression.constant:
        return _Plain(expression.evaluate(_NOWHERE, _NOBODY))
    return _located(expression, path)


def _joined(parts: list[str | Resolve], context: Context, host: Host, path: Path) -> str:
    texts = [part if isinstance(part, str) else render(part(context, host)) for part in parts]
    try:
        check_text(sum(map(len, texts)))
    except ExpressionError as error:
        error.template_path = path
        raise
    return "".join(texts)


def _parts(text: str, path: Path, builder: _Builder) -> list[str | Resolve]:
    """Literal texts and expressions, in order."""
    parts: list[str | Resolve] = []
    pos = 0
    while (mark := _MARK.search(text, pos)) is not None:
        if mark.start() > pos:
            parts.append(text[pos : mark.start()])
        if mark.group() == "$$":
            parts.append("$")
            pos = mark.end()
        else:
            expression, pos = _embedded(text, mark.end(), builder)
            builder.note(path, expression)
            parts.append(_folded(expression, path))
    if pos < len(text):
        parts.append(text[pos:])
    return parts


def _embedded(text: str, start: int, builder: _Builder) -> tuple[Expression, int]:
    """The expression after `${`, and where the text goes on behind its `}`."""
    try:
        parser = Parser(text, start, variables=builder.variables_allowed)
        node = parser.expression()
        end = parser.close()
    except RecursionError:
        raise limit_error("the expression is nested too deeply to be read here", column=start + 1) from None
    except ExpressionError as error:
        if text.startswith("{", start):
            error.hint = double_braces(text[start:])
        raise
    source = text[start:end]
    check_source(source)
    return build(source.strip(), node, parser), end + 1
