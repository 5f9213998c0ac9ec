"""The service that docs/gallery.md shows is a service: its code is run, not only read."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from wfrun import ServiceError
from wfrun.sandbox.faults import KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "gallery.md").read_text()


class Caller(NamedTuple):
    idempotency_key: str
    execution: str = "e1"
    step: str = "grant"
    attempt: int = 1


def test_the_service_of_your_own_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "shop_of_the_page"
    package.mkdir()
    for name, code in re.findall(r"```python\n# services/(\w+\.py)\n(.*?)```", PAGE, re.DOTALL):
        (package / name).write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    loyalty = importlib.import_module("shop_of_the_page.loyalty")
    points = {"reference": "e1", "customer": "CUST-42", "points": 70}
    assert loyalty.grant(points, Caller("k1")) == loyalty.grant(points, Caller("k1")) == {"granted": 70}
    assert loyalty.revoke({"reference": "e1"}, Caller("c1")) == {"revoked": 70}
    assert loyalty.revoke({"reference": "e2"}, Caller("c2")) == {"revoked": 0}
    with pytest.raises(ServiceError, match="came too late"):
        loyalty.grant(points | {"reference": "e2"}, Caller("k2"))
    with pytest.raises(ServiceError, match="nobody gets that many"):
        loyalty.grant(points | {"reference": "e3", "points": 1001}, Caller("k3"))
    for module in [name for name in sys.modules if name.startswith("shop_of_the_page")]:
        del sys.modules[module]


def test_every_fault_stands_on_the_page() -> None:
    told = re.findall(r"^\| `(\w+)(?::MS)?` \|", PAGE, re.MULTILINE)
    assert sorted(told) == sorted(KINDS)
