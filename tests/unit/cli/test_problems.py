"""What is wrong with files, in each of the formats."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wfrun.cli.commands.checked import FORMATS, check
from wfrun.cli.render.problems import annotation_lines, as_data, lines
from wfrun.cli.render.sarif import log, rule_of
from wfrun.core.plan.lint import RULES
from wfrun.errors import Place, Problem, UsageError

WRONG = Problem("plan.unknown-path", "$.x is never set", Place("a.yaml", 3, 5, "steps[0].input"), "did you mean $.y?")
ADVICE = Problem("lint.no-deadline", "waits forever", Place("a.yaml", 7, 1, "steps[1]"), severity="warning")
ELSEWHERE = Problem("service.adapter", "no adapter 'x'", Place("services.yaml", 1, 2))
NOWHERE = Problem("yaml.size", "too large")
FOUND = {"a.yaml": [WRONG, ADVICE, ELSEWHERE], "b.yaml": [ELSEWHERE], "c.yaml": []}


def is_error(problem: Problem) -> bool:
    return problem.severity == "error"


def test_text_tells_each_problem_once_and_how_each_file_stands() -> None:
    assert "\n".join(lines(FOUND, is_error)).splitlines() == [
        "a.yaml:3:5: error[plan.unknown-path] $.x is never set",
        "  hint: did you mean $.y?",
        "a.yaml:7:1: warning[lint.no-deadline] waits forever",
        "services.yaml:1:2: error[service.adapter] no adapter 'x'",
        "a.yaml: not valid",
        "services.yaml: not valid",
        "c.yaml: valid",
    ]
    assert list(lines({"a.yaml": [ADVICE]}, is_error))[-1] == "a.yaml: valid"
    assert list(lines({"a.yaml": [ADVICE]}, bool))[-1] == "a.yaml: not valid"


def test_data() -> None:
    data = as_data(FOUND, is_error)
    assert (data["workflow"], data["valid"], len(data["problems"])) == (None, False, 3)
    assert data["workflows"] == [
        {"workflow": "a.yaml", "valid": False},
        {"workflow": "b.yaml", "valid": False},
        {"workflow": "c.yaml", "valid": True},
    ]
    assert as_data({"c.yaml": [ADVICE]}, is_error) | {"problems": []} == {
        "workflow": "c.yaml",
        "valid": True,
        "workflows": [{"workflow": "c.yaml", "valid": True}],
        "problems": [],
    }


class TestAnnotations:
    def one(self, problem: Problem) -> str:
        (line,) = annotation_lines({"w.yaml": [problem]})
        return line

    def test_in_full(self) -> None:
        assert self.one(WRONG) == (
            "::error file=a.yaml,line=3,col=5,title=plan.unknown-path::$.x is never set%0Ahint: did you mean $.y?"
        )
        assert self.one(ADVICE).startswith("::warning file=a.yaml,line=7,col=1,title=lint.no-deadline::")

    def test_without_a_place_the_workflow_is_named(self) -> None:
        assert self.one(NOWHERE) == "::error file=w.yaml,title=yaml.size::too large"

    def test_what_would_end_a_value_is_escaped(self) -> None:
        odd = Problem("a", "50%, ok::\n::error::x", Place("d,ir/x:y%.yaml", 1, 1))
        assert self.one(odd) == "::error file=d%2Cir/x%3Ay%25.yaml,line=1,col=1,title=a::50%25, ok::\\x0a::error::x"


class TestSarif:
    """The essentials of sarif-schema-2.1.0.json: required members, their types, and that what refers to others fits."""

    def run(self, found: dict[str, list[Problem]]) -> dict[str, Any]:
        value = json.loads(json.dumps(log(found)))
        assert (value["version"], len(value["runs"])) == ("2.1.0", 1)
        assert value["$schema"].endswith("sarif-schema-2.1.0.json")
        run: dict[str, Any] = value["runs"][0]
        assert run["tool"]["driver"]["name"] == "wfrun"
        assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        return run

    def test_every_result_has_its_rule_and_place(self) -> None:
        run = self.run(FOUND)
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules) == 3
        assert len(run["results"]) == 3
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in ("none", "note", "warning", "error")
            assert result["message"]["text"]
            (location,) = result["locations"]
            region = location["physicalLocation"]["region"]
            assert region["startLine"] >= 1
            assert region["startColumn"] >= 1

    def test_every_rule_says_what_it_is_about(self) -> None:
        for rule in self.run(FOUND)["tool"]["driver"]["rules"]:
            assert rule["shortDescription"]["text"].endswith(".")
            assert rule["help"]["text"].endswith(".")
            assert rule["defaultConfiguration"]["level"] in ("warning", "error")

    def test_a_result(self) -> None:
        result = self.run({"a.yaml": [WRONG]})["results"][0]
        assert result == {
            "ruleId": "plan.unknown-path",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "$.x is never set\ndid you mean $.y?"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "a.yaml"},
                        "region": {"startLine": 3, "startColumn": 5},
                    },
                    "logicalLocations": [{"fullyQualifiedName": "steps[0].input"}],
                }
            ],
        }

    def test_nothing_wrong(self) -> None:
        run = self.run({"a.yaml": []})
        assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])

    def test_a_problem_of_a_whole_file_has_no_region(self) -> None:
        (location,) = self.run({"w.yaml": [NOWHERE]})["results"][0]["locations"]
        assert location == {"physicalLocation": {"artifactLocation": {"uri": "w.yaml"}}}

    @pytest.mark.parametrize(
        ("file", "uri"),
        [("a b.yaml", "a%20b.yaml"), ("ü/x#1.yaml", "%C3%BC/x%231.yaml"), ("/srv/a.yaml", "file:///srv/a.yaml")],
    )
    def test_files_are_uris(self, file: str, uri: str) -> None:
        (location,) = self.run({file: [NOWHERE]})["results"][0]["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == uri

    @pytest.mark.parametrize("family", ["yaml", "schema", "field", "plan", "expression", "service", "workflow", "file"])
    def test_codes_without_an_entry_have_the_words_of_their_family(self, family: str) -> None:
        assert rule_of(f"{family}.x").help
        assert f"{family}.x" not in RULES


def test_every_family_of_codes_has_words() -> None:
    """Codes as they stand in the sources of those who find problems with workflows."""
    source = Path(__file__).parent.parent.parent.parent / "wfrun"
    texts = [path.read_text() for room in ("load", "core/plan", "adapters") for path in (source / room).rglob("*.py")]
    codes = {code for text in texts for code in re.findall(r'Problem\(\s*f?"([a-z]+\.[a-z-]+)"', text)}
    assert len(codes) > 10
    generic = rule_of("nothing.like-it").about
    assert [code for code in sorted(codes) if rule_of(code).about == generic] == []


def test_an_unknown_format_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match="xml"):
        check(("none.yaml",), lambda _: [WRONG], is_error, "xml", False)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_printed(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(("a.yaml",), lambda _: [ADVICE], is_error, format, False) == 0
    assert check(("a.yaml",), lambda _: [ADVICE], bool, format, False) == 3
    assert "lint.no-deadline" in capsys.readouterr().out
