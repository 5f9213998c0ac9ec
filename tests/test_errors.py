"""The catalogue of errors has every code of the source, and no other, and each shows what comes of its example.

A code that is new gets an entry in docs/errors.md: a heading of the third level in the area where it belongs, one
sentence on what it means, the smallest example as files and commands without any output, and a line `What to do: …`.
Then `python -m tests.support.catalogue CODE` writes what the commands say. What no command can show links to the test
that shows it. The same command, without a code, brings the page up to date when messages have changed: read what it
changed before you commit it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.catalogue import PAGE, REMEDY, Entry, answers, entries, excerpt, pattern_of
from tests.support.codes import codes_in_source
from tests.support.pages import is_shown
from tests.support.zygote import Zygote

TEXT = PAGE.read_text()
ENTRIES = entries(TEXT)
TOLD = [code for entry in ENTRIES for code in entry.codes]
WITH_EXAMPLE = [entry for entry in ENTRIES if entry.examples]
CODES = codes_in_source()
HOW = "(how an entry is made stands at the top of tests/test_errors.py)"


def name_of(entry: Entry) -> str:
    return "+".join(entry.codes)


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with Zygote(tmp_path_factory.mktemp("zygote"), {}) as zygote:
        yield zygote


def test_every_code_of_the_source_is_in_the_catalogue() -> None:
    missing = [f"{code}, from {place}" for code, place in CODES.items() if code not in TOLD]
    assert not missing, f"docs/errors.md lacks {'; '.join(missing)} {HOW}"


def test_every_code_of_the_catalogue_is_in_the_source() -> None:
    gone = [code for code in TOLD if code not in CODES]
    assert not gone, f"docs/errors.md still has {', '.join(gone)}, which nothing says any more"


def test_a_code_that_is_made_of_parts_is_known() -> None:
    """One that is not would stand here as it is written: it has to be listed in tests/support/codes.py (MADE)."""
    assert [f"{code}, from {place}" for code, place in CODES.items() if not re.fullmatch(r"[\w.<>-]+", code)] == []


def test_no_code_stands_twice() -> None:
    assert sorted(TOLD) == sorted({*TOLD})


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_an_entry_says_what_it_means_and_what_to_do(entry: Entry) -> None:
    where = f"docs/errors.md:{entry.line}: {name_of(entry)}"
    assert re.match(r"[A-Z`]", entry.meaning), f"{where} does not say what it means"
    assert entry.remedy, f"{where} has no line `{REMEDY}…`"
    assert entry.examples or entry.tests, f"{where} has neither an example nor a link to a test"


@pytest.mark.parametrize("entry", WITH_EXAMPLE, ids=name_of)
def test_an_example_does_what_the_page_says(entry: Entry, tmp_path: Path, zygote: Zygote) -> None:
    for example, answer in answers(entry, tmp_path, zygote):
        line = entry.line + example.line
        told = f"docs/errors.md:{line}: $ {example.command}\n{answer.out}\n(exit code {answer.code}) {HOW}"
        assert "Traceback" not in answer.out, told
        assert answer.code == example.code, told
        assert is_shown(example.output or [], answer.out.splitlines()), told


@pytest.mark.parametrize("entry", WITH_EXAMPLE, ids=name_of)
def test_an_example_shows_its_code(entry: Entry) -> None:
    shown = [line for example in entry.examples for line in example.output or []]
    for code, pattern in zip(entry.codes, entry.patterns, strict=True):
        assert any(pattern.search(line) for line in shown), f"docs/errors.md:{entry.line}: {code} is not shown"


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if not entry.examples], ids=name_of)
def test_a_test_that_is_named_instead_is_about_the_code(entry: Entry) -> None:
    texts = [path.read_text() for test, path in entry.tests if f"def {test}(" in path.read_text()]
    for code in entry.codes:
        pattern = re.compile(re.escape(code).replace("<system>", r"\w+"))
        assert any(pattern.search(text) for text in texts), f"docs/errors.md:{entry.line}: no test is about {code}"


# ---- the reader of the catalogue itself: a check that cannot fail is none


def test_an_entry_is_read() -> None:
    page = """
## Area

```yaml
name: shared
```

### `a.b`, `http.<status>`

It is wrong.

```yaml
# other.yaml
name: other
```
```console
$ wfrun validate other.yaml  # exit code 3
error[a.b] wrong
```

What to do: Correct it.

## Next

Nothing.
"""
    (entry,) = entries(page)
    assert (entry.codes, entry.line, entry.meaning) == (("a.b", "http.<status>"), 8, "It is wrong.")
    assert entry.files == {"w.yaml": "name: shared\n", "other.yaml": "# other.yaml\nname: other\n"}
    assert entry.remedy == "Correct it."
    (example,) = entry.examples
    assert page.splitlines()[entry.line + example.line - 1].startswith("$ wfrun")
    assert (example.command, example.code, example.output) == ("wfrun validate other.yaml", 3, ["error[a.b] wrong"])


@pytest.mark.parametrize(
    ("code", "text", "shown"),
    [
        ("usage", "error[usage] x", True),
        ("usage", "error[usage.set] x", False),
        ("http.<status>", "Error  http.503: busy", True),
        ("http.<status>", "Error  http.too-large.x", False),
        ("timeout", "Error  task.timeout: late", False),
    ],
)
def test_codes_are_found_in_what_is_printed(code: str, text: str, shown: bool) -> None:
    assert bool(pattern_of(code).search(text)) is shown


def test_what_is_shown_is_what_is_about_the_code() -> None:
    out = "one\nerror[a.b] wrong\n  hint: right\ntwo\n\nerror[a.c] else\n"
    assert excerpt(out, [pattern_of("a.b")]) == ["...", "error[a.b] wrong", "  hint: right", "..."]
    assert excerpt("one\ntwo\n", [pattern_of("a.b")]) == ["one", "two"]
    ended = "1 failed a.b\n2 ended a.b\nrow\nError  a.b: wrong\n"
    assert excerpt(ended, [pattern_of("a.b")]) == ["...", "Error  a.b: wrong"]


def test_codes_are_found_in_the_source() -> None:
    assert {"usage", "timeout", "failed", "plan.duplicate-name", "task.unknown", "shell.exit-<code>"} <= CODES.keys()
    assert "execution.ended" in CODES  # a fact of that name, too
    assert not {"step.started", "journal.synced", "index.sqlite"} & CODES.keys()
