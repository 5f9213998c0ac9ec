"""Workflows in an editor: what the YAML language server, which most editors ask, makes of our schema.

The server is a program for Node.js. The test installs it once, into the user's cache, and is skipped where there is no
npm, or no registry to install it from.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import GALLERY, REPOSITORY
from tests.support.editor import Editor
from wfrun.app.schemas import bundled

VERSION = "1.19.2"
INSTALLING_S = 180
HEAD = "# yaml-language-server: $schema=workflow.schema.json\n"
STEP = "name: w\nsteps:\n  - "


@pytest.fixture(scope="module")
def server() -> list[str]:
    """The command that runs the language server."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no Node.js with npm, of which the YAML language server is a program")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wfrun-tests"
    folder = cache / f"yaml-language-server-{VERSION}"
    program = folder / "node_modules/yaml-language-server/bin/yaml-language-server"
    if not program.exists():
        _install(npm, folder)
    return [node, str(program), "--stdio"]


def _install(npm: str, folder: Path) -> None:
    """Beside its place first, so that another run never finds half of it."""
    new = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        new.mkdir(parents=True)
        flags = ["--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(new)]
        command = [npm, "install", *flags, f"yaml-language-server@{VERSION}"]
        done = subprocess.run(command, cwd=new, capture_output=True, text=True, timeout=INSTALLING_S, check=False)
        if done.returncode:
            pytest.skip(f"the YAML language server cannot be installed: {done.stderr.strip()[-200:]}")
        if not folder.exists():
            new.rename(folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"the YAML language server cannot be installed: {error}")
    finally:
        shutil.rmtree(new, ignore_errors=True)


class Desk:
    """An editor, and a folder with the schema as `wfrun schema` prints it. In texts `|` is where the cursor stands."""

    def __init__(self, editor: Editor, folder: Path) -> None:
        self._editor = editor
        self._folder = folder
        self._files = 0

    def _open(self, text: str) -> tuple[str, int, int]:
        before, _, after = (HEAD + text).partition("|")
        self._files += 1
        uri = self._editor.open(self._folder / f"w{self._files}.yaml", before + after)
        return uri, before.count("\n"), len(before) - before.rfind("\n") - 1

    def offers(self, text: str) -> set[str]:
        return {item["label"] for item in self._editor.complete(*self._open(text))}

    def hover(self, text: str) -> str:
        return self._editor.hover(*self._open(text)).replace("\\", "")

    def marks(self, text: str) -> dict[tuple[int, int], str]:
        """Line and column, from 1 and without the line of the schema, of what is marked, and what is said of it."""
        found = self._editor.diagnostics(self._open(text)[0])
        return {
            (each["range"]["start"]["line"], each["range"]["start"]["character"] + 1): each["message"] for each in found
        }

    def marks_in(self, path: Path, text: str) -> list[Any]:
        """In a file with that text, which need not be what is on disk."""
        return self._editor.diagnostics(self._editor.open(path, text))


@pytest.fixture(scope="module")
def desk(server: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("editor")
    (folder / "workflow.schema.json").write_text(json.dumps(bundled("workflow")))
    editor = Editor(server, folder)
    yield Desk(editor, folder)
    editor.close()


class TestCompletion:
    def test_the_keys_of_a_workflow(self, desk: Desk) -> None:
        assert {"version", "input", "services", "errorHandling", "steps", "compensations"} <= desk.offers("name: w\n|")

    @pytest.mark.parametrize("around", [STEP, f"{STEP}type: conditional\n    condition: $.x\n    then:\n      - "])
    def test_a_new_step_is_a_call_until_it_has_a_type(self, desk: Desk, around: str) -> None:
        offered = desk.offers(f"{around}|")
        assert {"name", "service", "action", "input", "output", "type", "condition"} <= offered
        assert not offered & {"assignee", "items", "cases", "until"}

    def test_types(self, desk: Desk) -> None:
        schema = json.loads((REPOSITORY / "schemas/workflow.schema.json").read_text())
        assert desk.offers(f"{STEP}type: |") == set(schema["$defs"]["stepType"]["enum"])

    @pytest.mark.parametrize(
        ("type", "keys", "others"),
        [
            (
                "foreach",
                {"items", "as", "concurrency", "tolerate", "steps", "output"},
                {"service", "until", "assignee"},
            ),
            ("repeat", {"until", "maxIterations", "delay"}, {"items", "service"}),
            ("human-task", {"assignee", "form", "onTimeout", "escalation"}, {"service", "steps"}),
            ("wait", {"for", "until", "event", "match", "early"}, {"service", "steps"}),
            ("parallel", {"steps", "complete", "onFailure"}, {"items", "cases"}),
            ("switch", {"cases", "else"}, {"then", "steps"}),
            ("try", {"steps", "catch", "finally"}, {"then", "items"}),
        ],
    )
    def test_the_keys_of_a_type(self, desk: Desk, type: str, keys: set[str], others: set[str]) -> None:
        offered = desk.offers(f"{STEP}type: {type}\n    |")
        assert keys <= offered
        assert not others & offered

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("name: w\nerrorHandling:\n  retryPolicy: |", {"exponential", "linear", "fixed", "none"}),
            ("name: w\nerrorHandling:\n  onFailure: |", {"compensate", "pause"}),
            (f"{STEP}name: a\n    retry: |", {"exponential", "linear", "fixed", "none"}),
            (f"{STEP}name: a\n    onError: |", {"continue"}),
            (f"{STEP}type: human-task\n    name: a\n    onTimeout: |", {"fail", "escalate"}),
            (f"{STEP}type: parallel\n    complete: |", {"all", "any"}),
            ("name: w\ninput:\n  amount: |", {"string", "number", "object", "array"}),
            ("name: w\nservices:\n  pay:\n    adapter: |", {"python", "http", "shell", "mock"}),
        ],
    )
    def test_words(self, desk: Desk, text: str, words: set[str]) -> None:
        offered = desk.offers(text)
        assert words <= offered
        assert "[object Object]" not in offered

    @pytest.mark.parametrize(
        ("text", "keys"),
        [
            (f"{STEP}name: a\n    service: s\n    action: x\n    retry:\n      |", {"policy", "maxRetries", "never"}),
            (f"{STEP}name: a\n    service: s\n    action: x\n    onError:\n      - |", {"error", "condition", "steps"}),
            ("name: w\nservices:\n  pay:\n    adapter: http\n    |", {"baseUrl", "headers", "auth", "actions"}),
        ],
    )
    def test_keys_further_inside(self, desk: Desk, text: str, keys: set[str]) -> None:
        assert keys <= desk.offers(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("na|me: w\n", "The workflow's name"),
        ("name: w\ntime|out: 3d\n", "How long the whole workflow may take"),
        (f"{STEP}na|me: a\n    service: s\n    action: x\n", "The step's durable identity"),
        (
            f"{STEP}name: a\n    service: s\n    action: x\n    dead|line: 1h\n",
            "How long all attempts together may take",
        ),
        (f"{STEP}type: fore|ach\n    items: $.x\n    steps: []\n", "Steps for each element of a list."),
        (f"{STEP}type: foreach\n    ite|ms: $.x\n    steps: []\n", "The list: a path"),
        ("name: w\nerrorHandling:\n  retryPolicy: expo|nential\n", "How the delay between attempts grows"),
    ],
)
def test_hover_tells_what_a_key_is_for(desk: Desk, text: str, told: str) -> None:
    assert told in desk.hover(text)


