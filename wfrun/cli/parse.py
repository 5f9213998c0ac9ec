"""The fast parser: what is typed without surprises becomes a command's values, and no library is imported for it.

It answers None for everything else (an unknown option, a missing argument, `--help`, a value that is no number, short
options run together); typer then parses the same line again and finds the words for what is wrong. So this one never
reports an error, and it must never accept what typer would read differently: a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wfrun.cli.declare import Arg, Opt, Parameter

# Python refuses to read a number of thousands of digits.
DIGITS = 100


def parse(parameters: Sequence[Parameter], arguments: Sequence[str]) -> dict[str, Any] | None:
    """The values by parameter name, or None if the line has to be looked at more closely."""
    options = {flag: p for p in parameters if isinstance(p.meta, Opt) for flag in p.meta.flags}
    given: dict[str, list[str | bool]] = {}
    loose: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            loose.extend(words)
        elif not word.startswith("-") or word == "-":
            loose.append(word)
        elif not _option(word, words, options, given):
            return None
    return _values(parameters, given, loose)


def _option(word: str, words: Iterator[str], options: dict[str, Parameter], given: dict[str, list[str | bool]]) -> bool:
    """Take one option and its value. False if it isn't plain."""
    flag, equals, value = word.partition("=")
    parameter = options.get(flag)
    if parameter is None or (equals and not flag.startswith("--")):
        return False
    if parameter.kind is bool:
        given[parameter.name] = [True]
        return not equals
    if not equals:
        value = next(words, "--")
        if value.startswith("-") and value != "-":
            return False
    given.setdefault(parameter.name, []).append(value)
    return True


def _values(
    parameters: Sequence[Parameter], given: dict[str, list[str | bool]], loose: list[str]
) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    for parameter in parameters:
        if isinstance(parameter.meta, Arg) and loose:
            taken = len(loose) if parameter.many else 1
            given[parameter.name] = [*loose[:taken]]
            loose = loose[taken:]
        if parameter.name not in given:
            if parameter.required:
                return None
            values[parameter.name] = parameter.default
            continue
        texts = given[parameter.name]
        if parameter.kind is int and not all(map(_is_plain_number, texts)):
            return None
        found = [parameter.kind(text) for text in texts]
        values[parameter.name] = tuple(found) if parameter.many else found[-1]
    return None if loose else values


def _is_plain_number(text: str | bool) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= DIGITS
