"""What `${env.NAME}` and `${secret.NAME}` stand for. Asked at the last moment, and never written down.

A name is looked for in the environment; for a secret, in the file that `NAME_FILE` names; in the file that
`WFRUN_ENV_FILE` names; and a secret at last with the providers that are installed (entry points `wfrun.secrets`: each
a function from a name to its value, or to None if it knows none).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from wfrun.errors import ExpressionError, ServiceError

GROUP = "wfrun.secrets"
ENV_FILE = "WFRUN_ENV_FILE"

# What stands for a secret that only a provider may know, where nothing is to be asked of anybody.
UNASKED = "not-asked-for"

Provider = Callable[[str], str | None]


def variable(kind: str, name: str) -> str:
    """The value of `env.NAME` or `secret.NAME`.

    Raises ExpressionError: `expression.undefined` if there is none, `secret.unreadable` or `env.file` if a file cannot
    be read; ServiceError `secret.provider` if a provider fails, which a later attempt may not.
    """
    if (found := _at_hand(kind, name)) is not None:
        return found
    if kind == "secret" and (found := _provided(name)) is not None:
        return found
    raise _undefined(kind, name)


def stated(kind: str, name: str) -> str:
    """The same for a check, which asks nobody: what a provider may know is taken to be there."""
    if (found := _at_hand(kind, name)) is not None:
        return found
    if kind == "secret" and _providers():
        return UNASKED
    raise _undefined(kind, name)


def _at_hand(kind: str, name: str) -> str | None:
    if name in os.environ:
        return os.environ[name]
    if kind == "secret" and f"{name}_FILE" in os.environ:
        return _read_secret(Path(os.environ[f"{name}_FILE"]), name)
    return _of_file(os.environ[ENV_FILE], name) if os.environ.get(ENV_FILE) else None


def _of_file(path: str, name: str) -> str | None:
    from wfrun.app.env_file import read_env_file  # few have such a file

    return read_env_file(path).get(name)


def _read_secret(path: Path, name: str) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"secret.{name}: the file named by {name}_FILE cannot be read: {type(error).__name__}"
        raise ExpressionError("secret.unreadable", message) from None


def _provided(name: str) -> str | None:
    for title, provider in _providers().items():
        try:
            found = provider(name)
        except Exception as error:  # noqa: BLE001 - it is somebody's code
            # Its words are not told: they could be about the secret.
            message = f"secret.{name}: the provider {title!r} failed: {type(error).__name__}"
            raise ServiceError("secret.provider", message) from None
        if isinstance(found, str):
            return found
    return None


@cache
def _providers() -> dict[str, Provider]:
    """Those that are installed, by name. Raises ExpressionError `secret.provider` if one cannot be loaded."""
    from importlib.metadata import entry_points

    found = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            found[entry.name] = entry.load()
        except Exception as error:  # noqa: BLE001 - it is somebody's code
            message = f"the secrets provider {entry.name!r} cannot be loaded: {type(error).__name__}: {error}"
            raise ExpressionError("secret.provider", message) from None
    return found


def _undefined(kind: str, name: str) -> ExpressionError:
    hint = f"set {name}" if kind == "env" else f"set {name}, or {name}_FILE to the path of a file that holds it"
    return ExpressionError("expression.undefined", f"{kind}.{name} is not set", hint=hint)