class TestMarks:
    def test_a_step_that_is_right(self, desk: Desk) -> None:
        assert desk.marks(f"{STEP}{{ name: a, service: s, action: x }}\n") == {}

    def test_a_wrong_key_where_it_stands_and_in_our_words(self, desk: Desk) -> None:
        marks = desk.marks(f"{STEP}type: foreach\n    items: $.x\n    steps: {{ type: end }}\n    concurency: 5\n")
        assert list(marks) == [(6, 5)]
        assert marks[6, 5].startswith("`foreach` needs type, items, steps, and can have")
        assert "concurrency" in marks[6, 5]

    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            (f"{STEP}name: a\n    service: s\n    action: x\n    timeout: soon\n", (6, 14), "a duration: 30s, 5m"),
            ("name: My Flow\nsteps: { type: end }\n", (1, 7), "a name of small letters"),
            (f"{STEP}type: end\n    needs: a\n", (4, 12), "only a branch of `type: parallel` has it"),
            (f"{STEP}type: foreech\n", (3, 11), "foreach"),
            (
                f"{STEP}type: parallel\n    complete: any\n    tolerate: 1\n    steps: [{{ type: end }}]\n",
                (5, 15),
                "`complete` says",
            ),
        ],
    )
    def test_wrong_values(self, desk: Desk, text: str, place: tuple[int, int], words: str) -> None:
        marks = desk.marks(text)
        assert list(marks) == [place]
        assert words in marks[place]


@pytest.mark.parametrize("path", sorted(GALLERY.rglob("*.yaml")), ids=lambda path: str(path.relative_to(GALLERY)))
def test_nothing_is_marked_in_the_gallery(desk: Desk, path: Path) -> None:
    """With the schema that its first line names, in the checkout."""
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=../../schemas/") or path.parent.name == "starter"
    assert desk.marks_in(path, text) == []


def test_but_something_would_be(desk: Desk) -> None:
    path = GALLERY / "order/order.yaml"
    (mark,) = desk.marks_in(path.with_name("other.yaml"), path.read_text().replace("timeout: 2s", "timout: 2s"))
    assert mark["message"].startswith("a service call needs name, service, action")
