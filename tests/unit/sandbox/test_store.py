"""The file: made once, moved by the environment, reset under running servers, refused when foreign."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wfrun import ServiceError
from wfrun.sandbox import Sandbox
from wfrun.sandbox.store import Store

SCHEMA = "CREATE TABLE stock (sku TEXT, left INTEGER); INSERT INTO stock VALUES ('tv', 7)"


def stock(store: Store) -> list[tuple[Any, ...]]:
    with store.open() as db:
        return db.execute("SELECT * FROM stock").fetchall()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("WFRUN_SANDBOX", raising=False)
    monkeypatch.chdir(tmp_path)
    store = Store("shop", SCHEMA)
    yield store
    store.close()


def test_it_stands_in_the_working_directory(store: Store, tmp_path: Path) -> None:
    assert stock(store) == [("tv", 7)]
    assert [file.name for file in (tmp_path / ".sandbox").glob("*.sqlite")] == ["shop.sqlite"]


def test_the_environment_moves_it(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFRUN_SANDBOX", str(tmp_path / "a" / "b"))
    assert stock(store) == [("tv", 7)]
    assert (tmp_path / "a" / "b" / "shop.sqlite").exists()


def lose_all(store: Store, db: sqlite3.Connection) -> None:
    with store.transaction(db):
        db.execute("DELETE FROM stock")
        db.execute("nonsense")


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with store.open() as db:
        with pytest.raises(sqlite3.OperationalError, match="nonsense"):
            lose_all(store, db)
        with store.transaction(db):
            db.execute("INSERT INTO stock VALUES ('hdmi', 1)")
    assert stock(store) == [("tv", 7), ("hdmi", 1)]


def test_reset_is_the_first_day_even_for_a_connection_that_is_open(store: Store) -> None:
    with store.open() as db:
        db.execute("UPDATE stock SET left = 0")
        db.execute("CREATE TABLE scratch (x)")
        store.reset()
        assert db.execute("SELECT * FROM stock").fetchall() == [("tv", 7)]
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'scratch'").fetchone() == (0,)


def test_reset_makes_what_is_not_there(store: Store) -> None:
    store.reset()
    assert store.path.exists()


def test_a_file_of_other_services_is_refused_until_reset(store: Store) -> None:
    stock(store)
    newer = Store("shop", SCHEMA + "; CREATE TABLE prices (sku TEXT)")
    with pytest.raises(ServiceError, match="python -m services reset") as caught:
        stock(newer)
    assert caught.value.type == "sandbox.outdated"
    newer.reset()
    assert stock(newer) == [("tv", 7)]
    newer.close()
    with pytest.raises(ServiceError, match="other services"):
        stock(store)


def test_a_file_that_was_deleted_is_made_anew(store: Store) -> None:
    with store.open() as db:
        db.execute("UPDATE stock SET left = 0")
    for file in store.path.parent.iterdir():
        file.unlink()
    assert stock(store) == [("tv", 7)]


def test_a_connection_is_used_again_but_never_by_two(store: Store) -> None:
    with store.open() as first, store.open() as second:
        assert first is not second
    with store.open() as third:
        assert third in (first, second)


def test_a_connection_that_was_left_inside_a_transaction_is_not_used_again(store: Store) -> None:
    with store.open() as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM stock")
    assert stock(store) == [("tv", 7)]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_uses_connections_of_its_own(store: Store) -> None:
    with store.open() as db:
        here = db
    child = os.fork()
    if child == 0:
        with store.open() as db:
            os._exit(0 if db is not here else 1)
    assert os.waitpid(child, 0)[1] == 0


FIRST = """
from wfrun.sandbox.store import Store
with Store("shop", {!r}).open() as db:
    print(db.execute("SELECT * FROM stock").fetchall())
"""


def test_processes_that_come_first_together_all_find_it_complete(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    command = [sys.executable, "-c", FIRST.format(SCHEMA)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert [process.communicate(timeout=20)[0] for process in running] == ["[('tv', 7)]\n"] * 6


def test_a_system_that_was_not_announced_is_a_defect(world: Sandbox) -> None:
    with pytest.raises(ValueError, match="none of the systems"):
        world.system("bnk")


def test_an_action_is_called_by_its_camel_case_name(world: Sandbox, ask: Callable[..., dict[str, Any]]) -> None:
    assert list(world.actions) == ["bank.deposit", "bank.takeBack"]
