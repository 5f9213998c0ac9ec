"""Every example of docs/expressions.md gives what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wfrun.core.expression.functions import FUNCTIONS
from wfrun.core.expression.nodes import BINDERS
from wfrun.core.values import canonical

PAGE = (Path(__file__).parents[4] / "docs" / "expressions.md").read_text(encoding="utf-8")
DATA: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])


def examples() -> list[tuple[str, str]]:
    """The rows of every table that begins with the columns `example` and `gives`."""
    tables = re.findall(r"^\| example \| gives \|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)", PAGE, re.MULTILINE)
    return [pair for table in tables for pair in re.findall(r"^\| `(.+?)` \| `(.+?)` \|", table, re.MULTILINE)]


@pytest.mark.parametrize(("text", "expected"), examples())
def test_example(evaluate: Callable[..., Any], text: str, expected: str) -> None:
    assert canonical(evaluate(text, DATA)) == canonical(json.loads(expected))


def test_every_function_is_on_the_page() -> None:
    assert len(examples()) > 70
    assert [name for name in (*FUNCTIONS, *BINDERS, "has", "default") if f"{name}(" not in PAGE] == []
