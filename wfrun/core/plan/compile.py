"""Definition to plan: every step gets its id, every expression is parsed, and everything wrong is told at once.

The shape has been checked by the JSON Schema before; what is refused here is what a schema cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wfrun.core.definition import Document, Path, render_path
from wfrun.core.expression import (
    Expression,
    Template,
    TemplateError,
    compile_template,
    defer_template,
    parse,
    parse_duration,
)
from wfrun.core.expression.hints import double_braces
from wfrun.core.plan.nodes import Audience, Call, Conditional, HumanTask, Parallel, Plan, Sequence, Step, walk
from wfrun.core.retry import Retry
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, InvalidError, Problem, in_order

DEFAULT_RETRIES = 3
DECISIONS = ["approved", "rejected"]

# The constants `true` and `false`, written as YAML booleans, are conditions too.
_CONSTANTS = {True: "true", False: "false"}


def compile_plan(document: Document) -> tuple[Plan, list[Problem]]:
    """The plan, and advice that does not keep it from running. Raises InvalidError with every error found."""
    plan, problems = examine_plan(document)
    _refuse([problem for problem in problems if problem.severity == "error"])
    return plan, problems


def examine_plan(document: Document) -> tuple[Plan, list[Problem]]:
    """The plan, and all that its checks say, errors as well as advice. Raises InvalidError for what cannot be built."""
    from wfrun.core.plan.check import check  # not needed by whoever goes on with an execution

    compiler = _Compiler(document, compile_template)
    plan = compiler.plan()
    _refuse(compiler.problems)
    return plan, in_order(check(plan))


def build_plan(document: Document) -> Plan:
    """The plan of a definition that passed `compile_plan` when it started: nothing is checked again, and templates are
    compiled when they are needed. Raises InvalidError for what cannot be built at all."""
    compiler = _Compiler(document, defer_template)
    plan = compiler.plan()
    _refuse(compiler.problems)
    return plan


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidError(in_order(problems))


class _Compiler:
    def __init__(self, document: Document, compile: Callable[[Json], Template]) -> None:
        self.document = document
        self._compile = compile
        self.problems: list[Problem] = []
        self._data: dict[str, Any] = document.data  # type: ignore[assignment]
        self._names: dict[str, Path] = {}
        self._compensations: dict[str, Any] = dict(self._data.get("compensations", {}))
        handling = self._data.get("errorHandling", {})
        self._retry = self._inherited_retry(handling)
        self._timeout = self._duration(handling, "timeout", ("errorHandling",))

    def plan(self) -> Plan:
        root = self._block(self._data["steps"], ("steps",))
        if not isinstance(root, Sequence):
            root = Sequence("steps", ("steps",), None, (root,))
        if not any(problem.code == "plan.duplicate-name" for problem in self.problems):
            # A name given twice is most likely the one that a compensation misses, so that is told alone.
            self._compensations_of_nothing()
        output = self._template(self._data["output"], ("output",)) if "output" in self._data else None
        names = [step.id for step in walk(root) if isinstance(step, Call | HumanTask)]
        return Plan(self._data["name"], self._data.get("version", 1), self.document, root, output, names)

    def _compensations_of_nothing(self) -> None:
        for name in self._compensations:
            self._error(
                "plan.unknown-step",
                f"compensation for {name!r}, but no step that calls a service has that name",
                ("compensations", name),
                self._nearest(name, self._names),
                key=True,
            )

    # ---- steps

    def _block(self, data: Any, path: Path) -> Step:
        """A list of steps or a single one, as every place that expects steps accepts both."""
        if isinstance(data, list):
            steps = tuple(self._step(item, (*path, index)) for index, item in enumerate(data))
            return Sequence(render_path(path), path, None, steps)
        return self._step(data, path)

    def _step(self, data: Any, path: Path) -> Step:
        if isinstance(data, list):
            return self._block(data, path)
        match data.get("type"):
            case "sequential":
                steps = self._block(data["steps"], (*path, "steps"))
                return Sequence(self._id(data, path), path, self._condition(data, path), (steps,))
            case "parallel":
                return self._parallel(data, path)
            case "conditional":
                return self._conditional(data, path)
            case "human-task":
                return self._human_task(data, path)
            case _:
                return self._service_call(data, path)

    def _parallel(self, data: Any, path: Path) -> Parallel:
        branches = [self._step(item, (*path, "steps", index)) for index, item in enumerate(data["steps"])]
        return Parallel(
            self._id(data, path),
            path,
            self._condition(data, path),
            tuple(branches),
            data.get("concurrency"),
            data.get("onFailure", "cancel") == "cancel",
        )

    def _conditional(self, data: Any, path: Path) -> Conditional:
        choice = self._expression(data["condition"], (*path, "condition"))
        then = self._block(data["then"], (*path, "then"))
        otherwise = self._block(data["else"], (*path, "else")) if "else" in data else None
        return Conditional(self._id(data, path), path, None, choice, then, otherwise)

    def _service_call(self, data: Any, path: Path) -> Call:
        id = self._id(data, path)
        return self._call(data, path, id, self._condition(data, path), self._compensation(data, path, id))

    def _call(
        self, data: Any, path: Path, id: str, condition: Expression | None = None, compensation: Call | None = None
    ) -> Call:
        timeout = self._duration(data, "timeout", path)
        return Call(
            id=id,
            path=path,
            condition=condition,
            service=data["service"],
            action=data["action"],
            input=self._template(data.get("input"), (*path, "input")),
            key=self._template(data["idempotencyKey"], (*path, "idempotencyKey")) if "idempotencyKey" in data else None,
            output=data.get("output"),
            retry=self._step_retry(data, path),
            timeout=self._timeout if timeout is None else timeout,
            deadline=self._duration(data, "deadline", path),
            compensation=compensation,
        )

    def _compensation(self, data: Any, path: Path, id: str) -> Call | None:
        elsewhere = self._compensations.pop(id, None)
        if "compensate" in data and elsewhere is not None:
            self._error(
                "plan.two-compensations",
                f"{id!r} has `compensate` here and an entry in `compensations`",
                ("compensations", id),
                "keep one of them",
                key=True,
            )
        if "compensate" in data:
            return self._call(data["compensate"], (*path, "compensate"), id)
        return self._call(elsewhere, ("compensations", id), id) if elsewhere is not None else None

    def _human_task(self, data: Any, path: Path) -> HumanTask:
        id = self._id(data, path)
        assignee = data["assignee"]
        more = assignee if isinstance(assignee, dict) else {}
        chain = [self._audience(data, path)]
        chain += [self._audience(item, (*path, "escalation", i)) for i, item in enumerate(data.get("escalation", []))]
        escalates = data.get("onTimeout", "fail") == "escalate"
        self._check_escalation(data, path, escalates)
        return HumanTask(
            id=id,
            path=path,
            condition=self._condition(data, path),
            title=self._template(data.get("title", id), (*path, "title")),
            description=self._template(data.get("description"), (*path, "description")),
            data=self._template(data.get("input"), (*path, "input")),
            form=data.get("form", {}),
            decisions=tuple(data.get("decisions", DECISIONS)),
            quorum=more.get("quorum", data.get("quorum", 1)),
            exclude_initiator=more.get("excludeInitiator", data.get("excludeInitiator", False)),
            audiences=tuple(chain),
            stays_open=escalates and len(chain) == 1,
            accept_rejection=data.get("onReject", "fail") == "continue",
            output=data.get("output"),
        )

    def _check_escalation(self, data: Any, path: Path, escalates: bool) -> None:
        if escalates and "timeout" not in data:
            self._error("plan.no-timeout", "`onTimeout` needs a `timeout`", (*path, "onTimeout"), "add one", key=True)
        if "escalation" in data and not escalates:
            self._error(
                "plan.no-escalation",
                "`escalation` is only followed with `onTimeout: escalate`",
                (*path, "escalation"),
                "add `onTimeout: escalate`",
                key=True,
            )

    def _audience(self, data: Any, path: Path) -> Audience:
        assignee, at = data["assignee"], (*path, "assignee")
        groups = assignee if isinstance(assignee, dict) else {"names": assignee}
        names, users, people = (
            self._template(groups.get(kind, []), (*at, kind) if kind in groups and groups is assignee else at)
            for kind in ("names", "users", "groups")
        )
        return Audience(names, users, people, self._duration(data, "timeout", path))

    # ---- what steps have in common

    def _id(self, data: Any, path: Path) -> str:
        name = data.get("name")
        if name is None:
            return render_path(path)
        if name in self._names:
            first = self.document.place((*self._names[name], "name"))
            self._error(
                "plan.duplicate-name",
                f"the name {name!r} is taken by the step in line {first.line}",
                (*path, "name"),
                "a name is a step's identity in the journal: give each its own",
            )
        self._names[name] = path
        return str(name)

    def _condition(self, data: Any, path: Path) -> Expression | None:
        if "condition" not in data:
            return None
        return self._expression(data["condition"], (*path, "condition"))

    def _expression(self, text: Any, path: Path) -> Expression:
        try:
            return parse(_CONSTANTS[text] if isinstance(text, bool) else _bare(text))
        except ExpressionError as error:
            if isinstance(text, str) and text.strip().startswith("${{"):
                error.hint = double_braces(text.strip()[2:])
            self._expression_problem(error, path)
            return parse("true")

    def _template(self, value: Json, path: Path) -> Template:
        try:
            return self._compile(value)
        except TemplateError as error:
            for inside, problem in error.errors:
                self._expression_problem(problem, path + inside)
            return compile_template(None)

    def _expression_problem(self, error: ExpressionError, path: Path) -> None:
        column = f", column {error.column} of the expression" if error.column else ""
        self._error(error.code, f"{error.message}{column}", path, error.hint)

    def _duration(self, data: Mapping[str, Any], key: str, path: Path) -> int | None:
        if key not in data:
            return None
        try:
            return parse_duration(data[key])
        except ExpressionError as error:
            self._error("plan.duration", error.message, (*path, key), error.hint)
            return None

    # ---- retries

    def _inherited_retry(self, handling: Mapping[str, Any]) -> Retry:
        """What every step inherits. Nothing is retried unless the author says so in some way."""
        if "retryPolicy" not in handling and "maxRetries" not in handling:
            return Retry()
        written = handling.get("retryPolicy", "exponential")
        retry = self._merge_retry(Retry(), written, ("errorHandling", "retryPolicy"))
        return replace(retry, max_retries=handling["maxRetries"]) if "maxRetries" in handling else retry

    def _step_retry(self, data: Any, path: Path) -> Retry:
        return self._merge_retry(self._retry, data["retry"], (*path, "retry")) if "retry" in data else self._retry

    def _merge_retry(self, inherited: Retry, written: Any, path: Path) -> Retry:
        """`written` is the name of a policy or a mapping; what it leaves out is inherited."""
        mapping: dict[str, Any] = {"policy": written} if isinstance(written, str) else written
        assumed = "exponential" if inherited.policy == "none" else inherited.policy
        initial = self._duration(mapping, "initialDelay", path)
        longest = self._duration(mapping, "maxDelay", path)
        return Retry(
            policy=mapping.get("policy", assumed),
            max_retries=mapping.get("maxRetries", inherited.max_retries or DEFAULT_RETRIES),
            initial_delay=inherited.initial_delay if initial is None else initial,
            multiplier=mapping.get("multiplier", inherited.multiplier),
            max_delay=inherited.max_delay if longest is None else longest,
            jitter=mapping.get("jitter", inherited.jitter),
            on=tuple(mapping.get("on", inherited.on)),
            never=tuple(mapping.get("never", inherited.never)),
        )

    # ---- problems

    def _error(self, code: str, message: str, path: Path, hint: str = "", *, key: bool = False) -> None:
        self.problems.append(Problem(code, message, self.document.place(path, key=key), hint))

    def _nearest(self, name: str, known: Mapping[str, Path]) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        return f"did you mean {near[0]!r}?" if near else ""


def _bare(text: str) -> str:
    """A condition may be written as `${ … }`, too: the braces add nothing."""
    stripped = text.strip()
    if stripped.startswith("${") and stripped.endswith("}") and "${" not in stripped[2:]:
        return stripped[2:-1]
    return text
