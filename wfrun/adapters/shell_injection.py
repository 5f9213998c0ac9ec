"""Whether data of an execution would be run as a program by a command, of which only the words are known.

There is no shell between wfrun and a command, so a word of data is one argument. But the command itself may be a shell,
another interpreter, or a program that runs its arguments (`env`, `sudo`, `ssh`, …). The rule: up to and including what
says which program runs, all words are literal; only behind that may data stand. Between the options of an interpreter
data could be an option itself, such as `-c…`.

Programs that are not known here may run their arguments, too (`docker exec`). Behind them, only data that is plainly
the code of a known interpreter is found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal, NamedTuple


class Word(NamedTuple):
    """An argument. Of one with data in it, `text` is what stands before the data."""

    text: str
    data: bool = False


class Head(NamedTuple):
    """How a program that runs something reads its arguments. Options are letters, long ones whole words.

    `runs`: the first operand is a program and the rest its data (`operand`); the operands are a command (`command`), or
    are joined to a line for a shell (`line`), after `skips` operands of another meaning.
    `code`: options whose value is a program. `code_is`: whether further options follow it (`among`) or none (`last`);
    or the option is a mere flag, and the first operand the program (`apart`).
    `valued`: other options with a value, of which that of an `open` one may be data. `attached`: those whose value is
    part of the same word.
    """

    runs: Literal["operand", "command", "line"] = "operand"
    code: str = ""
    code_is: Literal["among", "last", "apart"] = "among"
    valued: str = ""
    open: str = ""
    attached: str = ""
    skips: int = 0
    long_code: tuple[str, ...] = ()
    long_valued: tuple[str, ...] = ()


_SHELL = Head(code="c", code_is="apart", valued="oO", long_valued=("--rcfile", "--init-file"))
_PYTHON = Head(code="cm", code_is="last", valued="WX", long_valued=("--check-hash-based-pycs",))
_NODE = Head(
    code="ep",
    valued="rC",
    long_code=("-pe", "--eval", "--print"),
    long_valued=("--require", "--import", "--loader", "--experimental-loader", "--conditions", "--env-file"),
)
_AWK = Head(code="fEe", valued="Fi", open="v", long_code=("--file", "--source", "--exec"))
_SU = Head("line", code="c", valued="gGsw", skips=1, long_code=("--command", "--session-command"))
_POWERSHELL = Head(
    long_code=("-c", "-C", "-Command", "-command", "-EncodedCommand", "-e", "-ec"),
    long_valued=("-ExecutionPolicy", "-ep", "-WorkingDirectory", "-wd"),
)
_PLAIN = Head("command")

_HEADS = {
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "csh", "tcsh", "rbash"), _SHELL),
    **dict.fromkeys(("python", "pypy"), _PYTHON),
    **dict.fromkeys(("node", "nodejs", "bun"), _NODE),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _AWK),
    **dict.fromkeys(("su", "runuser"), _SU),
    **dict.fromkeys(("Rscript", "julia", "elixir", "groovy"), Head(code="eE")),
    **dict.fromkeys(("lua", "luajit"), Head(valued="el")),
    **dict.fromkeys(("pwsh", "powershell"), _POWERSHELL),
    **dict.fromkeys(("nohup", "setsid", "busybox", "toybox", "unbuffer"), _PLAIN),
    **dict.fromkeys(("chroot", "taskset", "gosu", "su-exec"), Head("command", skips=1)),
    "fish": Head(code="cC", valued="dofD", long_code=("--command", "--init-command")),
    "perl": Head(code="eE", valued="I", attached="MmiDFCx"),
    "ruby": Head(code="e", valued="ICEr", attached="iKWFTx"),
    "php": Head(code="rBREfF", valued="dczSt", long_code=("--run", "--file", "--process-begin", "--process-code")),
    "osascript": Head(code="e", valued="ls"),
    "tclsh": Head(),
    "expect": Head(code="cf"),
    "sed": Head(code="ef", valued="l", attached="i", long_code=("--expression", "--file")),
    "env": Head("command", code="S", open="uCa", long_code=("--split-string",), long_valued=("--unset", "--chdir")),
    "sudo": Head("command", open="ughpCDRTrtU", long_valued=("--user", "--group", "--chdir", "--host", "--prompt")),
    "doas": Head("command", open="uCa"),
    "nice": Head("command", open="n", long_valued=("--adjustment",)),
    "ionice": Head("command", open="cnpPu"),
    "timeout": Head("command", open="sk", skips=1, long_valued=("--signal", "--kill-after")),
    "time": Head("command", open="fo"),
    "stdbuf": Head("command", open="ioe"),
    "flock": Head("command", code="c", open="wE", skips=1, long_code=("--command",)),
    "xargs": Head("command", open="InPLsdaE", attached="ile"),
    "sshpass": Head("command", open="pfdP"),
    "ssh": Head("line", valued="BbcDEeFIiJLlmOoQRSWw", open="p", skips=1),
    "parallel": Head("line"),
    "watch": Head("line", open="n"),
}

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_STANDARD_INPUT = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


class _Option(NamedTuple):
    takes_next: bool = False
    is_code: bool = False
    is_open: bool = False


class _Options(NamedTuple):
    """A run of options. `at`: the word after them, or a word of data that is the value of one of them (`is_value`).

    `coded`: one of them gave a program. `ended`: nothing behind them is an option any more.
    """

    at: int
    coded: bool
    ended: bool
    is_value: bool = False


def find_injection(words: Sequence[Word], *, stdin: bool) -> int | None:
    """The number of the word whose data would be run as a program; None if there is none.

    `stdin`: the input of the call is on standard input. If that would be run, the answer is the number of all words.
    """
    shown = _with_what_xargs_adds(words) if stdin else words
    for start in range(len(words)):
        found = _walk(shown, start, sure=start == 0)
        if found is not None and (stdin or found < len(words)):
            return min(found, len(words))
    return None


def _walk(words: Sequence[Word], start: int, *, sure: bool) -> int | None:
    """The first word of data that the program at `start` would run; behind the last if it would run standard input.

    `sure`: the word is known to be a program that is run. Otherwise it may be a name that means something else, and
    only what stands behind an option for code is found.
    """
    head = _head(words[start])
    if head is None:
        return None
    read, left, coded = _options(head, words, start + 1), head.skips, False
    while read.at < len(words):
        coded = coded or read.coded
        if coded and read.ended and _is_program_known(head):
            return None
        word = words[read.at]
        assigns = head.runs == "command" and _ASSIGNMENT.match(word.text) is not None
        skipped = assigns or (left > 0 and not (word.data and _may_be_option(word, read)))
        if word.data and (read.is_value or not skipped):
            return read.at if sure or coded or _begins_code(head, word) else None
        if not skipped:
            return _operand(head, words, read.at, sure=sure, coded=coded)
        left -= not assigns
        read = _Options(read.at + 1, coded, True) if read.ended else _options(head, words, read.at + 1)
    return len(words) if sure and head.runs != "command" and not (coded or read.coded) else None


def _head(word: Word) -> Head | None:
    """What is known of a program: by its name, without its folder and version."""
    name = "" if word.data else PurePath(word.text).name
    return _HEADS.get(name) or _HEADS.get(name.rstrip("0123456789."))


def _is_program_known(head: Head) -> bool:
    """Whether an option for code has told the program, so that an operand is one of its arguments."""
    return head.runs == "operand" and head.code_is != "apart"


def _may_be_option(word: Word, read: _Options) -> bool:
    return not read.ended and word.text[:1] in ("", "-")


def _begins_code(head: Head, word: Word) -> bool:
    return word.text.startswith("-") and _option(head, word.text).is_code


def _operand(head: Head, words: Sequence[Word], at: int, *, sure: bool, coded: bool) -> int | None:
    """From the first operand on, which is literal."""
    if head.runs == "command":
        return _walk(words, at, sure=sure)
    if head.runs == "line":
        return next((n for n in range(at, len(words)) if words[n].data), None) if sure or coded else None
    return len(words) if sure and not coded and words[at].text in _STANDARD_INPUT else None


def _options(head: Head, words: Sequence[Word], at: int) -> _Options:
    coded = False
    while at < len(words) and not words[at].data and _is_option(head, words[at].text):
        text = words[at].text
        at += 1
        if text == "--" or (text == "-" and head.code_is == "apart"):
            return _Options(at, coded, ended=True)
        option = _option(head, text)
        coded = coded or option.is_code
        if option.takes_next:
            if at < len(words) and words[at].data and not option.is_open:
                return _Options(at, coded, ended=False, is_value=True)
            at += 1
        if option.is_code and head.code_is == "last":
            return _Options(at, coded, ended=True)
    return _Options(at, coded, ended=False)


def _is_option(head: Head, text: str) -> bool:
    """A single `-` ends the options of a shell, means a login to `su`, and standard input to others."""
    if text == "-":
        return head.code_is == "apart" or head.runs == "line"
    return text.startswith(("-", "+"))


def _option(head: Head, text: str) -> _Option:
    name, equals, _ = text.partition("=")
    if name in head.long_code:
        return _Option(not equals, is_code=True)
    if name in head.long_valued:
        return _Option(not equals, is_open=head.runs == "command")
    if text.startswith("--"):
        return _Option()
    if head.code_is == "apart":
        return _Option(any(letter in head.valued for letter in text), any(letter in head.code for letter in text))
    for at, letter in enumerate(text[1:], 2):
        if letter in head.attached:
            break
        if letter in head.code + head.valued + head.open:
            return _Option(at == len(text), letter in head.code, letter in head.open)
    return _Option()


def _with_what_xargs_adds(words: Sequence[Word]) -> list[Word]:
    """The words as xargs completes them from standard input: at the end, or in place of what `-I` names."""
    start = next((at for at, word in enumerate(words) if PurePath(word.text).name == "xargs" and not word.data), None)
    if start is None:
        return list(words)
    for at in range(start + 1, len(words)):
        option = re.fullmatch(r"-I(.*)|-i(.*)|--replace(?:=(.*))?", words[at].text)
        if option:
            following = words[at + 1].text if words[at].text == "-I" and at + 1 < len(words) else ""
            mark = option[1] or option[2] or option[3] or following or "{}"
            first = at + 2 if words[at].text == "-I" else at + 1
            return [*words[:first], *(_filled(word, mark) for word in words[first:])]
    return [*words, Word("", data=True)]


def _filled(word: Word, mark: str) -> Word:
    before, found, _ = word.text.partition(mark)
    return Word(before, data=True) if found else word
