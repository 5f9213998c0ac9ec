from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.adapters.data import shortened
from wfrun.adapters.secrets import Redactor
from wfrun.errors import ExpressionError, ServiceError


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    variable = made.recording(lambda kind, name: name)
    for secret in secrets:
        variable("secret", secret)
    return made


SECRETS = st.text(st.characters(codec="utf-8"), min_size=8, max_size=40)
AROUND = st.text("abc=&/ ", max_size=5)


@given(SECRETS, AROUND, AROUND)
def test_no_dress_of_a_secret_gets_through(secret: str, before: str, after: str) -> None:
    hide = redactor(secret).text
    for dressed in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
        assert dressed not in hide(before + dressed + after).replace("***", "")


@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_base64_hides_nothing_either(secret: str, before: bytes, after: bytes) -> None:
    """All but the few characters that the neighbours have a share in disappear."""
    for encode in (b64encode, urlsafe_b64encode):
        encoded = encode(before + secret.encode() + after).decode()
        left = redactor(secret).text(encoded)
        assert "***" in left
        assert len(left.replace("***", "")) <= (len(before) + len(after)) * 4 / 3 + 6


def test_basic_authentication_is_hidden() -> None:
    encoded = b64encode(b"user:correct horse battery").decode()
    left = redactor("correct horse battery").text(f"Authorization: Basic {encoded}")
    assert len(left) < len(f"Authorization: Basic {encoded}") - 20


def test_lower_case_escapes_are_hidden() -> None:
    assert redactor("pass/word").text("https://x/?p=pass%2fword") == "https://x/?p=***"


def test_a_longer_secret_is_hidden_before_one_that_it_contains() -> None:
    assert redactor("abcd", "abcdefgh").text("abcdefgh abcd") == "*** ***"


def test_each_long_line_of_a_secret_is_hidden() -> None:
    assert redactor("-----BEGIN-----\nMIIEvQIBADAN\n").text("line 1: MIIEvQIBADAN") == "line 1: ***"


def test_numbers_are_hidden_as_a_whole_only() -> None:
    assert redactor("123456").json({"pin": 123456, "amount": 11234567, "text": "a123456b"}) == {
        "pin": "***",
        "amount": 11234567,
        "text": "a***b",
    }


def test_keys_and_nested_values_are_hidden() -> None:
    assert redactor("hunter22").json([{"hunter22": ["x hunter22"]}, None, True]) == [{"***": ["x ***"]}, None, True]


def test_without_secrets_everything_stays_the_very_same() -> None:
    hide, error, value = redactor(), ServiceError("a.b", "c"), [1]
    assert hide.error(error) is error
    assert hide.json(value) is value  # type: ignore[arg-type]


def test_what_is_no_secret_is_not_hidden() -> None:
    made = Redactor()
    made.recording(lambda kind, name: "eu-west-1")("env", "REGION")
    assert made.text("eu-west-1") == "eu-west-1"


@pytest.mark.parametrize("secret", ["", "abc"])
def test_a_secret_that_cannot_be_hidden_is_refused(secret: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        redactor(secret)
    assert caught.value.code == "secret.short"


def test_of_a_text_that_was_cut_not_even_the_beginning_of_a_secret_is_left() -> None:
    secret = "correct horse battery staple"
    hide = redactor(secret).text
    text = "it is " + secret + " and more" * 20
    for most in range(20, 60):
        cut = hide(shortened(text, most))
        assert "correct" not in cut
        assert "horse" not in cut
    assert hide("it is corroded …") == "it is corroded …"
