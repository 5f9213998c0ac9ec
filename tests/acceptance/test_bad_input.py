"""Bad input, a case for each promise: one clear error with its place, the documented exit code, soon, in little memory.

Each command is a process that may use 256 MB and so much processor time, and is killed if it wants more. It leaves
nothing behind, and says the same when it is asked again.
"""

from __future__ import annotations

import re
import resource
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell

MEMORY = 256 * 1024 * 1024
CPU_S = 2
# A machine that is shared by others counts more time for the same work.
SLACK = 3
FINE = b"name: w\nservices: { m: { adapter: mock } }\nsteps: { name: s, service: m, action: x, output: s }\n"


class Answer(NamedTuple):
    code: int
    errors: list[str]
    cpu_s: float


def asked(shell: Shell, *arguments: str, stdin: bytes = b"") -> Answer:
    """A command within its limits. It may not say anything but errors and what to do about them."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S * SLACK, CPU_S * SLACK))

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        shell.command(*arguments),
        cwd=shell.folder,
        env=shell.variables(),
        input=stdin,
        capture_output=True,
        preexec_fn=limit,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = (done.stdout + done.stderr).decode().splitlines()
    assert not any("Traceback" in line or "MemoryError" in line for line in lines), lines
    errors = [line for line in lines if "error[" in line]
    told = [line for line in lines if not line.startswith("  hint: ") and not re.search(r"(error|warning)\[", line)]
    assert told in ([], ["w.yaml: not valid"])
    assert all(len(line) < 500 for line in lines), lines
    return Answer(done.returncode, errors, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def nested(levels: int) -> bytes:
    return b"a:\n" + b"".join(b" " * level + b"b:\n" for level in range(1, levels))


def times_five(letter: int) -> bytes:
    return b"%c: &%c [*%c,*%c,*%c,*%c,*%c]\n" % (letter, letter, *[letter - 1] * 5)


def many(line: bytes, times: int) -> bytes:
    return b"".join(line % number for number in range(times))


YAML = {
    "duplicate key": (b"name: w\nname: v\n", "2:1: error[yaml.duplicate-key]"),
    "keys 1 and '1'": (b'input:\n  1: string\n  "1": string\n', "3:3: error[yaml.duplicate-key]"),
    "tag": (b"name: !!python/object:os.system x\n", "1:7: error[yaml.tag]"),
    "recursive alias": (b"a: &a [*a]\n", "1:8: error[yaml.alias]"),
    "unknown alias": (b"a: *b\n", "1:4: error[yaml.alias]"),
    "several documents": (FINE + b"---\n" + FINE, "4:1: error[yaml.documents]"),
    "alias bomb": (b"a: &a [x]\n" + b"".join(map(times_five, range(98, 120))), "error[yaml.size]"),
    "depth bomb": (nested(300), "error[yaml.depth]"),
    "100,000 brackets": (b"a: " + b"[" * 100_000, "1:67: error[yaml.depth]"),
    "merge key": (b"a: &a {}\nb: { <<: *a }\n", "2:6: error[yaml.key]"),
    "byte order mark": (b"\xef\xbb\xbf" + FINE, "1:1: error[yaml.encoding]"),
    "UTF-16": (FINE.decode().encode("utf-16"), "1:1: error[yaml.encoding]"),
    "invalid UTF-8": (b"name: w\xff\n", "1:8: error[yaml.encoding]"),
    "NUL": (b"name: w\0\n", "1:8: error[yaml.character]"),
    "half of a surrogate pair": (b'name: "\\ud800"\n', "1:7: error[yaml.escape]"),
    "1e999": (b"a: 1e999\n", "1:4: error[yaml.number]"),
    "NaN": (b"a: .nan\n", "1:4: error[yaml.number]"),
    "more than 1 MiB": (b"#" * 1_100_000, "error[yaml.size]"),
    "more than 50,000 values": (b"a: [" + b"1," * 50_000 + b"1]\n", "error[yaml.size]"),
    "no workflow": (b"[1]\n", "1:1: error[schema.type]"),
    "nothing": (b"", "1:1: error[schema.type]"),
    "unknown key": (FINE.replace(b"service:", b"servce:"), "3:19: error[schema.unknown-key]"),
}  # fmt: skip


@pytest.mark.parametrize("name", YAML)
@pytest.mark.parametrize("command", ["validate", "run"])
def test_a_workflow_that_cannot_be_accepted(shell: Shell, command: str, name: str) -> None:
    source, words = YAML[name]
    (shell.folder / "w.yaml").write_bytes(source)
    answer = asked(shell, command, "w.yaml")
    assert answer.code == 3
    assert any(words in line for line in answer.errors), answer.errors
    assert answer.errors[0].startswith("w.yaml:")
    assert not (shell.folder / ".wfrun" / "executions").exists()
    assert asked(shell, command, "w.yaml")[:2] == answer[:2]


JSON = {
    "NaN": (b'{"a": NaN}', "1:7: error[json.number]"),
    "Infinity": (b'{"a": -Infinity}', "1:7: error[json.number]"),
    "1e999": (b'{"a": 1e999}', "1:7: error[json.number]"),
    "a very long number": (b'{"a": ' + b"1" * 5000 + b"}", "1:7: error[json.number]"),
    "half of a surrogate pair": (b'{"a": "\\ud800"}', "1:7: error[json.text]"),
    "duplicate key": (b'{"a": 1,\n "a": 2}', "2:2: error[json.duplicate-key]"),
    "invalid UTF-8": (b'{"a": "\xff"}', "1:8: error[json.encoding]"),
    "byte order mark": (b"\xef\xbb\xbf{}", "1:1: error[json.encoding]"),
    "100,000 brackets": (b"[" * 100_000, "1:65: error[json.depth]"),
    "100,000 pairs of brackets": (b"[" * 100_000 + b"]" * 100_000, "1:65: error[json.depth]"),
    "empty": (b"", "1:1: error[json.syntax]"),
    "NUL": (b'{"a": "\0"}', "error[json.syntax]"),
    "more than 128 MiB": (b'"' + b"x" * (128 * 1024 * 1024) + b'"', "error[json.size]"),
    "more than a million values": (b"[" + b"1," * 1_000_001 + b"1]", "error[json.size]"),
}


@pytest.mark.parametrize("name", JSON)
def test_an_input_that_is_no_json(shell: Shell, name: str) -> None:
    source, words = JSON[name]
    (shell.folder / "w.yaml").write_bytes(FINE)
    (shell.folder / "i.json").write_bytes(source)
    for arguments, stdin, file in ((("i.json",), b"", "i.json"), (("-",), source, "<stdin>")):
        answer = asked(shell, "run", "w.yaml", "--input", *arguments, stdin=stdin)
        assert (answer.code, len(answer.errors)) == (3, 1)
        assert answer.errors[0].startswith(f"{file}:")
        assert words in answer.errors[0]
    assert not (shell.folder / ".wfrun" / "executions").exists()


IDS = [
    *("../x", "-rf", "/etc/passwd", ".", "..", "", " ", "A", "a b", "a/b"),
    *("a\n", "a\x1b[2J", "ä", "a" * 65, "a:b", "a@1", "\udcff"),
]


@pytest.mark.parametrize("id", IDS, ids=ascii)
def test_an_id_that_is_none(shell: Shell, id: str) -> None:
    (shell.folder / "w.yaml").write_bytes(FINE)
    answer = asked(shell, "run", "w.yaml", "--id", id)
    assert (answer.code, len(answer.errors)) == (2, 1)
    assert not (shell.folder / ".wfrun" / "executions").exists()
    for command in ("status", "resume", "log", "cancel"):
        found = asked(shell, command, id)
        assert (found.code, len(found.errors)) == (2, 1), command
    assert {path.name for path in shell.folder.iterdir()} <= {"w.yaml", ".wfrun"}


def test_an_id_with_nul_is_none(shell: Shell) -> None:
    """No process is given a NUL as an argument, but a batch takes ids out of its inputs."""
    (shell.folder / "w.yaml").write_bytes(FINE)
    (shell.folder / "i.jsonl").write_bytes(b'{"id": "a\\u0000b"}\n{"id": "../x"}\n{"id": "-rf"}\n')
    done = shell.wfrun("batch", "w.yaml", "--inputs", "i.jsonl", "--id", "$.id")
    assert done.err.count("error[execution.id]") + done.out.count("error[execution.id]") == 3
    assert not (shell.folder / "x").exists()
    assert shell.wfrun("list", "--json").json("list") == {"executions": []}


EXPRESSIONS = {
    "an attribute of Python": "$.s.__class__",
    "a call of Python": "${__import__('os').system('touch owned')}",
    "a method": "${$.s.upper()}",
    "no end": "${1 +}",
    "100,000 brackets": "${" + "(" * 9_000 + "}",
    "too long": "${" + "1+" * 50_000 + "1}",
    "a path that nothing sets": "$.nothing",
    "a near miss": "$.exection.id",
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_that_has_no_value(shell: Shell, name: str) -> None:
    """Refused beforehand, or the step fails with where, and which step."""
    given = b'output: s, input: { x: "%s" }' % EXPRESSIONS[name].encode()
    (shell.folder / "w.yaml").write_bytes(FINE.replace(b"output: s", given))
    done = shell.wfrun("run", "w.yaml")
    assert done.code in (1, 3), done.out
    assert "expression." in done.out + done.err or "plan." in done.err
    assert "w.yaml:3:" in done.out + done.err or "(in s)" in done.out
    assert not (shell.folder / "owned").exists()


def test_a_condition_is_true_or_false_and_nothing_else(shell: Shell) -> None:
    (shell.folder / "w.yaml").write_bytes(FINE.replace(b"output: s", b"output: s, condition: $.n"))
    for value in ("1", "0", '"true"', "null", "[]"):
        done = shell.wfrun("run", "w.yaml", "--set", f"n={value}")
        assert done.code == 1, value
        assert "expression.type" in done.out, value


LARGEST = {
    "keys that nobody knows": many(b"key%d: 1\n", 24_900),
    "steps with keys that nobody knows": b"name: w\nsteps:\n" + many(b"- { nme: s%d, srvice: m }\n", 12_000),
    "compensations of nothing": FINE + b"compensations:\n" + many(b"  c%d: { service: m, action: x }\n", 8_000),
    "services without an adapter": b"services:\n" + many(b"  m%d: { adapter: mokc }\n", 4_000),
    "anchors": b"[" + many(b"&a%d x,", 49_000) + b"x]",
    "empty mappings": b"- {}\n" * 49_000,
}


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_files_are_refused_soon(shell: Shell, name: str) -> None:
    """None takes much longer than reading it: the time grows with the size, not faster."""
    (shell.folder / "w.yaml").write_bytes(LARGEST[name])
    answer = asked(shell, "validate", "w.yaml")
    assert answer.code == 3
    assert answer.cpu_s < CPU_S * SLACK
