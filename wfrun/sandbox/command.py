"""`python -m services`: serve the systems over HTTP, look at their state, reset it, tell them to fail."""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import sys
from collections.abc import Sequence
from threading import Thread

from wfrun.errors import WfrunError
from wfrun.sandbox.faults import KINDS, check_known, parse_fault
from wfrun.sandbox.sandbox import Sandbox

EPILOG = f"""\
faults: {", ".join(KINDS)}; `crm timeout:2` is for the first two calls of every step, `crm slow:500` for 500 ms.
A target is a system (all it does, except undoing) or one action: `payment.refund`. `tell payment ok` ends its faults.
"""


def main(sandbox: Sandbox, arguments: Sequence[str] | None = None) -> int:
    parser = _parser(sandbox)
    options = parser.parse_args(arguments)
    if options.command is None and options.port is None:
        parser.print_help()
        return 2
    try:
        return _run(sandbox, options)
    except (WfrunError, OSError, sqlite3.Error) as error:
        print(f"error: {error.message if isinstance(error, WfrunError) else error}", file=sys.stderr)
        return 2
    finally:
        sandbox.store.close()


def _parser(sandbox: Sandbox) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services", epilog=EPILOG)
    parser.description = f"The services of the example `{sandbox.store.name}`."
    parser.add_argument("--port", type=int, help="serve over HTTP on this port (0: a free one) until interrupted")
    parser.add_argument("--host", default="127.0.0.1")
    commands = parser.add_subparsers(dest="command", title="commands")
    state = commands.add_parser("state", help="print what the systems know")
    state.add_argument("--json", action="store_true", help="amounts are in cents")
    commands.add_parser("reset", help="as on the first day")
    tell = commands.add_parser("tell", help="make a system fail: tell payment decline", epilog=EPILOG)
    tell.add_argument("target", metavar="system[.action]")
    tell.add_argument("fault", help="a fault, or ok")
    return parser


def _run(sandbox: Sandbox, options: argparse.Namespace) -> int:
    match options.command:
        case "state":
            _state(sandbox, as_json=options.json)
        case "reset":
            sandbox.store.reset()
            print(f"{sandbox.store.path} is as on the first day")
        case "tell":
            _tell(sandbox, options.target, options.fault)
        case _:
            _serve(sandbox, options.host, options.port)
    return 0


def _state(sandbox: Sandbox, *, as_json: bool) -> None:
    from wfrun.sandbox.show import render, tables

    with sandbox.store.open() as db:
        found = tables(db)
    print(json.dumps(found) if as_json else render(found))


def _tell(sandbox: Sandbox, target: str, fault: str) -> None:
    check_known(target.partition(".")[0], "system", sandbox.systems)
    if "." in target:
        check_known(target, "action", sandbox.actions)
    if fault != "ok":
        parse_fault(target, fault, sandbox.systems)
    with sandbox.store.open() as db, sandbox.store.transaction(db):
        db.execute("DELETE FROM faults WHERE target = ?", (target,))
        if fault != "ok":
            db.execute("INSERT INTO faults VALUES (NULL, ?, ?)", (target, fault))
    print(f"{target}: {fault}")


def _serve(sandbox: Sandbox, host: str, port: int) -> None:
    from wfrun.sandbox.http import Server

    with sandbox.store.open(), Server(sandbox, host, port) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            # shutdown() waits for serve_forever() to return, so it may not run inside it
            signal.signal(number, lambda *_: Thread(target=server.shutdown).start())
        print(f"listening on {server.url}, state in {sandbox.store.path}", flush=True)
        server.serve_forever(poll_interval=0.1)
