from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import ROOT, a_call, ask, config, pool
from wfrun.adapters.registry import Services, open_service
from wfrun.core.values import Json
from wfrun.errors import InvalidError, ServiceError


def mock(**settings: Any) -> dict[str, Any]:
    return {"adapter": "mock", **settings}


def answers(settings: dict[str, Any], calls: int, *, action: str = "pay", folder: Path = Path()) -> list[Json]:
    """The results of several calls of one execution; for an error, its type."""

    async def one(services: Services) -> Json:
        try:
            return await services.call(a_call(action, {"n": 1}))
        except ServiceError as error:
            return error.type

    async def all_of_them() -> list[Json]:
        async with pool(settings, folder) as services:
            return [await one(services) for _ in range(calls)]

    return asyncio.run(all_of_them())


def test_a_bare_mock_answers_null_to_everything() -> None:
    assert ask(mock(), "anything") is None


def test_one_answer_repeats() -> None:
    assert answers(mock(actions={"pay": {"result": [1, 2]}}), 2) == [[1, 2], [1, 2]]


def test_a_list_answers_by_call_number_and_the_last_repeats() -> None:
    script = [{"error": {"type": "http.503"}}, {"result": "ok"}]
    assert answers(mock(actions={"pay": script}), 4) == ["http.503", "ok", "ok", "ok"]


def test_every_execution_hears_the_script_from_its_beginning() -> None:
    async def scenario() -> list[Json]:
        async with pool(mock(actions={"pay": [{"result": 1}, {"result": 2}]})) as services:
            return [await services.call(a_call("pay", execution=each)) for each in ("a", "b", "a", "b")]

    assert asyncio.run(scenario()) == [1, 1, 2, 2]


def test_an_error_has_all_its_parts() -> None:
    error = {
        "type": "bank.busy",
        "message": "later",
        "status": 429,
        "details": [1],
        "retryable": True,
        "retryAfterMs": 50,
    }
    with pytest.raises(ServiceError) as caught:
        ask(mock(actions={"pay": {"error": error}}), "pay")
    got = caught.value
    assert (got.type, got.message, got.status, got.details) == ("bank.busy", "later", 429, [1])
    assert (got.retryable, got.retry_after_ms) == (True, 50)


def test_a_result_can_use_the_input() -> None:
    settings = mock(actions={"pay": {"result": {"id": "$.order.id", "note": "for ${$.order.id}", "all": "$"}}})
    order: dict[str, Json] = {"order": {"id": "A1"}}
    assert ask(settings, "pay", order) == {"id": "A1", "note": "for A1", "all": order}


def test_what_an_error_says_may_hold_the_input() -> None:
    error = {"type": "card.declined", "message": "no ${$.amount} for ${$.who}", "details": {"who": "$.who"}}
    with pytest.raises(ServiceError) as caught:
        ask(mock(actions={"pay": {"error": error}}), "pay", {"amount": 5, "who": "ann"})
    assert (caught.value.message, caught.value.details) == ("no 5 for ann", {"who": "ann"})
    with pytest.raises(ServiceError, match=r"more than \$5$"):
        ask(mock(actions={"pay": {"error": {"type": "card.declined", "message": "more than $5"}}}), "pay")


def test_an_error_that_needs_what_the_input_lacks_says_so() -> None:
    error = {"type": "card.declined", "message": "${$.missing}"}
    assert answers(mock(actions={"pay": {"error": error}}), 1) == ["expression.undefined"]


def test_a_result_that_needs_what_the_input_lacks_is_an_error() -> None:
    assert answers(mock(actions={"pay": {"result": "$.missing"}}), 1) == ["expression.undefined"]


def test_an_action_that_is_not_scripted_is_an_error_unless_there_is_a_default() -> None:
    assert answers(mock(actions={"other": {}}), 1) == ["mock.unscripted"]
    assert answers(mock(actions={"other": {}}, default={"result": 7}), 1) == [7]


@pytest.mark.parametrize("delay", [50, "50ms"])
def test_a_delayed_answer_comes_later(delay: int | str) -> None:
    began = time.monotonic()
    assert ask(mock(actions={"pay": {"delay": delay, "result": 1}}), "pay") == 1
    assert time.monotonic() - began >= 0.05


