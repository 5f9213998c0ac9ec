"""Templates: typed references, interpolation, literals, and all errors at once."""

from __future__ import annotations

from typing import Any

import pytest

from wfrun.core.expression import DictContext, TemplateError, compile_template
from wfrun.core.values import Json
from wfrun.errors import ExpressionError

DATA: dict[str, Json] = {
    "a": 1,
    "b": {"c": "x", "list": [1, 2]},
    "total": 10.5,
    "none": None,
    "yes": True,
    "odd key": 5,
}


def resolve(value: Any, host: Any, **options: bool) -> Any:
    return compile_template(value, **options).resolve(DictContext(DATA), host)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        # a text that is a path
        ("$", DATA),
        ("$.a", 1),
        ("$['odd key']", 5),
        ("$.b.list[*]", [1, 2]),
        ("$.b", {"c": "x", "list": [1, 2]}),
        ("$.none", None),
        ("$..c", ["x"]),
        ("$[?@.c == 'x'].c", ["x"]),
        # exactly one ${ … } keeps its type
        ("${$.a}", 1),
        ("${ $.a + 1 }", 2),
        ("${ $.b.list }", [1, 2]),
        ("${ {a: '}', b: {c: 1}} }", {"a": "}", "b": {"c": 1}}),
        ("${ '${x}' }", "${x}"),
        # interpolation
        ("loan-${$.a}", "loan-1"),
        ("${$.a}${$.a}", "11"),
        ("${$.b.c}/${$.yes}/${$.none}/${$.total}", "x/true/null/10.5"),
        ("${$.b} ", '{"c":"x","list":[1,2]} '),
        ("at ${now()}", "at 2030-01-02T03:04:05Z"),
        ("${'a'}b", "ab"),
        ("a ${1 + 1} b", "a 2 b"),
        # dollars
        ("$$", "$"),
        ("$$.a", "$.a"),
        ("$${$.a}", "${$.a}"),
        ("$$$.a", "$$.a"),
        ("$$${$.a}", "$1"),
        ("a$$b", "a$b"),
        ("$5.00", "$5.00"),
        ("US$", "US$"),
        ("costs $5 or $.50", "costs $5 or $.50"),
        (" $.a", " $.a"),
        ("$a", "$a"),
        ("{$.a}", "{$.a}"),
        # everything else
        ("", ""),
        ("text", "text"),
        (5, 5),
        (None, None),
        (True, True),
        ([], []),
        ({}, {}),
        ({"$.a": "$.a"}, {"$.a": 1}),
        ({"x": ["$.a", {"y": "n${$.a}"}, "z"], "k": 1.5}, {"x": [1, {"y": "n1"}, "z"], "k": 1.5}),
        (["$$", 1], ["$", 1]),
    ],
)
def test_resolve(host: Any, template: Any, expected: Any) -> None:
    value = resolve(template, host)
    assert value == expected
    assert type(value) is type(expected)


def test_what_a_template_tells() -> None:
    template = compile_template({"x": ["k", "$.a.b"], "y": "n${$.c + $.d[*].e} ${$.f ?? 1}", "z": 1})
    told = [
        (path, found.text, found.segments, found.definite, found.optional, found.column)
        for path, found in template.references
    ]
    assert told == [
        (("x", 1), "$.a.b", ("a", "b"), True, False, 1),
        (("y",), "$.c", ("c",), True, False, 4),
        (("y",), "$.d[*].e", ("d",), False, False, 10),
        (("y",), "$.f", ("f",), True, True, 22),
    ]
    assert not template.constant
    assert template.variables == ()


@pytest.mark.parametrize(
    ("template", "constant"),
    [
        ("text", True),
        ({"a": ["$$", 1, "${1 + 1}"]}, True),
        ("${uuid()}", False),
        ("$.a", False),
        ({"a": [1, "x${$.a}"]}, False),
    ],
)
def test_constant(template: Any, constant: bool) -> None:
    assert compile_template(template).constant is constant


def test_a_constant_template_is_resolved_once(host: Any) -> None:
    value: Any = {"a": ["$$", {"b": 1}]}
    template = compile_template(value)
    assert template.resolve(DictContext({}), host) is template.resolve(DictContext({}), host)
    assert value == {"a": ["$$", {"b": 1}]}


def test_variables_where_they_are_allowed(host: Any) -> None:
    template = compile_template({"url": "https://${env.HOST}/", "key": "${secret.API_KEY}"}, variables=True)
    assert template.variables == (("env", "HOST", False), ("secret", "API_KEY", False))
    assert not template.constant
    assert template.resolve(DictContext({}), host) == {"url": "https://env HOST/", "key": "secret API_KEY"}
    with pytest.raises(TemplateError, match=r"env\.… cannot be used here"):
        compile_template("${env.HOST}")
    absent = compile_template(["${env.ABSENT}"], variables=True)
    with pytest.raises(ExpressionError) as caught:
        absent.resolve(DictContext({}), host)
    assert (caught.value.code, caught.value.template_path) == ("expression.undefined", (0,))


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("$.a-b", 4, "$['a-b']"),
        ("$.a + 1", 4, "${ … }"),
        ("$.", 3, "expected a name"),
        ("$. is not much", 3, "other keys are quoted"),
        ("$[", 2, "$$"),
        ("$.a[?@.x = 1]", 10, "write =="),
        ("x ${$.a", 8, "never closed"),
        ("x ${", 5, "too early"),
        ("x ${}", 5, "unexpected '}'"),
        ("x ${$.a $.b}", 9, "expected '}'"),
        ("x ${len($.a)}", 5, "size(…)"),
        ("x ${1 / 0}", 7, "division by zero"),
        ("x ${'a}", 5, "no closing"),
    ],
)
def test_errors(text: str, column: int, part: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"k": [text]})
    [(path, error)] = caught.value.errors
    assert path == error.template_path == ("k", 0)
    assert error.column == column, error
    assert part in f"{error.message} ({error.hint})"


def test_all_errors_at_once() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"a": "$.x-y", "b": ["fine", "${"], "c": "$.ok"})
    assert [path for path, _ in caught.value.errors] == [("a",), ("b", 1)]
    assert "; " in str(caught.value)


@pytest.mark.parametrize(
    ("template", "path", "column"),
    [
        ({"x": [0, "$.nowhere"]}, ("x", 1), 1),
        ({"x": "n${1 + $.b.c}"}, ("x",), 6),
    ],
)
def test_where_an_error_is(host: Any, template: Any, path: tuple[str | int, ...], column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        resolve(template, host)
    assert caught.value.template_path == path
    assert caught.value.column == column


def test_too_long_a_text(host: Any) -> None:
    template = compile_template({"x": "${$.t}${$.t}"})
    with pytest.raises(ExpressionError) as caught:
        template.resolve(DictContext({"t": "x" * 600_000}), host)
    assert (caught.value.code, caught.value.template_path) == ("expression.limit", ("x",))


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("${{ order.id }}", "${ $.order.id }"),
        ("${{ inputs.amount }}", "${ $.amount }"),
        ("${{ $.a }}", "${ $.a }"),
        ("${{ a + }}", "${ $.x }"),
    ],
)
def test_the_braces_of_other_tools(text: str, better: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(text)
    [(_, error)] = caught.value.errors
    assert error.hint == f"one pair of braces, and data begins with $.: {better}"


def test_an_object_is_in_two_pairs_of_braces() -> None:
    assert compile_template("${{a: 1}}").constant
