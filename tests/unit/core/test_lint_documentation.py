"""docs/lint.md tells every code, with an example that gets the advice and one that does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.pages import PAGES, blocks, name_of
from wfrun.core.plan import examine_plan
from wfrun.core.plan.lint import RULES, lint
from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import load_definition

PAGE = (Path(__file__).parent.parent.parent.parent / "docs/lint.md").read_text()
# A comment in an example looks like a heading.
MARKED = re.sub(r"^# (bad|good)$", r"> \1", PAGE, flags=re.MULTILINE)
SECTIONS: dict[str, str] = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^#|\Z)", MARKED, re.DOTALL | re.MULTILINE))


def example(code: str, kind: str) -> bytes:
    found = re.findall(rf"```yaml\n> {kind}\n(.*?)```", SECTIONS[code], re.DOTALL)
    assert len(found) == 1
    return str(found[0]).encode()


def said(source: bytes) -> list[Problem]:
    try:
        plan, problems = examine_plan(load_definition(source, "example.yaml"))
    except InvalidError as invalid:
        return list(invalid.problems)
    return [*problems, *lint(plan)]


def test_every_code_has_a_section() -> None:
    assert list(SECTIONS) == list(RULES)


@pytest.mark.parametrize("code", RULES)
def test_the_bad_example_gets_the_advice(code: str) -> None:
    found = {problem.code: problem for problem in said(example(code, "bad"))}
    assert list(found) == [code]
    assert (found[code].severity, bool(found[code].place.line)) == ("warning", True)


@pytest.mark.parametrize("code", RULES)
def test_the_good_example_gets_none(code: str) -> None:
    assert said(example(code, "good")) == []


@pytest.mark.parametrize("code", [code for code in RULES if code.startswith("lint.")])
def test_the_author_has_the_last_word(code: str) -> None:
    ignored = b"\nmetadata: { ignore: [%b] }\n" % code.encode()
    assert said(example(code, "bad") + ignored) == []


def whole_workflows() -> list[tuple[str, bytes]]:
    """Every example of a page that is a workflow of its own, with the line where it begins."""
    found = []
    for page in PAGES:
        for block in blocks(page.read_text()) if page.name not in ("lint.md", "errors.md") else ():
            text = "\n".join(block.text) + "\n"
            if (
                block.language == "yaml"
                and re.search(r"^name:", text, re.MULTILINE)
                and re.search(r"^steps:", text, re.MULTILINE)
            ):
                found.append((f"{name_of(page)}:{block.line}", text.encode()))
    return found


@pytest.mark.parametrize("source", [pytest.param(source, id=place) for place, source in whole_workflows()])
def test_examples_of_other_pages_need_no_advice(source: bytes) -> None:
    """But what is due to their being excerpts: they show one thing, and end before the rest."""
    assert {problem.code for problem in said(source)} <= {"lint.unused-output", "lint.no-deadline"}
