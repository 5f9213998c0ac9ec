"""The catalogue of errors, docs/errors.md, as tests read it, and what its examples say when they are run.

An entry is a heading of the third level with the code, what it means, an example and, behind `What to do: `, the
remedy. An example is made of files and of commands. A file is a block in whose first line a comment names it, such as
`# services.yaml`; a YAML block without one is `w.yaml`. One that stands before the first code of an area is there for
all of them. Commands stand in `console` blocks (see `pages`).

What the examples show is written by this: `python -m tests.support.catalogue [CODE…]` runs them all, or some, and puts
onto the page what they say now. Read the difference before you commit it.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support.pages import Example, blocks, console, is_shown
from tests.support.shell import ROOT, Answer, shell
from tests.support.zygote import Zygote

PAGE = ROOT / "docs" / "errors.md"
REMEDY = "What to do: "
# What stands on the page for the folder in which an example is run.
FOLDER = "/home/maria/shop"

_HEADING = re.compile(r"### (`.+`)")
_FILE = re.compile(r"# (\S+\.\w+)")
_TEST = re.compile(r"\[`(test_\w+)`\]\(\.\./([^)]+)\)")
# What only a shell can do.
_FOR_A_SHELL = re.compile(r"[|;&<>$`*]")
_SHORT = 3
_ENDS = ("Error  ", "Last error  ", "Not undone  ")


class Entry(NamedTuple):
    """One code, or several alike. Words in angle brackets stand for any: `http.<status>`. `line` is the heading's."""

    codes: tuple[str, ...]
    line: int
    text: str
    area: str = ""

    @property
    def meaning(self) -> str:
        return self.text.strip().partition("\n\n")[0]

    @property
    def remedy(self) -> str:
        return self.text.partition(f"\n{REMEDY}")[2].strip()

    @property
    def files(self) -> dict[str, str]:
        return {**_files(self.area), **_files(self.text)}

    @property
    def examples(self) -> list[Example]:
        return [example for block in blocks(self.text) if block.language == "console" for example in console(block)]

    @property
    def tests(self) -> list[tuple[str, Path]]:
        """Those that are named instead of an example: a function, and the file in which it stands."""
        return [(test, ROOT / path) for test, path in _TEST.findall(self.text)]

    @property
    def patterns(self) -> list[re.Pattern[str]]:
        return [pattern_of(code) for code in self.codes]


def pattern_of(code: str) -> re.Pattern[str]:
    """The code as it stands in messages, whatever stands there for words in angle brackets."""
    return re.compile(r"(?<![\w.-])" + re.sub(r"<\w+>", r"[\\w-]+", re.escape(code)) + r"(?![\w-]|\.\w)")


def _files(text: str) -> dict[str, str]:
    found = {}
    for block in blocks(text):
        if block.language in ("yaml", "python", "toml"):
            name = _FILE.fullmatch(block.text[0]) if block.text else None
            found[name[1] if name else "w.yaml"] = "\n".join(block.text) + "\n"
    return found


def entries(page: str) -> list[Entry]:
    found: list[Entry] = []
    fenced = False
    for number, line in enumerate(page.splitlines(), 1):
        fenced ^= line.startswith("```")
        if not fenced and line.startswith(("# ", "## ")):
            found.append(Entry((), number, ""))
        elif heading := _HEADING.fullmatch(line):
            area = next((entry.text for entry in reversed(found) if not entry.codes), "")
            found.append(Entry(tuple(re.findall(r"`([^`]+)`", heading[1])), number, "", area))
        elif found:
            found[-1] = found[-1]._replace(text=f"{found[-1].text}{line}\n")
    return [entry for entry in found if entry.codes]


def answers(entry: Entry, folder: Path, zygote: Zygote) -> Iterator[tuple[Example, Answer]]:
    """What each command of an entry says now, in a folder that has nothing in it yet."""
    for name, text in entry.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for example in entry.examples:
        answer = _answer(example.command, folder, zygote)
        yield example, Answer(answer.code, answer.out.replace(str(folder), FOLDER))


def _answer(command: str, folder: Path, zygote: Zygote) -> Answer:
    """Starting Python takes longer than most commands: what needs no shell is done in a process that is there."""
    if not command.startswith("wfrun ") or _FOR_A_SHELL.search(re.sub(r"'[^']*'", "", command)):
        return shell(command, folder)
    ended = zygote.run(*shlex.split(command)[1:], cwd=folder)
    return Answer(ended.code if ended.code >= 0 else 128 - ended.code, ended.output)  # of a signal, as shells tell it


# ---- writing the page


def excerpt(out: str, patterns: list[re.Pattern[str]]) -> list[str]:
    """What is worth showing: all of little, else the lines with the codes and the hints below them.

    Of an execution only how it ended: the lines before that tell the same.
    """
    lines = [line.rstrip() for line in out.splitlines() if line.strip()]
    if len(lines) <= _SHORT:
        return lines
    told = [line for line in lines if any(pattern.search(line) for pattern in patterns)]
    told = [line for line in told if line.startswith(_ENDS)] or told
    shown: list[str] = []
    for line in lines:
        is_hint = line.startswith("  hint:") and shown and shown[-1] != "..."
        if line in told or is_hint:
            shown.append(line)
        elif shown[-1:] != ["..."]:
            shown.append("...")
    return shown


def written(entry: Entry, zygote: Zygote) -> str:
    """The text of an entry with what its commands say now."""
    with TemporaryDirectory() as folder:
        said = [
            (example, answer.code, excerpt(answer.out, entry.patterns))
            for example, answer in answers(entry, Path(folder), zygote)
        ]
    lines = entry.text.splitlines()
    for example, code, shown in reversed(said):
        start = example.line - 1
        end = start + 1 + len(example.output or [])
        if code == example.code and is_shown(example.output or [], shown):
            continue  # what differs does so every time: instants, ports
        exit_code = f"  # exit code {code}" if code else ""
        lines[start:end] = [f"$ {example.command}{exit_code}", *shown]
    return "\n".join(lines) + "\n"


def main(codes: list[str]) -> None:
    page = PAGE.read_text()
    with TemporaryDirectory() as folder, Zygote(Path(folder), {}) as zygote:
        for entry in entries(page):
            if not codes or {*codes} & {*entry.codes}:
                page = page.replace(f"`\n{entry.text}", f"`\n{written(entry, zygote)}", 1)
    PAGE.write_text(page)


if __name__ == "__main__":
    main(sys.argv[1:])
