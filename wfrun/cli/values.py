"""What is typed as data: `--input`, `--set key=value`, `--data`, and who types it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from wfrun.core.values import Json
from wfrun.errors import InvalidError, NotFoundError, UsageError

STDIN = "-"

# Longer texts are not repeated to whoever has typed them.
MAX_SHOWN = 60


class Options(NamedTuple):
    """How a command calls the option for all of its data, and the one for a single value."""

    whole: str
    single: str


INPUT = Options("--input", "--set")
DATA = Options("--data-file", "--data")


def read_input(source: str | None, sets: Iterable[str], options: Options = INPUT) -> Json | None:
    """`--input` (a file, `-` for standard input, or JSON itself) with `--set` laid over it; None if neither is given.

    Raises InvalidError with the place of what is no JSON, NotFoundError, UsageError.
    """
    value = None if source is None else _read_json(source)
    pairs = list(sets)
    if not pairs:
        return value
    if value is not None and not isinstance(value, dict):
        message = f"{options.single} needs {options.whole} to be an object"
        raise UsageError("usage.set", message, hint="it is a list or a scalar")
    return assign(pairs, value, options)


def read_or_refuse(source: str | None, sets: Iterable[str]) -> Json | InvalidError:
    """As `read_input`; what is no JSON is its error, for whoever has more to say about what was typed with it."""
    try:
        return read_input(source, sets)
    except InvalidError as invalid:
        return invalid


def _read_json(source: str) -> Json:
    from wfrun.load.json import parse_json

    if source == STDIN:
        return parse_json(_read_stdin(), "<stdin>")
    if _is_meant_as_json(source):
        return parse_json(source, "<input>")
    return parse_json(read_file(source), source)


def read_bytes(source: str) -> bytes:
    """All of a file, or of standard input for `-`. Raises NotFoundError."""
    return _read_stdin() if source == STDIN else read_file(source)


def _read_stdin() -> bytes:
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise _unreadable("<stdin>", error) from error


def read_file(name: str) -> bytes:
    """A file's bytes. Raises NotFoundError for whatever keeps it from being read."""
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: OSError | ValueError) -> NotFoundError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return NotFoundError("file.unreadable", f"{name} cannot be read: {reason}")


def assign(pairs: Iterable[str], onto: dict[str, Json] | None = None, options: Options = INPUT) -> dict[str, Json]:
    """`a.b=1` pairs as an object, over a copy of `onto`. A value is JSON if it reads as JSON, else text.

    Raises UsageError for a pair without `=`, an empty key, or a key inside something that is no object.
    """
    result: dict[str, Json] = dict(onto or {})
    for pair in pairs:
        key, equals, text = pair.partition("=")
        names = key.split(".")
        if not equals or not all(names):
            hint = f"write key=value, or a.b=value to nest; {options.whole} FILE takes all of it from a file"
            raise UsageError("usage.set", f"`{pair}` is no assignment", hint=hint)
        _assign(result, names, parse_value(text, f"<{key}>"), pair)
    return result


def _assign(target: dict[str, Json], names: list[str], value: Json, pair: str) -> None:
    for name in names[:-1]:
        inner = target.get(name, {})
        if not isinstance(inner, dict):
            raise UsageError("usage.set", f"`{pair}`: `{name}` is already a value, not an object")
        target[name] = inner = dict(inner)
        target = inner
    target[names[-1]] = value


def parse_value(text: str, name: str = "<value>") -> Json:
    """JSON if it reads as JSON, else the text itself.

    What begins as an object, a list or a string in quotes was meant as JSON. Raises InvalidError if it is none.
    """
    from wfrun.load.json import parse_json

    try:
        return parse_json(text, name)
    except InvalidError as invalid:
        if _is_meant_as_json(text):
            raise InvalidError([each._replace(hint=each.hint or _as_text(text)) for each in invalid.problems]) from None
        return text


def _is_meant_as_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[", '"')


def _as_text(text: str) -> str:
    """How to type a text that looks like JSON and is none."""
    from shlex import quote

    shown = quote(json.dumps(text, ensure_ascii=False)) if len(text) <= MAX_SHOWN else "'\"…\"'"
    return f"in the shell, JSON goes in single quotes; to mean this very text, write {shown}"


def read_lines(source: str) -> Iterator[tuple[int, Json | InvalidError]]:
    """The inputs of a batch: JSON Lines, numbered from 1, empty ones left out. Read as they are needed.

    A line that is no JSON is its error, with its place in the file. Raises NotFoundError if there is nothing to read.
    """
    try:
        with sys.stdin.buffer if source == STDIN else open(source, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _line(line, source, number)
    except OSError as error:
        raise _unreadable(source, error) from error


def _line(line: bytes, source: str, number: int) -> Json | InvalidError:
    from wfrun.load.json import parse_json

    file = "<stdin>" if source == STDIN else source
    try:
        return parse_json(line.rstrip(b"\r\n"), file)
    except InvalidError as invalid:
        return InvalidError([p._replace(place=p.place._replace(file=file, line=number)) for p in invalid.problems])


def current_user() -> str:
    """The login name, as far as it is known and is text."""
    names = (os.environ.get(variable) for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"))
    return (next(filter(None, names), "") or _account()).encode(errors="replace").decode()


def _account() -> str:
    """The owner of this process, by name if the system knows one."""
    from pwd import getpwuid

    try:
        return getpwuid(os.getuid()).pw_name
    except KeyError:
        return "unknown"
