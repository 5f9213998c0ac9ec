"""What our pages say is so: their examples are run, their links lead somewhere, their commands and options exist."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.pages import (
    PAGES,
    anchors,
    blocks,
    command_lines,
    examples,
    ids_in,
    is_shown,
    links,
    name_of,
)
from tests.support.shell import ROOT, shell
from wfrun.cli.declare import COMMANDS, GROUPS, Opt, command_in, load
from wfrun.cli.engine import OPTIONS, SWITCHES
from wfrun.cli.main import EXIT_CODE_HELP

BY_NAME = {name_of(page): page.read_text() for page in PAGES}
WITH_EXAMPLES = [name for name, text in BY_NAME.items() if examples(text)]
ALWAYS = {"--help", "-h"}


def flags(command: str) -> set[str]:
    metas = [parameter.meta for parameter in load(command).parameters]
    return ALWAYS | {*OPTIONS, *SWITCHES} | {flag for meta in metas if isinstance(meta, Opt) for flag in meta.flags}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout as it is before anybody ran anything."""
    for folder in ("workflows", "schemas"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".*", "*.sqlite")
        )
    return tmp_path


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_examples_do_what_the_page_says(page: str, checkout: Path) -> None:
    ids: set[str] = set()
    for example in examples(BY_NAME[page]):
        answer = shell(example.command, checkout / example.folder)
        told = f"{page}:{example.line}: $ {example.command}\n{answer.out}"
        came = answer.out.splitlines()
        assert answer.code == example.code, told
        ids |= ids_in(came) | ids_in(example.output or [])
        assert example.output is None or is_shown(example.output, came, ids), told


def test_the_first_page_has_examples() -> None:
    assert {"README.md"} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("page", BY_NAME)
def test_links_lead_somewhere(page: str) -> None:
    for target in links(BY_NAME[page]):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(file.read_text()), f"{page}: {target}"


@pytest.mark.parametrize("page", BY_NAME)
def test_tests_that_are_named_exist(page: str) -> None:
    for test, path in re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", BY_NAME[page]):
        assert f"def {test}(" in ((ROOT / page).parent / path).read_text(), f"{page}: {test}"


@pytest.mark.parametrize("page", [name for name in BY_NAME if name != "docs/errors.md"])  # which shows wrong ones
def test_commands_and_options_exist(page: str) -> None:
    for line in command_lines(BY_NAME[page]):
        words = line.split()[1:]
        command = command_in(words) or (words[0] if words else "")
        if command in COMMANDS:
            used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
            assert used <= flags(command), f"{page}: {line}"
        else:
            unknown = re.fullmatch(r"[a-z]+", command) and words not in [[group] for group in GROUPS]
            assert not unknown, f"{page}: there is no {line!r}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_has_its_place_in_the_reference(command: str) -> None:
    reference = BY_NAME["docs/cli.md"]
    assert f"wfrun {command}" in reference
    missing = [flag for flag in flags(command) - ALWAYS if flag.startswith("--") and flag not in reference]
    assert missing == []


def test_the_exit_codes_are_told_alike_everywhere() -> None:
    for code in re.findall(
        r"(\d+) (?:completed|failed|usage|invalid|waiting|compensated|needs|cancelled|inter)", EXIT_CODE_HELP
    ):
        assert re.search(rf"^\| *`?{code}`? *\|", BY_NAME["docs/cli.md"], re.MULTILINE), code


@pytest.mark.parametrize("page", BY_NAME)
def test_no_page_is_without_a_way_to_it(page: str) -> None:
    index = {(ROOT / "docs" / target.partition("#")[0]).resolve() for target in links(BY_NAME["docs/index.md"])}
    if page.startswith("docs/") and page != "docs/index.md":
        assert (ROOT / page).resolve() in index


def test_workflows_on_the_first_page_are_valid(checkout: Path) -> None:
    shown = ["\n".join(block.text) for block in blocks(BY_NAME["README.md"]) if block.language == "yaml"]
    assert shown
    for number, text in enumerate(shown):
        (checkout / "workflows" / "order" / f"shown{number}.yaml").write_text(text)
        answer = shell(f"wfrun validate workflows/order/shown{number}.yaml", checkout)
        assert answer.code == 0, answer.out


# ---- the reader of pages itself: a check that cannot fail is none

PAGE = """
# One & two: `three`

[here](#one--two-three) [there](other.md) [out](https://example.com)

<!-- run in workflows/order -->
```console
$ wfrun list --limit 1  # exit code 2
EXECUTION  WORKFLOW
...
$ echo done
done
```

```sh
wfrun nothing | wfrun else
```
"""


def test_examples_are_found() -> None:
    first, second = examples(PAGE)
    assert first == (8, "workflows/order", "wfrun list --limit 1", 2, ["EXECUTION  WORKFLOW", "..."])
    assert second == (11, "workflows/order", "echo done", 0, ["done"])


def test_links_headings_and_commands_are_found() -> None:
    assert links(PAGE) == ["#one--two-three", "other.md"]
    assert anchors(PAGE) == {"one--two-three"}
    assert command_lines(PAGE) == ["wfrun list --limit 1", "wfrun nothing"]


@pytest.mark.parametrize(
    ("shown", "came", "same"),
    [
        ("a", "a", True),
        ("a", "a\nb", False),
        ("a\n...", "a\nb", True),
        ("a\n...\nc", "a\nb\nc", True),
        ("a\n...\nc", "a\nb\nd", False),
        ("...\nb\n...\nd\n...", "a\nb\nc\nd\ne", True),
        ("...\nd\n...\nb\n...", "a\nb\nc\nd\ne", False),
        ("...\nb\nc\n...", "a\nb\nx\nc", False),
        ("k7m2x9qd · took 3ms", "01234567 · took 1.5s", True),
        ("k7m2x9qd · completed", "01234567 · failed", False),
        ("execution k7m2x9qd\nwfrun log k7m2x9qd", "execution 01234567\nwfrun log 01234567", True),
        ("execution k7m2x9qd\nwfrun log k7m2x9qd", "execution 01234567\nwfrun log k7m2x9qe", False),
        ("happened", "occurred", False),
        ("at 2026-11-23 09:00:00Z", "at 2027-01-01 10:11:12Z", True),
        ("$729.58", "$729.59", False),
    ],
)
def test_what_is_shown_is_compared(shown: str, came: str, same: bool) -> None:
    assert is_shown(shown.splitlines(), came.splitlines()) is same


def test_ids_that_are_known_may_differ() -> None:
    assert is_shown(["k7m2x9qd  $5"], ["01234567  $5"], ["k7m2x9qd", "01234567"])
    assert not is_shown(["k7m2x9qd  $5"], ["01234567  $5"])
