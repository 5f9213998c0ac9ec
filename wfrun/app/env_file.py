"""A file of variables, as `.env` files are usually written: one `NAME=value` on each line.

A value may be quoted: in `'…'` it stands as it is, in `"…"` with the usual escapes for line end, tab, `"`, `$` and
backslash. Without quotes a ` #` begins a comment. `export ` may stand in front. Nothing is expanded or run, and
no value goes over several lines: a line that is none of this is an error, which tells its number and not its text.
"""

from __future__ import annotations

import re

from wfrun.errors import ExpressionError

_LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
        (?:'(?P<plain>[^']*)'|"(?P<escaped>(?:[^"\\]|\\.)*)"|(?P<bare>[^'"\s\#][^\n]*?|))
        \s*(?:(?<=\s)\#.*)?""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def read_env_file(path: str) -> dict[str, str]:
    """The variables of a file. Raises ExpressionError `env.file` if it cannot be read as one."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse_env(file.read(), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ExpressionError("env.file", f"{path} cannot be read: {type(error).__name__}") from None


def parse_env(text: str, path: str) -> dict[str, str]:
    """The last value of each name counts."""
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match is None:
            hint = "one NAME=value on each line; put values with quotes or spaces at an end in '…'"
            raise ExpressionError("env.file", f"{path}:{number}: this is no variable", hint=hint)
        found[match["name"]] = _value(match)
    return found


def _value(match: re.Match[str]) -> str:
    if match["plain"] is not None:
        return match["plain"]
    if match["escaped"] is not None:
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), match["escaped"])
    return match["bare"] or ""
