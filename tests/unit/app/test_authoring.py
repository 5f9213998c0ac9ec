"""What `validate` finds beyond the file itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfrun.app.authoring import validate


def write(folder: Path, services: str) -> str:
    path = folder / "w.yaml"
    path.write_text(f"name: w\nservices:\n{services}\nsteps: {{ name: a, service: s, action: x }}\n")
    return str(path)


@pytest.mark.parametrize("module", ["nowhere", "nowhere.payment", "json.nowhere", "time.x", "here.nowhere"])
def test_a_module_that_is_not_there_is_warned_of(tmp_path: Path, module: str) -> None:
    (tmp_path / "here").mkdir()
    path = write(tmp_path, f"  s: {{ adapter: python, module: {module} }}")
    (problem,) = validate(path, services=None)
    assert (problem.code, problem.severity) == ("service.module", "warning")
    assert (problem.place.file, problem.place.line, problem.place.column) == (path, 3, 33)
    assert module in problem.message
    assert str(tmp_path) in problem.hint


@pytest.mark.parametrize("module", ["here", "pack", "pack.inner", "json.decoder"])
def test_a_module_that_is_there_is_not(tmp_path: Path, module: str) -> None:
    (tmp_path / "pack").mkdir()
    for file in ("here.py", "pack/__init__.py", "pack/inner.py"):
        (tmp_path / file).write_text("def __getattr__(name): raise SystemExit('nothing is run')\n")
    assert validate(write(tmp_path, f"  s: {{ adapter: python, module: {module} }}"), services=None) == []


def test_the_module_of_a_services_file_is_looked_for_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path, "  s: { adapter: mock }")
    (tmp_path / "there").mkdir()
    services = tmp_path / "there" / "services.yaml"
    services.write_text("s: { adapter: python, module: found }\n")
    (problem,) = validate(path, services=str(services))
    assert (problem.code, str(problem.place)) == ("service.module", f"{services}:1:31")
    (tmp_path / "there" / "found.py").write_text("def x(input): return None\n")
    assert validate(path, services=str(services)) == []
