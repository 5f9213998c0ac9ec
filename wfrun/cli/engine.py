"""Which engine a command is about: options that every command has, and a profile in a file, so that nobody needs to
type them.

All of them end up in variables of the environment, where they are looked for, and where they can be given, too. What is
typed counts most, then what the environment has, then the profile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from wfrun.errors import InvalidError, Place, Problem, UsageError

FILE = "wfrun.toml"
PROFILE = "WFRUN_PROFILE"

# Option → variable. Those of Temporal are its own: other tools and its SDKs read them, too.
OPTIONS: Mapping[str, str] = {
    "--engine": "WFRUN_ENGINE",
    "--profile": PROFILE,
    "--address": "TEMPORAL_ADDRESS",
    "--namespace": "TEMPORAL_NAMESPACE",
    "--task-queue": "TEMPORAL_TASK_QUEUE",
    "--api-key": "TEMPORAL_API_KEY",
    "--tls-cert": "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "--tls-key": "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "--tls-ca": "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "--blobs": "WFRUN_BLOBS",
}
SWITCHES: Mapping[str, str] = {"--tls": "TEMPORAL_TLS"}

# Key of the file → variable.
_KEYS: Mapping[str, str] = {"engine": "WFRUN_ENGINE", "home": "WFRUN_HOME", "services": "WFRUN_SERVICES"}
_TEMPORAL: Mapping[str, str] = {
    "address": "TEMPORAL_ADDRESS",
    "namespace": "TEMPORAL_NAMESPACE",
    "task-queue": "TEMPORAL_TASK_QUEUE",
    "tls": "TEMPORAL_TLS",
    "tls-cert": "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "tls-key": "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "tls-ca": "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "blobs": "WFRUN_BLOBS",
}
_PATHS = ("home", "services", "blobs", "tls-cert", "tls-key", "tls-ca")


# These are about a state directory.
_ON_A_DISK = ("batch", "gc", "doctor", "reindex", "resume --where")


def check_engine(command: str) -> None:
    """Raises UsageError for a command that is about a state directory, where executions are elsewhere."""
    if command in _ON_A_DISK and os.environ.get("WFRUN_ENGINE", "local") != "local":
        hint = "say --engine local"
        raise UsageError("usage.engine", f"`{command}` is for executions in a state directory", hint=hint)


def choose_engine(arguments: list[str]) -> list[str]:
    """The arguments without these options, which are put into the environment. Raises UsageError, InvalidError."""
    rest = list(_taken(arguments))
    file = _find(os.getcwd())
    if file is not None:
        for variable, value in _settings(file).items():
            os.environ.setdefault(variable, value)
    elif os.environ.get(PROFILE):
        raise UsageError("usage.profile", f"there is no {FILE} here or above that could have profiles")
    return rest


def _taken(arguments: list[str]) -> Iterator[str]:
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word in SWITCHES:
            os.environ[SWITCHES[word]] = "true"
        elif name in OPTIONS:
            given = value if equals else next(words, None)
            if given is None:
                raise UsageError("usage", f"{name} needs a value")
            os.environ[OPTIONS[name]] = given
        else:
            yield word


def _find(folder: str) -> str | None:
    """In this folder or the nearest above that has one."""
    while not os.path.isfile(f"{folder}/{FILE}"):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return f"{folder}/{FILE}"


def _settings(file: str) -> dict[str, str]:
    """Variables and their values, as the file and the profile in it have them."""
    import tomllib

    try:
        with open(file, "rb") as opened:
            written = tomllib.load(opened)
    except (OSError, ValueError) as error:
        raise _wrong(file, str(error)) from None
    profiles = written.pop("profile", {})
    chosen = os.environ.get(PROFILE)
    if chosen is not None and chosen not in profiles:
        known = ", ".join(profiles) or "none"
        raise UsageError("usage.profile", f"{file} has no profile {chosen!r}", hint=f"its profiles: {known}")
    return {**_variables(file, written), **_variables(file, profiles.get(chosen, {}))}


def _variables(file: str, table: Mapping[str, Any]) -> dict[str, str]:
    given = dict(table)
    temporal = given.pop("temporal", {})
    found = {}
    for known, values in ((_KEYS, given), (_TEMPORAL, temporal)):
        for key, value in values.items():
            if key not in known:
                raise _wrong(file, f"there is no setting {key!r}", f"settings: {', '.join(known)}")
            found[known[key]] = _text(file, key, value)
    return found


def _text(file: str, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        raise _wrong(file, f"{key} must be text")
    return os.path.join(os.path.dirname(file), value) if key in _PATHS and "://" not in value else value


def _wrong(file: str, message: str, hint: str = "") -> InvalidError:
    return InvalidError([Problem("profile.invalid", message, Place(file), hint)])
