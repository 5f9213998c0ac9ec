"""Variables of services: where their values come from, and what happens without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfrun.app.authoring import validate
from wfrun.app.driving import run
from wfrun.app.variables import variable
from wfrun.errors import ExpressionError
from wfrun.journal.home import Home

WORKFLOW = """
name: w
services:
  s:
    adapter: mock
    actions:
      go:
        result: { mode: "${env.MODE ?? 'quiet'}", key: "${has(secret.KEY)}", url: "${default(env.URL, env.FALLBACK)}" }
steps: { name: a, service: s, action: go, output: a }
output: $.a
"""


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODE", "KEY", "KEY_FILE", "URL", "FALLBACK"):
        monkeypatch.delenv(name, raising=False)


def refusal(kind: str, name: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        variable(kind, name)
    return caught.value


def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("env", "MODE").code == refusal("secret", "KEY").code == "expression.undefined"
    monkeypatch.setenv("MODE", "")
    assert variable("env", "MODE") == ""


def test_a_secret_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("s3cr3t\n")
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "key"))
    assert variable("secret", "KEY") == "s3cr3t"
    assert refusal("env", "KEY").code == "expression.undefined"


def test_a_secret_whose_file_cannot_be_read_is_not_one_that_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "nowhere"))
    error = refusal("secret", "KEY")
    assert error.code == "secret.unreadable"
    assert str(tmp_path) not in error.message


def test_a_workflow_that_can_do_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, home = tmp_path / "w.yaml", Home(tmp_path / "home")
    path.write_text(WORKFLOW)
    monkeypatch.setenv("FALLBACK", "there")
    assert validate(str(path), services=None) == []
    assert run(home, workflow=str(path)).view["output"] == {"mode": "quiet", "key": False, "url": "there"}
    monkeypatch.setenv("MODE", "loud")
    monkeypatch.setenv("KEY", "s3cr3t")
    monkeypatch.setenv("URL", "here")
    assert run(home, workflow=str(path)).view["output"] == {"mode": "loud", "key": True, "url": "here"}
