"""Why an execution is not driven on while something of a runner that died is still at work."""

from __future__ import annotations

from wfrun.engines.local.driver import orphaned


def test_who_is_still_at_work_is_told() -> None:
    refused = orphaned("e1", "pay", [41, 42])
    assert (refused.code, refused.exit_code) == ("execution.orphan", 2)
    assert "e1: pay" in refused.message
    assert "process 41, 42" in refused.message
    assert "wfrun resume e1" in refused.hint
    assert "cannot be seen" in orphaned("e1", "pay", []).message
