"""What docs/adapters.md shows is what the adapters accept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.adapters.support import ROOT, ask, config
from wfrun.adapters.data import stated_error
from wfrun.adapters.registry import open_service
from wfrun.errors import InvalidError

PAGE = (ROOT / "docs" / "adapters.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


ENTRIES = [entry for block in blocks("yaml") for entry in YAML(typ="safe").load(block)["services"].items()]


@pytest.mark.parametrize(("name", "settings"), ENTRIES, ids=[name for name, _ in ENTRIES])
def test_every_entry_can_be_opened(name: str, settings: dict[str, Any]) -> None:
    open_service(config(settings, name=name))


def test_the_greeter_greets() -> None:
    settings = dict(ENTRIES)["greeter"]
    assert ask(settings, "greet", {"name": "$(id) World"}, folder=Path("/")) == "hello $(id) World"


def test_commands_are_refused_and_accepted_as_shown() -> None:
    rows = [re.findall(r"`(\[.*?\])`", line) for line in PAGE.splitlines() if line.startswith("| `[")]
    commands = [[YAML(typ="safe").load(each) for each in row] for row in rows]
    assert len(commands) == 5
    for refused, *accepted in commands:
        with pytest.raises(InvalidError):
            open_service(config({"adapter": "shell", "actions": {"go": {"command": refused}}}))
        for command in accepted:
            open_service(config({"adapter": "shell", "actions": {"go": {"command": command}}}))


def test_the_mock_answers_as_shown(tmp_path: Path) -> None:
    settings = next(settings for _, settings in ENTRIES if settings["adapter"] == "mock")
    assert ask(settings, "refund", folder=tmp_path) == "ok"
    assert ask(settings, "other", folder=tmp_path) is None


def test_the_stated_error_is_understood() -> None:
    error = stated_error(json.loads(blocks("json")[0]))
    assert error
    assert (error.type, error.retryable) == ("payment.declined", False)


def test_every_error_type_in_the_code_is_documented() -> None:
    sources = (ROOT / "wfrun" / "adapters").glob("*.py")
    raised = {type_ for file in sources for type_ in re.findall(r'ServiceError\(\s*"([a-z.-]+)"', file.read_text())}
    assert raised, "the pattern finds nothing"
    undocumented = {type_ for type_ in raised if f"`{type_}`" not in PAGE}
    assert undocumented == set()
