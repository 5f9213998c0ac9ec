"""Many inputs in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Shell

SHOP = """
name: shop
input: { sku: string, price: number }
services:
  m:
    adapter: mock
    actions:
      sell: { result: { sold: $.sku } }
      refuse: { error: { type: shop.refused, message: "no", retryable: false } }
steps:
  - { name: sell, service: m, action: sell, input: { sku: $.sku }, output: sale }
  - type: conditional
    condition: $.price > 100
    then: { name: refuse, service: m, action: refuse }
"""


@pytest.fixture
def shop(shell: Shell) -> Shell:
    shell.write("shop.yaml", SHOP)
    return shell


def lines(*prices: object) -> str:
    return "".join(f'{{"sku": "a{number}", "price": {price}}}\n' for number, price in enumerate(prices))


def test_all_complete(shop: Shell) -> None:
    shop.write("in.jsonl", lines(*[1] * 30))
    done = shop.wfrun("batch", "shop.yaml", "--inputs", "in.jsonl", "--concurrency", "8")
    assert (done.code, done.err) == (0, "")
    assert done.lines[-1] == "30 executions: 30 completed"
    assert len(done.lines) == 31
    assert all(line.split()[3:5] == ["completed", "2/2"] for line in done.lines[:-1])
    assert len(shop.wfrun("list", "-n", "100", "--json").json("list")["executions"]) == 30


def test_as_json_lines_with_failures_and_refused_inputs(shop: Shell) -> None:
    text = lines(1, 500) + '{"sku": "x"}\n' + lines(2)
    done = shop.wfrun("batch", "shop.yaml", "--inputs", "-", "--json", stdin=text)
    assert done.code == 3
    *rows, totals = done.json_lines("batch")
    by_input = {row["input"]: row for row in rows}
    assert [by_input[number].get("status") for number in (1, 2, 3, 4)] == ["completed", "failed", None, "completed"]
    assert "price" in by_input[3]["refused"][0]["message"]
    assert totals == {"total": 4, "counts": {"completed": 2, "failed": 1, "refused": 1}}


@pytest.mark.parametrize(("prices", "code"), [((1, 500), 1), ((), 0)])
def test_the_worst_outcome_is_the_exit_code(shop: Shell, prices: tuple[int, ...], code: int) -> None:
    assert shop.wfrun("batch", "shop.yaml", "--inputs", "-", "--quiet", stdin=lines(*prices)).code == code


def test_a_line_that_is_no_json_is_refused_and_the_others_go_on(shop: Shell) -> None:
    shop.write("in.jsonl", lines(1) + "\n{broken\n" + lines(2))
    done = shop.wfrun("batch", "shop.yaml", "--inputs", "in.jsonl", "-c", "1")
    assert (done.code, done.err) == (3, "")
    first, refused, *hints, last, totals = done.lines
    assert [line.split()[:2] for line in (first, refused, last)] == [["line", "1"], ["line", "3"], ["line", "4"]]
    assert refused.startswith("line 3  refused  in.jsonl:3:2: error[json.syntax]")
    assert len(hints) <= 1
    assert totals == "3 executions: 2 completed, 1 refused"
    rows = shop.wfrun("batch", "shop.yaml", "--inputs", "in.jsonl", "--json").json_lines("batch")
    assert {row["input"]: "refused" in row for row in rows[:-1]} == {1: False, 3: True, 4: False}


def test_a_value_that_is_missing_at_the_end_of_a_line_is_missing_there(shop: Shell) -> None:
    done = shop.wfrun("batch", "shop.yaml", "--inputs", "-", stdin='{"sku":\n{}\n')
    assert done.lines[0].startswith("line 1  refused  <stdin>:1:8: error[json.syntax]")


def journal_of(shop: Shell, execution: str) -> Path:
    (found,) = shop.folder.glob(f".wfrun/executions/*/{execution}.jsonl")
    return found


def test_a_damaged_journal_stops_its_own_line_only(shop: Shell) -> None:
    shop.write("in.jsonl", lines(1, 2, 3))
    typed = ("batch", "shop.yaml", "--inputs", "in.jsonl", "-c", "1", "--id", "$.sku")
    assert shop.wfrun(*typed).code == 0
    path = journal_of(shop, "a1")
    path.write_bytes(path.read_bytes().replace(b'"a1"', b'"a7"'))
    done = shop.wfrun(*typed, "--json")
    assert (done.code, done.err) == (6, "")
    first, stopped, last, totals = done.json_lines("batch")
    assert (first["input"], stopped["input"], last["input"]) == (1, 2, 3)
    assert stopped["stopped"][0]["code"] == "journal.damaged"
    assert totals["counts"] == {"completed": 2, "stopped": 1}


def test_a_disk_that_fails_ends_the_batch(shop: Shell) -> None:
    """A file may have 12 kB: enough for some steps, not for the log that one of them is given to write."""
    shop.write("in.jsonl", "".join(f'{{"sku": "{"x" * size}", "price": 1}}\n' for size in (9, 9000, 9)))
    done = shop.typed("ulimit -f 12; wfrun batch shop.yaml --inputs in.jsonl -c 1")
    assert done.code == 6
    first, stopped, *_, totals = done.lines
    assert first.split()[3] == "completed"
    assert stopped.startswith("line 2  stopped  error[journal.io]")
    assert totals == "2 executions: 1 completed, 1 stopped"
    assert done.err.startswith("warning[batch.stopped] nothing more was begun")


@pytest.mark.parametrize(("limit", "concurrency"), [(256, 500), (1024, 100_000_000)])
def test_no_more_at_a_time_than_files_may_be_open(shop: Shell, limit: int, concurrency: int) -> None:
    shop.write("in.jsonl", lines(*[1] * 400))
    done = shop.typed(f"ulimit -n {limit}; wfrun batch shop.yaml --inputs in.jsonl -c {concurrency} -q")
    assert (done.code, done.out) == (0, "400 executions: 400 completed\n")
    assert done.err.startswith("warning[batch.concurrency] ")
    assert f"not {concurrency}" in done.err


def test_with_ids_a_batch_that_is_run_again_goes_on_where_it_stopped(shop: Shell) -> None:
    shop.write("few.jsonl", lines(1, 2, 3))
    shop.write("more.jsonl", lines(1, 2, 3, 4))
    assert shop.wfrun("batch", "shop.yaml", "--inputs", "few.jsonl", "--id", "sale-${$.sku}").code == 0
    assert shop.wfrun("batch", "shop.yaml", "--inputs", "more.jsonl", "--id", "sale-${$.sku}").code == 0
    listed = shop.wfrun("list", "--json").json("list")["executions"]
    assert sorted(row["execution"] for row in listed) == ["sale-a0", "sale-a1", "sale-a2", "sale-a3"]


@pytest.mark.parametrize(("id", "words"), [("$.price.x", "price"), ("${uuid()}", "chance"), ("${1 +", "too early")])
def test_ids_that_cannot_be_made(shop: Shell, id: str, words: str) -> None:
    shop.write("one.jsonl", lines(1))
    done = shop.wfrun("batch", "shop.yaml", "--inputs", "one.jsonl", "--id", id)
    assert done.code in (2, 3)
    assert words in done.err + done.out
