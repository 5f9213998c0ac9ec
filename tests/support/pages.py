"""Our pages as tests read them: their links, their headings, the commands in them, and the examples that can be run.

An example is a block of code under the comment `<!-- run -->`, or `<!-- run in workflows/order -->`, which readers do
not see. In a `console` block, `$ ` begins a command, what follows is its output, a line `...` stands for any lines, and
`# exit code 5` behind a command says how it ends. Every line of an `sh` block is a command that has to succeed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.shell import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("workflows/*/README.md")])

_MARK = re.compile(r"<!-- run(?: in (\S+))? -->")
_EXIT = re.compile(r"\s+# exit code (\d+)$")
_FENCE = re.compile(r"^\s*```(\w*)")
_LINK = re.compile(r"\]\(([^()\s]+)\)")


class Example(NamedTuple):
    """One command. `output` is None where the page shows none."""

    line: int
    folder: str
    command: str
    code: int
    output: list[str] | None


class Block(NamedTuple):
    line: int
    language: str
    text: list[str]
    mark: re.Match[str] | None


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, each with the comment that stands above it if that makes it an example."""
    mark, language, inside, begun = None, "", None, 0
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            language, inside, begun = fence[1], list[str](), number
        elif inside is not None and fence:
            yield Block(begun, language, inside, mark)
            mark, inside = None, None
        elif inside is not None:
            inside.append(line)
        elif line.strip():
            mark = _MARK.fullmatch(line.strip())


def prose(text: str) -> str:
    """A page without its blocks."""
    return re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.MULTILINE | re.DOTALL)


def examples(text: str) -> list[Example]:
    found = [block for block in blocks(text) if block.mark]
    return [example for block in found for example in _examples_of(block)]


def _examples_of(block: Block) -> Iterator[Example]:
    assert block.mark
    folder = block.mark[1] or "."
    if block.language == "sh":
        for number, line in enumerate(block.text, block.line + 1):
            if line.strip() and not line.startswith("#"):
                yield Example(number, folder, line, 0, None)
    else:
        yield from console(block, folder)


def console(block: Block, folder: str = ".") -> Iterator[Example]:
    """The commands of a `console` block, whether it is marked as an example or not."""
    starts = [at for at, line in enumerate(block.text) if line.startswith("$ ")]
    for at, end in zip(starts, [*starts[1:], len(block.text)], strict=True):
        line = block.text[at].removeprefix("$ ")
        code = _EXIT.search(line)
        yield Example(
            block.line + 1 + at, folder, _EXIT.sub("", line), int(code[1]) if code else 0, block.text[at + 1 : end]
        )


def links(text: str) -> list[str]:
    """The targets of links, but not those that lead out of the repository."""
    return [target for target in _LINK.findall(prose(text)) if not re.match(r"\w+:", target)]


def anchors(text: str) -> set[str]:
    """What `#…` can name on a page: its headings, as forges write them."""
    headings = re.findall(r"^#+ +(.*?) *$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def command_lines(text: str) -> list[str]:
    """Everything that a page shows as code and that begins with `wfrun`, up to the end of that command."""
    spans = re.findall(r"`([^`\n]+)`", prose(text))
    lines = [line for block in blocks(text) if block.language in ("", "sh", "console") for line in block.text]
    found = (re.search(r"(?:^|[\s(])(wfrun(?: [^|;&>#]*)?)", code) for code in (*spans, *lines))
    return [match[1].strip() for match in found if match]


# ---- comparing what a page shows with what came

_VARIES = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "<instant>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?"), "<clock>"),
    (re.compile(r"\+?\b\d+(\.\d+)?(ms|s)\b"), "<time>"),
    (re.compile(r"\b1Z[0-9A-F]{10}\b"), "<tracking>"),
    (re.compile(r"process \d+ on \S+"), "process <pid> on <host>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
]


# Where an execution begins, and where its status does. Elsewhere an id looks like any other word.
_TOLD_ID = re.compile(r"^(?:execution ([0-9a-hjkmnp-tv-z]{8})$|([0-9a-hjkmnp-tv-z]{8}) · )")


def ids_in(lines: list[str]) -> set[str]:
    """The ids that wfrun made, as far as these lines tell whose they are."""
    return {told[1] or told[2] for line in lines if (told := _TOLD_ID.match(line))}


def plain(lines: list[str], ids: set[str]) -> list[str]:
    """Lines without what is different every time (instants, durations, these ids) and without their spacing."""
    varies = [*_VARIES, *((re.compile(rf"\b{id}\b"), "<id>") for id in ids)]
    plain = []
    for line in lines:
        for pattern, name in varies:
            line = pattern.sub(name, line)
        plain.append(" ".join(line.split()))
    return [line for line in plain if line and line != "Killed"]  # some shells say so, others don't


def is_shown(shown: list[str], came: list[str], known: Iterable[str] = ()) -> bool:
    """Whether `came` is what a page shows, where `...` stands for any lines. Ids may differ, those `known`, too."""
    ids = ids_in(shown) | ids_in(came) | set(known)
    parts: list[list[str]] = [[]]
    for line in plain(shown, ids):
        if line == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    lines = plain(came, ids)
    if len(parts) == 1:
        return lines == parts[0]
    first, *middle, last = parts
    if lines[: len(first)] != first or (last and lines[-len(last) :] != last):
        return False
    return _in_order(middle, lines[len(first) : len(lines) - len(last)])


def _in_order(parts: list[list[str]], lines: list[str]) -> bool:
    at = 0
    for part in parts:
        at = next((i + len(part) for i in range(at, len(lines) + 1) if lines[i : i + len(part)] == part), -1)
        if at < 0:
            return False
    return True
