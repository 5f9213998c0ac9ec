"""Variables of services: where their values come from, and what happens without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wfrun.app import variables
from wfrun.app.authoring import validate
from wfrun.app.driving import run
from wfrun.app.variables import variable
from wfrun.errors import ExpressionError, ServiceError
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


class TestEnvFile:
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "prod.env").write_text("KEY='from the file'\nMODE=loud\n")
        monkeypatch.setenv("WFRUN_ENV_FILE", str(tmp_path / "prod.env"))

    def test_it_has_variables_and_secrets(self) -> None:
        assert (variable("secret", "KEY"), variable("env", "MODE")) == ("from the file", "loud")

    def test_the_environment_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MODE", "quiet")
        (tmp_path / "key").write_text("of its own")
        monkeypatch.setenv("KEY_FILE", str(tmp_path / "key"))
        assert (variable("secret", "KEY"), variable("env", "MODE")) == ("of its own", "quiet")

    def test_one_that_is_not_there_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WFRUN_ENV_FILE", "nowhere.env")
        assert refusal("env", "MODE").code == "env.file"

    def test_one_that_merely_lies_there_is_not_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("WFRUN_ENV_FILE")
        (tmp_path / ".env").write_text("KEY=surprise")
        monkeypatch.chdir(tmp_path)
        assert refusal("secret", "KEY").code == "expression.undefined"


VAULT = """
def find(name):
    if name == "BROKEN":
        raise ConnectionError("the token is s3cr3t")
    return {"KEY": "from the vault"}.get(name)
"""


class TestProvider:
    @pytest.fixture(autouse=True)
    def _installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A distribution with a provider, as pip would leave it."""
        (tmp_path / "vault.py").write_text(VAULT)
        about = tmp_path / "vault-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: vault\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[wfrun.secrets]\nvault = vault:find\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        variables._providers.cache_clear()
        yield
        variables._providers.cache_clear()

    def test_it_is_asked_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert variable("secret", "KEY") == "from the vault"
        monkeypatch.setenv("KEY", "at hand")
        assert variable("secret", "KEY") == "at hand"
        assert refusal("secret", "OTHER").code == refusal("env", "FALLBACK").code == "expression.undefined"

    def test_what_it_fails_with_is_not_told(self) -> None:
        with pytest.raises(ServiceError) as caught:
            variable("secret", "BROKEN")
        assert caught.value.code == "secret.provider"
        assert "ConnectionError" in caught.value.message
        assert "s3cr3t" not in caught.value.message

    def test_a_check_asks_nobody(self) -> None:
        assert variables.stated("secret", "BROKEN") == variables.UNASKED

    def test_one_that_cannot_be_loaded(self, tmp_path: Path) -> None:
        (tmp_path / "vault-1.0.dist-info/entry_points.txt").write_text("[wfrun.secrets]\nvault = no_such_module:find\n")
        assert refusal("secret", "KEY").code == "secret.provider"
