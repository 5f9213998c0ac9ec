"""A server behind TLS: who is trusted, who is let in, and by which key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.front import Authority, Front, front_of
from tests.support.shell import Answer, environment, shell
from tests.support.temporal import Server

ORDER = "name: order\nservices: {s: {adapter: mock, actions: {a: {result: 1}}}}\n"
ORDER += "steps: [{name: act, service: s, action: a, output: done}]\noutput: $.done\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def listed(front: Front, folder: Path, options: str) -> Answer:
    return shell(f"wfrun list --engine temporal --address {front.address} {options}", folder)


@pytest.mark.slow
def test_a_worker_and_commands_behind_tls_with_a_key(server: Server, authority: Authority, tmp_path: Path) -> None:
    """By a profile for what is the same for all, and the key from the environment."""
    with front_of(server.place.port, authority.server(clients=authority)) as front:
        tls = f"tls-ca = '{authority.file}'\ntls-cert = '{authority.cert}'\ntls-key = 'authority/client.key'\n"
        temporal = f"[temporal]\naddress = '{front.address}'\ntask-queue = 'behind'\n{tls}"
        (tmp_path / "wfrun.toml").write_text(f"engine = 'temporal'\n{temporal}")
        (tmp_path / "order.yaml").write_text(ORDER)
        env = environment(TEMPORAL_API_KEY="open-sesame")
        worker = subprocess.Popen([sys.executable, "-m", "wfrun", "worker"], cwd=tmp_path, env=env)
        try:
            ran = shell("wfrun run order.yaml --json", tmp_path, TEMPORAL_API_KEY="open-sesame")
            assert (ran.code, '"status": "completed"' in ran.out) == (0, True), ran.out
        finally:
            worker.terminate()
            assert worker.wait(60) == 0
    assert {*front.requests} >= {"GetSystemInfo", "StartWorkflowExecution", "PollWorkflowTaskQueue"}
    said = [headers for of_kind in front.requests.values() for headers in of_kind]
    assert {headers.get("authorization") for headers in said} == {"Bearer open-sesame"}


def test_options_say_whom_to_trust(server: Server, authority: Authority, tmp_path: Path) -> None:
    with front_of(server.place.port, authority.server()) as front:
        found = listed(front, tmp_path, f"--tls-ca {authority.file} --api-key typed")
        assert found == (0, "No executions.\n")
        assert {headers["authorization"] for headers in front.requests["GetSystemInfo"]} == {"Bearer typed"}


HUNG_UP = "it ended the connection: it may want TLS, or another client's certificate"
UNKNOWN_ISSUER = "nobody who is trusted here has signed its certificate"
OF_OTHERS = "--tls-cert other/client.pem --tls-key other/client.key"


# A refused client hears why, or only that the connection has ended, whichever comes first.
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--tls-ca other/ca.pem", [UNKNOWN_ISSUER]),
        ("--tls-ca authority/ca.pem", ["it wants a client's certificate", HUNG_UP]),
        (f"--tls-ca authority/ca.pem {OF_OTHERS}", ["it does not trust the client's certificate", HUNG_UP]),
        ("--tls-ca nothing.pem", ["nothing.pem"]),
        ("", [HUNG_UP]),
    ],
)
def test_who_is_not_trusted_is_told_in_one_error(
    options: str, why: list[str], server: Server, authority: Authority, tmp_path: Path
) -> None:
    Authority(tmp_path / "other")
    with front_of(server.place.port, authority.server(clients=authority)) as front:
        refused = listed(front, tmp_path, options)
    assert (refused.code, refused.out.count("error[")) == (6, 1)
    assert refused.out.startswith("error[temporal.unreachable]")
    assert any(word in refused.out for word in why), refused.out


def test_a_server_without_tls_is_told(server: Server, tmp_path: Path) -> None:
    refused = shell(f"wfrun list --engine temporal --address {server.place.address} --tls", tmp_path)
    assert (refused.code, "it does not speak TLS" in refused.out) == (6, True), refused.out
