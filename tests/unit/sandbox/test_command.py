"""`python -m services …`, as its `main` and as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from wfrun import ServiceError
from wfrun.sandbox import Sandbox
from wfrun.sandbox.command import main

Ask = Callable[..., dict[str, Any]]
Capture = pytest.CaptureFixture[str]


def test_state_tells_who_did_what(world: Sandbox, ask: Ask, capsys: Capture) -> None:
    ask("bank.deposit", "k1", reference="r\x1b[31m1", amount=5)
    ask("bank.deposit", "k1", reference="r\x1b[31m1", amount=5)
    assert main(world, ["state"]) == 0
    shown = capsys.readouterr().out
    assert "deposits\n  reference  amount  taken_back\n  r?[31m1    5       -\n" in shown
    assert "bank    deposit  2      1     1     1         0" in shown
    assert "undone: none" in shown


def test_state_writes_money_as_money_and_instants_to_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("WFRUN_SANDBOX", str(tmp_path))
    paid = "CREATE TABLE paid (sum_cents INTEGER, paid_at TEXT); "
    row = "INSERT INTO paid VALUES (123456789, '2026-03-01T09:05:07.123456Z')"
    assert main(Sandbox("money", systems=["bank"], schema=paid + row), ["state"]) == 0
    assert "paid\n  sum            paid_at\n  $1,234,567.89  2026-03-01 09:05:07\n" in capsys.readouterr().out


def test_state_as_json(world: Sandbox, ask: Ask, capsys: Capture) -> None:
    ask("bank.deposit", "k1", reference="r1", amount=5)
    assert main(world, ["state", "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["deposits"] == [{"reference": "r1", "amount": 5, "taken_back": None}]
    assert state["calls"][0]["done"] == 1


def test_tell_then_take_it_back(world: Sandbox, ask: Ask, capsys: Capture) -> None:
    assert main(world, ["tell", "bank", "down"]) == 0
    assert main(world, ["tell", "bank", "decline"]) == 0
    with pytest.raises(ServiceError, match="declined"):
        ask("bank.deposit", "k1", reference="r1", amount=5)
    assert main(world, ["tell", "bank", "ok"]) == 0
    assert ask("bank.deposit", "k1", reference="r1", amount=5)["saved"] == 5
    assert capsys.readouterr().out == "bank: down\nbank: decline\nbank: ok\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tell", "bnk", "down"], "did you mean 'bank'?"),
        (["tell", "bnk", "ok"], "did you mean 'bank'?"),
        (["tell", "bank.refund", "down"], "known: bank.deposit, bank.takeBack"),
        (["tell", "bank", "slow"], "slow:MS"),
    ],
)
def test_a_mistake_is_told_in_a_line(world: Sandbox, capsys: Capture, arguments: list[str], told: str) -> None:
    assert main(world, arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error


def test_nothing_asked_is_help(world: Sandbox, capsys: Capture) -> None:
    assert main(world, []) == 2
    assert "state" in capsys.readouterr().out


def test_reset(world: Sandbox, ask: Ask, capsys: Capture) -> None:
    ask("bank.deposit", "k1", reference="r1", amount=5)
    assert main(world, ["reset"]) == 0
    assert main(world, ["state"]) == 0
    assert "deposits: none" in capsys.readouterr().out


SERVE = """
import sys
from wfrun.sandbox import Sandbox
from wfrun.sandbox.command import main
world = Sandbox("town", systems=["bank"], schema="")
@world.system("bank").action("GET /rates")
def rates(input, call):
    return {"rate": 3, "for": input["currency"]}
sys.exit(main(world, ["--port", sys.argv[1]]))
"""


def test_serving_until_told_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("WFRUN_SANDBOX", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", SERVE, "0"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        port = int(server.stdout.readline().split(",")[0].rpartition(":")[2])
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/bank/rates?currency=EUR")
        assert json.loads(connection.getresponse().read()) == {"rate": 3, "for": "EUR"}
        connection.close()
        taken = subprocess.run([sys.executable, "-c", SERVE, str(port)], capture_output=True, text=True, timeout=20)
        assert (taken.returncode, taken.stderr.count("\n")) == (2, 1)
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
