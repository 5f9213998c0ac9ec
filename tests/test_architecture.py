"""The house keeps its shape: rooms import one way, the core is pure, and names that others use stay."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "wfrun"

# Reached through modules that are allowed: attributes that read a clock or chance.
IMPURE = {("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today")}


def test_imports_keep_to_the_contracts() -> None:
    """The layers and the purity of the core, as written under [tool.importlinter] in pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache", "--config", PACKAGE.parent / "pyproject.toml"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: path.stem)
def test_the_core_reads_no_clock(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in IMPURE, f"{path}:{node.lineno}"


def test_a_status_imports_nothing_heavy() -> None:
    """What `wfrun status` must do without, so that it stays quick."""
    heavy = ["asyncio", "typer", "rich", "jsonschema", "ruamel.yaml", "jsonpath_ng", "httpx2", "importlib.metadata"]
    code = f"""
import sys
sys.argv = ["wfrun", "status", "none", "--home", "/nonexistent/home"]
from wfrun.cli.main import main
try:
    main()
except SystemExit:
    pass
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("[]"), done.stderr


def test_files_and_functions_stay_small() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= 400, f"{path} has grown past 400 lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= 60, f"{path}:{node.lineno} {node.name} has {length} lines"
