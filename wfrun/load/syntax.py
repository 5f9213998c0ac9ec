"""What ruamel.yaml has to say against a text, in words for people.

Its complaints name a problem and one or two positions. The line at that position shows which of the traps of YAML it
was. A complaint that is not known here is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from wfrun.load.departures import shown
from wfrun.load.events import YamlError

STAR_HINT = 'text that starts with * needs quotes: "*/5"'
QUOTES_HINT = "put the whole text in quotes"
_BRACES_HINT = 'text with brackets or braces needs quotes here: "$.items[0]", "${ ... }"'
_COLUMN_HINT = "lines that belong together start in the same column"

_END = re.compile(r"(?:(?:---|\.\.\.)(?=\s|\Z).*)?\Z", re.DOTALL)
_ESCAPES = {"x": 2, "u": 4, "U": 8}


def explain(error: Any, text: str) -> YamlError:
    """The error of a text whose lines end with a line feed alone. `error` is a MarkedYAMLError."""
    complaint = f"{error.context}: {error.problem}"
    for words, translate in _TRANSLATIONS.items():
        if words in complaint:
            return translate(_Complaint(error, text))
    mark = error.problem_mark or error.context_mark
    message = f"this cannot be read as YAML: {error.problem or error.context}"
    return YamlError("yaml.syntax", message, mark.line + 1, mark.column + 1)


class _Complaint:
    """`mark` is the position of the problem, and `start` that of what it is part of; `sign` stands at `mark`."""

    def __init__(self, error: Any, text: str) -> None:
        self.mark = error.problem_mark or error.context_mark
        self.start = error.context_mark or self.mark
        self.problem = error.problem or error.context
        self.text = text
        self.sign = text[self.mark.index : self.mark.index + 1]

    @property
    def before(self) -> str:
        """The part of the problem's line that stands before it."""
        return self.text[self.mark.index - self.mark.column : self.mark.index]

    def error(self, code: str, message: str, hint: str = "", *, mark: Any = None, offset: int = 0) -> YamlError:
        """An error at the problem, or at another mark, or so many characters away from it on its line."""
        place = mark or self.mark
        return YamlError(code, message, place.line + 1, place.column + 1 + offset, hint)


def _bad_start(found: _Complaint) -> YamlError:
    if found.sign != "\t":
        return found.error("yaml.sign", f"text cannot start with `{found.sign}`", f'quote it: "{found.sign}..."')
    if found.before.strip():
        return found.error("yaml.tab", "a tab where a space is due", "use a space, or nothing at the end of a line")
    return found.error("yaml.tab", "a tab in the indentation", "indent with spaces")


def _no_colon(found: _Complaint) -> YamlError:
    line = found.text[found.start.index :].partition("\n")[0].partition(" #")[0].strip()
    hint = "a space is missing after the colon" if ":" in line else "every line of a mapping is `key: value`"
    return found.error("yaml.colon", f"`{shown(line)}` is no key: a colon is missing", hint, mark=found.start)


def _misplaced_colon(found: _Complaint) -> YamlError:
    if re.search(r":\s|^\s*-\s", found.before):
        hint = "text with `: ` in it needs quotes around all of it"
        return found.error("yaml.colon", "a second colon on this line", hint)
    if found.before.startswith("---"):
        return found.error("yaml.colon", "a mapping starts on the line after `---`")
    key = found.before.strip()
    hint = "indent it like the key it belongs beside, or put the text above in quotes"
    message = f"`{shown(key)}:` continues the text of the line above"
    return found.error("yaml.colon", message, hint, offset=-len(found.before.lstrip()))


def _misplaced_list(found: _Complaint) -> YamlError:
    if re.search(r"(?::|&\S+)\s*$", found.before):
        hint = "put it on the next line, or quote the text if it is one"
        return found.error("yaml.indentation", "a list cannot start on the line of its key or anchor", hint)
    return _left_over(found)


def _left_over(found: _Complaint) -> YamlError:
    last = found.before.rstrip()[-1:]
    after = {'"': "the closing quote", "'": "the closing quote", "]": "the closing bracket", "}": "the closing bracket"}
    return found.error("yaml.syntax", f"something follows after {after.get(last, 'the value')}", QUOTES_HINT)


def _out_of_place(found: _Complaint) -> YamlError:
    if found.before.strip():
        return _left_over(found)
    if "<document start>" in found.problem:
        message, hint = "something follows after the end of the document", _COLUMN_HINT
    elif found.mark.column > found.start.column:
        message, hint = _wrong_column(found)
    elif found.text.startswith("- ", found.start.index):
        message, hint = "a `-` is missing before this entry of the list", ""
    elif found.sign == "-":
        message, hint = "a list entry where a key is due", "indent the list under its key"
    else:
        message, hint = f"`{found.sign}` where a key is due", ""
    return found.error("yaml.indentation", message, hint)


