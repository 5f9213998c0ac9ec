"""An order, run and looked at: text and JSON of every reading command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Done, Shell

    Ordered = tuple[Shell, Done]

STEPS = [
    "validate-order",
    "check-inventory",
    "reserve-inventory",
    "process-payment",
    "create-shipment",
    "update-crm",
    "send-confirmation",
]

TAKES_INPUT = """
name: takes-input
input: { a: integer, b: string }
services: { m: { adapter: mock } }
steps: { name: s, service: m, action: x }
output: { a: $.a, b: $.b }
"""


def test_a_run_in_a_pipe_says_what_happens_and_what_came_of_it(ordered: Ordered) -> None:
    _, done = ordered
    assert (done.code, done.err) == (0, "")
    assert done.lines[0] == "execution order-1"
    happened = [line.split(maxsplit=2)[2] for line in done.lines[1 : done.lines.index("")]]
    assert happened[0] == "order (version 1) started by ada"
    assert "process-payment → payment.charge" in happened
    assert happened[-1] == "ended completed"
    assert "\x1b" not in done.out
    assert any(line.startswith("order-1 · order (version 1) · completed · 7/7 steps") for line in done.lines)


def test_status_in_words(ordered: Ordered) -> None:
    shell, _ = ordered
    done = shell.wfrun("status", "ord")
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].startswith("order-1 · order (version 1) · completed · 7/7 steps · started 20")
    assert [line.split()[:2] for line in done.lines[2:9]] == [["✓", step] for step in STEPS]
    assert done.lines[-1].startswith('Output  {"orderId"') or '"charged": 729.58' in done.lines[-1]


def test_status_as_json(ordered: Ordered) -> None:
    shell, _ = ordered
    view = shell.wfrun("status", "order-1", "--json").json("status")
    assert (view["execution"], view["status"], view["progress"]) == (
        "order-1",
        "completed",
        {"done": 7, "skipped": 0, "failed": 0, "total": 7},
    )
    assert [(row["step"], row["status"], row["attempts"]) for row in view["steps"]] == [
        (s, "completed", 1) for s in STEPS
    ]
    assert view["output"]["charged"] == 729.58
    assert view["initiator"] == "ada"
    assert view["driver"]["epoch"] == 1


def test_list_in_words_and_as_json(ordered: Ordered) -> None:
    shell, _ = ordered
    head, row = shell.wfrun("list").lines
    assert head.split() == ["EXECUTION", "WORKFLOW", "STATUS", "STEPS", "STARTED", "TOOK"]
    assert row.split()[:4] == ["order-1", "order:1", "completed", "7/7"]
    (summary,) = shell.wfrun("list", "--json").json("list")["executions"]
    assert (summary["execution"], summary["error"], summary["waitingFor"]) == ("order-1", None, [])


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("--status", "completed"), 1),
        (("--status", "failed"), 0),
        (("--workflow", "order", "--since", "1h"), 1),
        (("--workflow", "loan"), 0),
        (("--since", "2099-01-01"), 0),
        (("-n", "0"), 0),
    ],
)
def test_list_finds_what_is_asked_for(ordered: Ordered, filters: tuple[str, ...], found: int) -> None:
    shell, _ = ordered
    assert len(shell.wfrun("list", *filters, "--json").json("list")["executions"]) == found


def test_log_in_words_and_as_json_lines(ordered: Ordered) -> None:
    shell, _ = ordered
    words = shell.wfrun("log", "order-1").lines
    moments = shell.wfrun("log", "order-1", "--json").json_lines("log")
    assert [line.split(maxsplit=2)[2] for line in words] == [moment["text"] for moment in moments]
    assert [moment["seq"] for moment in moments] == list(range(1, len(moments) + 1))
    assert moments[0]["offsetMs"] == 0
    assert {moment["type"] for moment in moments} >= {"execution.started", "step.completed", "execution.ended"}


def test_the_raw_log_is_the_journal_to_the_byte(ordered: Ordered) -> None:
    shell, _ = ordered
    (journal,) = (shell.folder / ".wfrun/executions").rglob("*.jsonl")
    assert shell.wfrun("log", "order-1", "--raw").out == journal.read_text()


def test_following_a_log_that_has_ended_ends(ordered: Ordered) -> None:
    shell, _ = ordered
    assert shell.wfrun("log", "order-1", "--follow").out == shell.wfrun("log", "order-1").out


def test_graph_of_an_execution_shows_what_became_of_it(ordered: Ordered) -> None:
    shell, _ = ordered
    assert shell.wfrun("graph", "order-1").lines[0] == "order"
    assert "├─ ✓ process-payment  payment.charge  (undo: payment.refund)" in shell.wfrun("graph", "order-1").lines
    drawn = shell.wfrun("graph", "order-1", "--json").json("graph")
    assert [node["id"] for node in drawn["nodes"]] == STEPS
    assert drawn["statuses"]["process-payment"] == "completed"
    assert ":::completed" in shell.wfrun("graph", "order-1", "--mermaid").out


def test_nobody_is_waited_for(ordered: Ordered) -> None:
    shell, _ = ordered
    assert shell.wfrun("tasks").lines == ["No open tasks."]
    assert shell.wfrun("tasks", "--json").json("tasks") == {"tasks": [], "unknown": []}


def test_reading_writes_nothing(ordered: Ordered) -> None:
    shell, _ = ordered
    before = shell.state()
    for command in ("status order-1", "list", "tasks", "log order-1", "graph order-1", "list --status failed --json"):
        assert shell.wfrun(*command.split()).code == 0
    assert shell.state() == before


def test_reading_where_nothing_was_ever_run_makes_nothing(shell: Shell) -> None:
    assert shell.wfrun("list").lines == ["No executions."]
    assert shell.wfrun("tasks").lines == ["No open tasks."]
    nothing = shell.wfrun("status", "x")
    assert nothing.code == 2
    assert f"no execution begins with 'x' in {shell.folder}/.wfrun, which is not there" in nothing.err
    assert "--home or WFRUN_HOME" in nothing.err
    assert shell.wfrun("reindex").lines == ["Indexed 0 executions."]
    assert shell.state() == {}


def test_a_declined_payment_releases_the_stock(shell: Shell) -> None:
    from tests.acceptance.conftest import ORDER

    done = shell.wfrun("run", *ORDER, "--id", "o", WFRUN_FAIL="payment=decline")
    assert done.code == 5
    view = shell.wfrun("status", "o", "--json").json("status")
    assert (view["status"], view["error"]["type"]) == ("compensated", "payment.declined")
    assert {row["step"]: row["status"] for row in view["steps"]} == {
        "validate-order": "completed",
        "check-inventory": "completed",
        "reserve-inventory": "compensated",
        "process-payment": "failed",
        "create-shipment": "pending",
        "update-crm": "pending",
        "send-confirmation": "pending",
    }
    assert [(row["step"], row["status"]) for row in view["compensations"]] == [("reserve-inventory", "completed")]
    assert "failed; undoing reserve-inventory" in shell.wfrun("log", "o").out
    assert "payment.declined" in shell.wfrun("list", "--status", "compensated").out


def test_no_shipment_refunds_and_releases_in_that_order(shell: Shell) -> None:
    from tests.acceptance.conftest import ORDER

    done = shell.wfrun("run", *ORDER, "--json", WFRUN_FAIL="shipping=down")
    assert done.code == 5
    view = done.json("run")
    undone = [(row["step"], row["status"]) for row in view["compensations"]]
    assert undone == [("process-payment", "completed"), ("reserve-inventory", "completed")]
    shipment = next(row for row in view["steps"] if row["step"] == "create-shipment")
    assert (shipment["status"], shipment["attempts"]) == ("failed", 4)


def test_input_from_everywhere(shell: Shell) -> None:
    shell.write("w.yaml", TAKES_INPUT)
    shell.write("in.json", '{"a": 1, "b": "x"}')
    for source, stdin in (("in.json", ""), ("-", '{"a": 1, "b": "x"}'), ('{"a": 1, "b": "x"}', "")):
        view = shell.wfrun("run", "w.yaml", "--input", source, "--json", stdin=stdin).json("run")
        assert view["output"] == {"a": 1, "b": "x"}
    view = shell.wfrun("run", "w.yaml", "-i", "in.json", "--set", "b=y", "--json").json("run")
    assert view["output"] == {"a": 1, "b": "y"}
    done = shell.wfrun("run", "w.yaml", "--set", "a=5", "--set", "b=z", "--quiet")
    (execution,) = done.lines
    assert shell.wfrun("status", execution[:5], "--json").json("status")["output"] == {"a": 5, "b": "z"}


def test_the_same_id_and_input_is_the_same_execution(ordered: Ordered) -> None:
    from tests.acceptance.conftest import ORDER

    shell, _ = ordered
    again = shell.wfrun("run", *ORDER, "--id", "order-1", "--json")
    assert (again.code, again.json("run")["driver"]["epoch"]) == (0, 1)
    other = shell.wfrun("run", *ORDER, "--id", "order-1", "--set", "order.total=1", "--json")
    assert (other.code, other.error()["code"]) == (2, "execution.exists")


def test_home_by_option_and_variable(shell: Shell) -> None:
    shell.write("w.yaml", "name: w\nservices: { m: { adapter: mock } }\nsteps: { name: s, service: m, action: x }\n")
    assert shell.wfrun("run", "w.yaml", "--home", "one").code == 0
    assert shell.wfrun("run", "w.yaml", WFRUN_HOME="two").code == 0
    for name in ("one", "two"):
        assert (shell.folder / name).stat().st_mode & 0o777 == 0o700
        listed = shell.wfrun("list", "--home", name, "--json").json("list")
        assert len(listed["executions"]) == 1


def test_output_that_the_terminal_cannot_write_is_no_reason_to_fail(ordered: Ordered) -> None:
    shell, _ = ordered
    done = shell.wfrun("status", "order-1", PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (0, "")
    assert "validate-order" in done.out


def test_data_cannot_command_the_terminal(shell: Shell) -> None:
    evil = "\x1b[2J\u202eevil\u009b1m\nx"
    done = shell.wfrun("run", shell.failing(evil), "--id", "e")
    assert done.code == 1
    texts = [done.out, *(shell.wfrun(*line.split()).out for line in ("status e", "log e", "list", "status e --json"))]
    for text in texts:
        assert not {"\x1b", "\u202e", "\u009b"} & set(text)
    assert shell.wfrun("status", "e", "--json").json("status")["error"]["message"] == evil