def test_a_hanging_call_can_be_cancelled(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pool(mock(actions={"pay": {"hang": True}}, record="calls.jsonl"), tmp_path) as services:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await services.call(a_call("pay"))

    asyncio.run(scenario())
    assert [(line["phase"], line.get("outcome")) for line in lines(tmp_path)] == [("begin", None), ("end", "cancelled")]


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


def test_the_record_has_a_line_before_and_one_after_each_answer(tmp_path: Path) -> None:
    script = [{"error": {"type": "http.503"}}, {"result": "ok"}]
    answers(mock(actions={"pay": script}, record="calls.jsonl"), 2, folder=tmp_path)
    recorded = lines(tmp_path)
    assert [(line["phase"], line.get("outcome"), line.get("effect")) for line in recorded] == [
        ("begin", None, None),
        ("end", "error", False),
        ("begin", None, None),
        ("end", "result", True),
    ]
    first = recorded[0]
    assert (first["execution"], first["step"], first["attempt"]) == ("k7m2x9qd", "pay", 1)
    assert (first["key"], first["service"], first["action"]) == ("k7m2x9qd/pay", "svc", "pay")
    assert first["input"] == {"n": 1}
    assert recorded[1]["error"] == "http.503"


def test_the_lines_of_a_record_fit_its_schema(tmp_path: Path) -> None:
    from jsonschema import Draft7Validator

    schema = json.loads((ROOT / "schemas" / "calls.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    script = [{"error": {"type": "x.y"}}, {"result": 1}, {"result": "$.missing"}]
    answers(mock(actions={"pay": script}, record="calls.jsonl"), 3, folder=tmp_path)
    for line in lines(tmp_path):
        Draft7Validator(schema).validate(line)
    broken = lines(tmp_path)[1] | {"outcome": "maybe"}
    assert not Draft7Validator(schema).is_valid(broken)


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as caught:
        ask(mock(record="missing/calls.jsonl"), "pay", folder=tmp_path)
    assert (caught.value.type, caught.value.retryable) == ("mock.record", False)
    assert "missing/calls.jsonl" in caught.value.message


def dying(folder: Path, answer: dict[str, Any]) -> int:
    """The exit code of a process that makes one call of a mock."""
    script = f"""
        import asyncio
        from pathlib import Path
        from tests.unit.adapters.support import ask
        ask({mock(actions={"pay": answer}, record="calls.jsonl")!r}, "pay", folder=Path({str(folder)!r}))
    """
    return subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, cwd=ROOT).returncode


def test_exit_ends_the_process_without_an_effect(tmp_path: Path) -> None:
    assert dying(tmp_path, {"exit": 9}) == 9
    assert [line["phase"] for line in lines(tmp_path)] == ["begin"]


def test_effect_then_die_records_the_effect_and_dies_by_sigkill(tmp_path: Path) -> None:
    assert dying(tmp_path, {"effect-then-die": True}) == -9
    assert [(line["phase"], line.get("effect")) for line in lines(tmp_path)] == [("begin", None), ("end", True)]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"actions": []}, "services.svc.actions"),
        ({"actions": {"pay": []}}, "services.svc.actions.pay"),
        ({"actions": {"pay": "ok"}}, "services.svc.actions.pay"),
        ({"actions": {"pay": [{"result": 1}, {"reslt": 1}]}}, "services.svc.actions.pay[1].reslt"),
        ({"actions": {"pay": {"error": "x"}}}, "services.svc.actions.pay.error"),
        ({"actions": {"pay": {"error": {"type": "x", "colour": 1}}}}, "services.svc.actions.pay.error.colour"),
        ({"actions": {"pay": {"exit": "x"}}}, "services.svc.actions.pay.exit"),
        ({"actions": {"pay": {"delay": "soon"}}}, "services.svc.actions.pay.delay"),
        ({"actions": {"pay": {"result": {"a": "${ 1 +"}}}}, "services.svc.actions.pay.result.a"),
        ({"default": 5}, "services.svc.default"),
        ({"record": "$.file"}, "services.svc.record"),
    ],
)
def test_a_wrong_script_is_refused_with_its_place(settings: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidError) as caught:
        open_service(config(mock(**settings)))
    assert caught.value.place.path == path
