"""What is no expression: the column, the reason, and what to write instead."""

from __future__ import annotations

import pytest

from wfrun.core.expression import parse
from wfrun.errors import ExpressionError


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("", 1, "ends too early"),
        ("  ", 3, "ends too early"),
        ("1 +", 4, "ends too early"),
        ("1 2", 3, "unexpected '2'"),
        ("* 2", 1, "unexpected '*'"),
        ("(1", 3, "expected ')'"),
        ("(1]", 3, "expected ')' to close the parenthesis, not ']'"),
        ("[1 2]", 4, "or ']' in the list"),
        ("[1,]", 4, "unexpected ']'"),
        ("{a 1}", 4, "expected ':'"),
        ("{a: 1, a: 2}", 9, "stands twice"),
        ("{1: 2}", 2, "expected a key"),
        ("1 < 2 < 3", 7, "a < b and b < c"),
        ("1 == 2 != 3", 8, "chained"),
        ("$.a = 1", 5, "write =="),
        ("$.a === 1", 7, "write =="),
        ("$.a <> 1", 6, "unexpected '>'"),
        ("$.a & $.b", 5, "write and"),
        ("$.a | $.b", 5, "write or"),
        ("$.a not in [1]", 5, "not (a in b)"),
        ("$.a == not true", 8, "(not a)"),
        ("$.a == !true", 8, "(not a)"),
        ("$.a is null", 5, "write =="),
        ("True", 1, "write true"),
        ("$.a == None", 8, "write null"),
        ("$.a AND $.b", 5, "write and"),
        ("total > 5", 1, "$.total"),
        ("$.a-b", 5, "$['a-b']"),
        ("$total", 1, "$.total"),
        ("size", 1, "size(…)"),
        ("len($.a)", 1, "size(…)"),
        ("contians($.a, 'x')", 1, "did you mean contains()?"),
        ("frobnicate(1)", 1, "no function frobnicate()"),
        ("size()", 1, "takes 1 argument, not 0"),
        ("replace('a', 'b')", 1, "takes 3 arguments, not 2"),
        ("range(1, 2, 3, 4)", 1, "takes 1 to 3 arguments, not 4"),
        ("min()", 1, "takes 1 or more arguments"),
        ("has(1)", 1, "has() asks for a path"),
        ("has($.a + 1)", 1, "has() asks for a path"),
        ("has($.a, 1)", 8, "close has()"),
        ("default($.a)", 12, "another value in default()"),
        ("any($.a)", 8, "after the list of any()"),
        ("any($.a, 1, true)", 10, "a name for the element"),
        ("any($.a, not, true)", 10, "is taken"),
        ("any($.a, i, any($.b, i, true))", 22, "is taken"),
        ("any($.a, i, i > 1) and i > 1", 24, "unknown name 'i'"),
        ("'abc", 1, "no closing '"),
        ("'a\\", 1, "no closing '"),
        (r"'\q'", 1, "broken escape"),
        (r"'\ud800'", 1, "surrogate"),
        ("'a\nb'", 3, "line break"),
        ('"x\x07"', 3, "control character"),
        ("“text”", 1, "straight quotes"),
        ("`a`", 1, "quoted with"),
        ("1.", 1, "not a number"),
        (".5", 1, "write 0.5"),
        ("01", 1, "not a number"),
        ("1_000", 1, "not a number"),
        ("1e999", 1, "too large"),
        ("5x", 1, "not a number"),
        ("@.a", 1, "only in the filter"),
        ("env.HOME", 1, "cannot be used here"),
        ("secret.KEY", 1, "cannot be used here"),
        ("$.a ? 1", 8, "expected ':'"),
        ("$.a.", 5, "expected a name after '.'"),
        ("$.a..", 6, "expected a name after '..'"),
        ("$.a[", 5, "ends too early"),
        ("$.a['b'", 4, "no ']'"),
        ("$.a[1 + 1]", 7, "parentheses: [(…)]"),
        ("$.a[?@.b = 1]", 10, "write =="),
        ("$.a[?@.b == 1 and @.c]", 15, "&&"),
        ("1 + #", 5, "unexpected '#'"),
        ("matches($.a, '(')", 1, "RE2"),
        ("matches($.a, '(?=x)')", 1, "look-around"),
        ("$.a; $.b", 4, "unexpected ';'"),
        ("first($.a).1", 12, "expected a name"),
        ("first($.a).'b'", 12, "expected a name"),
    ],
)
def test_refused(text: str, column: int, part: str) -> None:
    error = refusal(text)
    assert part in f"{error.message} ({error.hint})"
    assert error.column == column
    assert error.code in ("expression.syntax", "expression.value")


def test_variables_where_they_are_allowed() -> None:
    expression = parse("env.HOME + secret.API_KEY", variables=True)
    assert [each[:2] for each in expression.variables] == [("env", "HOME"), ("secret", "API_KEY")]
    assert not expression.constant
    with pytest.raises(ExpressionError, match=r"expected a name after 'env\.'"):
        parse("env.'a'", variables=True)


def test_an_invisible_space_is_named() -> None:
    assert "invisible" in refusal("$.a\u00a0== 1").message
