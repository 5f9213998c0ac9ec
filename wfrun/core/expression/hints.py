"""What to say when something is not there, or was written as another language writes it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from wfrun.core.expression.kinds import MISSING, Context, Value, a_kind
from wfrun.core.expression.path import child
from wfrun.core.expression.scan import is_name
from wfrun.errors import ExpressionError

_SHOWN = 8
# The likeness of two names costs the square of their length: a hint must stay cheap on any data.
_COMPARED = 1_000
_LONGEST = 100


def undefined(message: str, column: int, hint: str = "") -> ExpressionError:
    return ExpressionError("expression.undefined", message, column=column, hint=hint)


def undefined_path(context: Context, text: str, keys: tuple[str | int, ...], column: int) -> ExpressionError:
    """The error for a definite path that leads nowhere: where it ends, and the nearest key that is there."""
    value: Value = context.whole()
    known = list(dict.fromkeys(context.names()))
    for position, key in enumerate(keys):
        found = context.get(key) if position == 0 and isinstance(key, str) else child(value, key)
        if found is MISSING:
            parent = render_keys(keys[:position])
            message = f"{text} is not there: {_reason(parent, value, key, known)}"
            return undefined(message, column, _hint(parent, key, keys[position + 1 :], known))
        value = found
        known = list(value) if isinstance(value, dict) else []
    return undefined(f"{text} is not there", column)


def undefined_member(value: Value, key: str | int, column: int) -> ExpressionError:
    """The error for a member or element of a computed value."""
    known = list(value) if type(value) is dict else []
    name = f"element {key}" if isinstance(key, int) else f"key {key!r}"
    message = f"{name} is not there: {_reason('the value', value, key, known)}"
    return undefined(message, column, _hint("", key, (), known))


def render_keys(keys: tuple[str | int, ...]) -> str:
    """A definite path as it is written: `$.order.items[0]['odd key']`."""
    return "$" + "".join(_written(key) for key in keys)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, if any is like it."""
    from difflib import get_close_matches

    by_folded = {other.lower(): other for other in islice(known, _COMPARED) if len(other) <= _LONGEST}
    if len(name) > _LONGEST:
        return None
    close = get_close_matches(name.lower(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def double_braces(text: str) -> str:
    """What to write instead of `{ order.id }}`, which is how other tools go on after a dollar."""
    inner = text.strip("{} ").partition("}")[0].strip()
    path = inner.removeprefix("inputs.").removeprefix("input.")
    if not inner.startswith("$"):
        inner = f"$.{path}" if path.replace(".", "").isidentifier() else "$.x"
    return f"one pair of braces, and data begins with $.: ${{ {inner} }}"


def _written(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if is_name(key):
        return f".{key}"
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"


def _reason(parent: str, value: Value, key: str | int, known: list[str]) -> str:
    if isinstance(key, int) and isinstance(value, list):
        count = len(value)
        return f"{parent} has {count} element{'' if count == 1 else 's'}"
    wanted = dict if isinstance(key, str) else list
    if isinstance(value, wanted):
        return f"{parent} has no key {key!r}" if known else f"{parent} is empty"
    return f"{parent} is {a_kind(value)}"


def _hint(parent: str, key: str | int, rest: tuple[str | int, ...], known: list[str]) -> str:
    if not isinstance(key, str) or not known:
        return ""
    close = nearest(key, known)
    if close is not None:
        tail = "".join(_written(part) for part in rest)
        return f"did you mean {parent}{_written(close)}{tail}?" if parent else f"did you mean {close!r}?"
    shown = ", ".join(sorted(known[:_COMPARED])[:_SHOWN])
    return f"{parent or 'it'} has: {shown}{', …' if len(known) > _SHOWN else ''}"