def _wrong_column(found: _Complaint) -> tuple[str, str]:
    """A line between the columns of two blocks: it is told of the nearer one above it."""
    line, column = _line_above(found)
    if column > found.mark.column:
        return (
            f"this line is indented less than line {line}, and deeper than the block around it",
            f"start it in column {column + 1}, like line {line}, or in the column of the block around it",
        )
    return "this line is indented deeper than the ones it belongs to", _COLUMN_HINT


def _line_above(found: _Complaint) -> tuple[int, int]:
    """The number of the last line above that says something, and the column in which it says it, after any `- `."""
    lines = found.text[: found.mark.index].split("\n")[:-1]
    for number in range(len(lines), 0, -1):
        content = re.match(r"\s*(?:-\s+)*", lines[number - 1])
        rest = lines[number - 1][content.end() :] if content else ""
        if content and rest and not rest.startswith("#"):
            return number, content.end()
    return 0, 0


def _after_the_end(found: _Complaint) -> YamlError:
    return found.error("yaml.documents", "something follows after the end of the document")


def _bad_escape(found: _Complaint) -> YamlError:
    at = found.text.rindex("\\", 0, found.mark.index)
    letter = found.text[at + 1 : at + 2]
    digits = _ESCAPES.get(letter, 0)
    written = found.text[at : at + 2 + digits]
    if "beyond" in found.problem:
        message = f"`{written}` is beyond the last character of Unicode"
    elif digits:
        message = f"`\\{letter}` is an escape with {digits} hexadecimal digits"
    else:
        message = f"`{written}` is not an escape"
    hint = "write \\\\ for a backslash, or use single quotes"
    return found.error("yaml.escape", message, hint, offset=at - found.mark.index)


def _no_quote(found: _Complaint) -> YamlError:
    return found.error("yaml.quote", "the text that starts here has no closing quote", mark=found.start)


def _bad_block_text(found: _Complaint) -> YamlError:
    sign = found.text[found.start.index]
    kind = "folded" if sign == ">" else "literal"
    message = f"`{sign}` starts a {kind} text, which begins on the next line"
    return found.error("yaml.block-text", message, f"{QUOTES_HINT}, if `{sign}` belongs to it", mark=found.start)


def _blank_block_line(found: _Complaint) -> YamlError:
    message = "the blank lines before this text hold spaces"
    return found.error("yaml.block-text", message, "leave blank lines empty")


def _no_anchor_name(found: _Complaint) -> YamlError:
    return found.error("yaml.syntax", "a name is missing after `&`", QUOTES_HINT, mark=found.start)


def _no_alias_name(found: _Complaint) -> YamlError:
    return found.error("yaml.alias", "a name is missing after `*`", STAR_HINT, mark=found.start)


def _bad_bracket(found: _Complaint) -> YamlError:
    opened = found.text[found.start.index]
    if _END.match(found.text, found.mark.index):
        message = f"the `{opened}` that stands here is never closed"
        return found.error("yaml.bracket", message, f"add the `{_CLOSING[opened]}`", mark=found.start)
    if found.sign in _CLOSING.values():
        message = f"`{found.sign}` does not close the `{opened}` of line {found.start.line + 1}"
        return found.error("yaml.bracket", message, _BRACES_HINT)
    if found.mark.line > found.start.line:
        hint = f"the `{opened}` of line {found.start.line + 1} is still open"
    elif found.sign in _CLOSING:
        hint = _BRACES_HINT
    else:
        hint = "text with a comma, a quote or a colon needs quotes around all of it"
    return found.error("yaml.bracket", "a comma or the closing bracket is missing before this", hint)


_CLOSING = {"[": "]", "{": "}"}


def _no_value(found: _Complaint) -> YamlError:
    if found.sign == ",":
        return found.error("yaml.comma", "a value is missing before this comma")
    return _bad_start(found)


_Translate: TypeAlias = Callable[[_Complaint], YamlError]

# The first whose words are in the complaint.
_TRANSLATIONS: dict[str, _Translate] = {
    "cannot start any token": _bad_start,
    "while scanning a simple key": _no_colon,
    "mapping values are not allowed": _misplaced_colon,
    "sequence entries are not allowed": _misplaced_list,
    "escape": _bad_escape,
    "while scanning a quoted scalar": _no_quote,
    "while scanning a block scalar": _bad_block_text,
    "in a block scalar": _blank_block_line,
    "while scanning an anchor": _no_anchor_name,
    "while scanning an alias": _no_alias_name,
    "expected the node content": _no_value,
    "while parsing a flow": _bad_bracket,
    "expected <block end>": _out_of_place,
    "expected '<document start>'": _out_of_place,
    "after document end marker": _after_the_end,
}
