"""What is fuzzed: functions of bytes that must take anything. Each answers what came of it, so that it can be compared.

An error of ours (WfrunError) is an answer; any other exception is a finding.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from hashlib import sha256

from wfrun.adapters.http_answer import Answer, result_of
from wfrun.cli.declare import COMMANDS, load
from wfrun.cli.parse import parse
from wfrun.core.definition import Document
from wfrun.core.expression import Expression, defer_template
from wfrun.core.expression import parse as parse_expression
from wfrun.core.plan import examine_plan
from wfrun.core.plan.lint import lint
from wfrun.errors import WfrunError
from wfrun.journal.scan import scan
from wfrun.load.definition import examine_definition, examine_services
from wfrun.load.json import parse_json
from wfrun.load.references import inline_references


def answer(function: Callable[[], object]) -> str:
    try:
        return str(function())
    except WfrunError as error:
        return str(error)


def workflow(data: bytes) -> str:
    """YAML, shape, plan and advice, of whatever is left of it."""

    def examine() -> object:
        document, misshapen = examine_definition(data, "f")
        return misshapen, checked(document)

    return answer(examine)


def checked(document: Document) -> object:
    left, wrong = inline_references(document)
    plan, problems = examine_plan(left)
    return wrong, problems, lint(plan)


def services(data: bytes) -> str:
    return answer(lambda: examine_services(data, "f")[1])


def json(data: bytes) -> str:
    return answer(lambda: parse_json(data, "f"))


def expression(data: bytes) -> str:
    text = data.decode(errors="replace")

    def read() -> object:
        found: Expression = parse_expression(text)
        return found.text, found.references, found.operations

    return answer(read) + answer(lambda: defer_template(text).references)


def journal(data: bytes) -> str:
    found = scan(data)
    assert len(found.torn) <= len(data)
    return f"{len(found.records)} {found.head} {sha256(found.torn).hexdigest()} {found.damage}"


def arguments(data: bytes) -> str:
    """What is typed, as far as nothing is done yet."""
    try:
        words = shlex.split(data.decode(errors="replace"))
    except ValueError:
        return ""
    if not words or words[0] not in COMMANDS:
        return ""
    return answer(lambda: parse(load(words[0]).parameters, words[1:]))


def http(data: bytes) -> str:
    """What a server answered: its status, kind and wish to be asked later in a line each, then its body."""
    status, kind, retry_after, content = [*data.split(b"\n", 3), b"", b"", b""][:4]
    media = kind.decode("latin-1")
    _, _, charset = media.partition("charset=")
    response = Answer("GET f", _number(status), media, charset or None, retry_after.decode("latin-1"), content)
    return answer(lambda: result_of(response))


def _number(text: bytes) -> int:
    return int(text) if len(text) == 3 and text.isdigit() else 200


TARGETS: Mapping[str, Callable[[bytes], str]] = {
    "workflow": workflow,
    "services": services,
    "json": json,
    "expression": expression,
    "journal": journal,
    "arguments": arguments,
    "http": http,
}
