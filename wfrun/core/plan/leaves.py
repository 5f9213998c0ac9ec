"""Steps that lead to no other steps, compiled: calls, people, waits, values, events, children, ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wfrun.core.definition import Path
from wfrun.core.expression import DictContext, Host, Template, parse_duration, to_instant
from wfrun.core.plan import retries
from wfrun.core.plan.draft import Common, Draft
from wfrun.core.plan.nodes import (
    Audience,
    Await,
    Call,
    Child,
    Emit,
    Fail,
    Finish,
    HumanTask,
    Listener,
    Pause,
    Set,
)
from wfrun.errors import ExpressionError

DECISIONS = ["approved", "rejected"]


def call(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Call:
    timeout = draft.duration(data, "timeout", path)
    return Call(
        **common,
        service=data["service"],
        action=data["action"],
        input=draft.template(data.get("input"), (*path, "input")),
        key=_optional(draft, data, "idempotencyKey", path),
        output=data.get("output"),
        retries=retries.of_call(draft, data, path),
        timeout=draft.timeout if timeout is None else timeout,
        deadline=draft.duration(data, "deadline", path),
        pivot=data.get("pivot", False),
        heartbeat=draft.duration(data, "heartbeat", path),
        on_crash=data.get("onCrash", draft.on_crash),
    )


def human_task(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> HumanTask:
    chain = [_audience(draft, data, path)]
    chain += [_audience(draft, item, (*path, "escalation", i)) for i, item in enumerate(data.get("escalation", []))]
    escalates = data.get("onTimeout", "fail") == "escalate"
    _check_escalation(draft, data, path, escalates)
    return HumanTask(
        **common,
        title=draft.template(data.get("title", common["id"]), (*path, "title")),
        description=draft.template(data.get("description"), (*path, "description")),
        data=draft.template(data.get("input"), (*path, "input")),
        form=data.get("form", {}),
        decisions=tuple(data.get("decisions", DECISIONS)),
        audiences=tuple(chain),
        stays_open=escalates and len(chain) == 1,
        accept_rejection=data.get("onReject", "fail") == "continue",
        output=data.get("output"),
    )


def _check_escalation(draft: Draft, data: Mapping[str, Any], path: Path, escalates: bool) -> None:
    if escalates:
        _needs_timeout(draft, data, path)
    elif "escalation" in data and not draft.document.gaps.directly_in(path):
        draft.error(
            "plan.no-escalation",
            "`escalation` is only followed with `onTimeout: escalate`",
            (*path, "escalation"),
            "add `onTimeout: escalate`",
            key=True,
        )


def _needs_timeout(draft: Draft, data: Mapping[str, Any], path: Path) -> None:
    if "timeout" not in data and not draft.document.gaps.directly_in(path):
        draft.error("plan.no-timeout", "`onTimeout` needs a `timeout`", (*path, "onTimeout"), "add one", key=True)


def _audience(draft: Draft, data: Mapping[str, Any], path: Path) -> Audience:
    assignee, at = data["assignee"], (*path, "assignee")
    groups = assignee if isinstance(assignee, dict) else {"names": assignee}
    names, users, people = (
        draft.template(groups.get(kind, []), (*at, kind) if kind in groups and groups is assignee else at)
        for kind in ("names", "users", "groups")
    )
    return Audience(
        names,
        users,
        people,
        quorum=groups.get("quorum", 1),
        exclude_initiator=groups.get("excludeInitiator", False),
        timeout=draft.duration(data, "timeout", path),
    )


def wait(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Pause | Await:
    if "event" in data:
        return _await(draft, data, path, common)
    kind = "for" if "for" in data else "until"
    time = draft.template(data[kind], (*path, kind))
    if time.constant:
        _check_constant_time(draft, time, kind, path)
    return Pause(**common, kind="for" if kind == "for" else "until", time=time)


def _check_constant_time(draft: Draft, time: Template, kind: str, path: Path) -> None:
    written: Any = time.resolve(DictContext({}), cast(Host, None))
    try:
        parse_duration(written) if kind == "for" else to_instant(written)
    except ExpressionError as error:
        message = error.message if kind == "for" else f"{written!r} is no instant: {error.message}"
        hint = error.hint or "instants are written 2030-01-31T09:30:00Z or 2030-01-31"
        draft.error("plan.duration" if kind == "for" else "plan.instant", message, (*path, kind), hint)


def _await(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Await:
    event, complete = data["event"], data.get("complete", "all")
    single = not isinstance(event, list)
    _check_await(draft, data, path, single)
    listeners = (
        [Listener(path, event, draft.expression(data, "match", path))] if single else _listeners(draft, event, path)
    )
    return Await(
        **common,
        listeners=tuple(listeners),
        complete={"all": len(listeners), "any": 1}.get(complete, complete),
        single=single or complete == "any",
        accept_timeout=data.get("onTimeout", "fail") == "continue",
        early=data.get("early", "keep") == "keep",
        output=data.get("output"),
    )


def _listeners(draft: Draft, events: list[Any], path: Path) -> list[Listener]:
    found = []
    for index, written in enumerate(events):
        at = (*path, "event", index)
        listed = {"event": written} if isinstance(written, str) else written
        found.append(Listener(at, listed["event"], draft.expression(listed, "match", at)))
    return found


def _check_await(draft: Draft, data: Mapping[str, Any], path: Path, single: bool) -> None:
    if "onTimeout" in data:
        _needs_timeout(draft, data, path)
    if draft.gaps.at((*path, "event")):
        return
    if "match" in data and not single:
        hint = "write `event: [{event: name, match: …}, …]`"
        draft.error("plan.match", "each of several events has a `match` of its own", (*path, "match"), hint, key=True)
    if "complete" in data and single:
        message = "`complete` says how many of several events have to come, and this is one"
        draft.error("plan.complete", message, (*path, "complete"), "leave it out, or write a list of events", key=True)


def set_values(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Set:
    return Set(**common, values=draft.templates(data["values"], (*path, "values")))


def emit(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Emit:
    return Emit(**common, event=data["event"], data=draft.template(data.get("data"), (*path, "data")))


def child(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Child:
    return Child(
        **common,
        workflow=data["workflow"],
        version=data.get("version"),
        input=draft.template(data.get("input"), (*path, "input")),
        output=data.get("output"),
        detach=data.get("detach", False),
    )


def fail(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Fail:
    error = draft.template(data.get("error", "failed"), (*path, "error"))
    message = draft.template(data.get("message"), (*path, "message"))
    return Fail(**common, error=error, message=message, details=draft.template(data.get("details"), (*path, "details")))


def end(draft: Draft, data: Mapping[str, Any], path: Path, common: Common) -> Finish:
    return Finish(**common, output=_optional(draft, data, "output", path))


def _optional(draft: Draft, data: Mapping[str, Any], key: str, path: Path) -> Template | None:
    return draft.template(data[key], (*path, key)) if key in data else None
