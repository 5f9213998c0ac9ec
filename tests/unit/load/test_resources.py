from __future__ import annotations

from pathlib import Path

import pytest

from wfrun import resources
from wfrun.resources import resource


def test_a_file_of_the_checkout() -> None:
    assert resource("schemas", "workflow.schema.json").is_file()


def test_what_the_wheel_carries_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "wfrun" / "_shipped" / "schemas" / "workflow.schema.json"
    shipped.parent.mkdir(parents=True)
    shipped.write_text("{}")
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "wfrun")
    assert resource("schemas", "workflow.schema.json") == shipped


def test_what_is_not_there() -> None:
    with pytest.raises(FileNotFoundError, match="schemas/nothing"):
        resource("schemas", "nothing")
