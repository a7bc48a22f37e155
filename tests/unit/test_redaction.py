"""No secret in a line of the log, in an error that leaves a function, or in what others write around us."""

import io
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_audit import telemetry
from slack_audit.errors import RedactedError, TokenRefusedError
from slack_audit.redaction import MARK, SHOW_SECRETS, guarded, redact, serialized

pytestmark = pytest.mark.writes_secrets("so that they are taken out")

TOKENS = [
    "xoxp-1234567890-1234567890-0a1b2c3d",
    "xoxb-1-2-AbCdEfGh",
    "xoxa-2-hgfedcba",
    "xoxe-1-My0xLTI=",
    "xoxe.xoxp-1-Mi0yLTE=",
    "xoxe.xoxb-1-Mi0yLTE=",
    "xapp-1-A0B-12-0c0d0e0f",
]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    telemetry.take_over_logging()
    return written


def body(token: str) -> str:
    """What makes it a secret."""
    return token.rpartition("-")[2]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "around", ["{}", "a {} b", '{{"a": "{}"}}', "'{}'", "b'Bearer {}'", "x={}&y=1", "<{}>", "{}\n"]
)
def test_of_a_token_only_the_kind_stays(token, around):
    assert redact(around.format(token)) == around.format(token[: token.index("-") + 1] + MARK)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MARK}"),
        ("Authorization: Basic Y2xpZW50OmFi", f"Authorization: Basic {MARK}"),
        ("{'Authorization': 'Basic Y2xpZW50OmFi'}", f"{{'Authorization': '{MARK}'}}"),
        ("('Authorization', b'Basic Y2xp')", f"('Authorization', b'{MARK}')"),
        ("Invalid header value b'Bearer abc'", f"Invalid header value b'Bearer {MARK}'"),
        ("/?client_secret=0a1b&refresh_token=2c3d&limit=1", f"/?client_secret={MARK}&refresh_token={MARK}&limit=1"),
        ('{"client_secret": "0a1b 2c"}', f'{{"client_secret": "{MARK}"}}'),
        (r'"{\"token\": \"0a1b 2c\"}"', rf'"{{\"token\": \"{MARK}\"}}"'),
        ("Pair(token='0a1b', refresh_token='2c3d')", f"Pair(token='{MARK}', refresh_token='{MARK}')"),
    ],
)
def test_what_has_no_form_is_found_by_the_name_before_it(text, said):
    assert redact(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "Put a user token (xoxp-...) of an organisation owner",
        '--secret-string \'{"token": "xoxp-..."}\'',
        "the token is not accepted",
        "no token: it has no value yet",
        "A refresh token xoxe-… was used",
        "foxp-1 and axoxp and xoxp",
        "next_token is 5, max_tokens=5",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


@pytest.mark.parametrize("token", TOKENS)
def test_what_is_redacted_stays_as_it_is(token):
    once = redact(f'Bearer {token} {{"token": "{token}"}} client_secret={token}')
    assert redact(once) == once


nested = st.recursive(
    st.sampled_from(TOKENS) | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(LETTERS, max_size=4) | st.sampled_from(TOKENS), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(value=nested, depth=st.integers(0, 2))
def test_a_line_of_the_log_is_json_without_a_token_whatever_is_in_it(value, depth):
    for _ in range(depth):
        value = json.dumps({"body": value})
    line = serialized({"message": value, "extra": {"inside": [value]}})
    assert not [token for token in TOKENS if body(token) in line]
    assert set(json.loads(line)) == {"message", "extra"}


def test_messages_fields_exceptions_and_stack_traces_are_redacted(log):
    def with_a_local(token: str) -> None:
        raise ValueError(f"Invalid header value b'Bearer {token}'")

    for token in TOKENS:
        try:
            with_a_local(token)
        except ValueError:
            telemetry.logger.exception("failed with %s", token, extra={"deep": [{"a": (token, {token: 1})}]})
    assert len(log.getvalue().splitlines()) == len(TOKENS)
    assert not [token for token in TOKENS if body(token) in log.getvalue()]
    for line in map(json.loads, log.getvalue().splitlines()):
        assert (line["level"], line["service"]) == ("ERROR", telemetry.SERVICE)
        assert line["stack_trace"]["type"] == "ValueError"
        assert MARK in line["exception"]


def test_a_field_with_the_name_of_a_secret_is_marked_whatever_it_holds(log):
    telemetry.logger.info(
        "x", extra={"credentials": [{"Client_Secret": "0a1b", "refresh_token": ["2c"], "token": None}]}
    )
    assert json.loads(log.getvalue())["credentials"] == [{"Client_Secret": MARK, "refresh_token": MARK, "token": None}]


def test_the_packages_plain_loggers_are_redacted_too(log):
    logging.getLogger("slack_audit.adapters").warning("got %s", TOKENS[0])
    assert json.loads(log.getvalue())["message"] == f"got xoxp-{MARK}"


def test_a_line_without_a_secret_is_what_it_was(log):
    telemetry.logger.info("größer", extra={"lag": 61, "list": [1, (2,)], "path": io})
    line = json.loads(log.getvalue())
    assert (line["message"], line["lag"], line["list"]) == ("größer", 61, [1, [2]])
    assert "größer" in log.getvalue()
    assert line["path"].startswith("<module 'io'")


@pytest.mark.parametrize("name", SHOW_SECRETS)
def test_nobody_can_make_others_write_requests_and_answers(name, log, monkeypatch):
    """Lambda's own setting for the level of logs sets the root logger's."""
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    logging.getLogger(name).setLevel(logging.NOTSET)
    telemetry.take_over_logging()
    for logger in (name, f"{name}.endpoint"):
        assert not logging.getLogger(logger).isEnabledFor(logging.DEBUG)


# What leaves a function


def failing(error: Exception) -> Any:
    @guarded
    def handler(event: dict[str, str], context: object) -> None:
        raise error

    return handler


@pytest.mark.parametrize("token", TOKENS)
def test_somebody_elses_error_with_a_token_leaves_without_it(token):
    with pytest.raises(RedactedError) as raised:
        failing(ValueError(f"Invalid header value b'Bearer {token}'"))({}, None)
    assert str(raised.value).startswith("ValueError: Invalid header value b'Bearer ")
    assert body(token) not in str(raised.value)
    assert raised.value.__suppress_context__


def test_any_other_error_leaves_as_it_is():
    error = TokenRefusedError('Put one with \'{"token": "xoxp-..."}\'')
    with pytest.raises(TokenRefusedError) as raised:
        failing(error)({}, None)
    assert raised.value is error


def test_a_result_leaves_as_it_is():
    @guarded
    def handler(event: dict[str, str]) -> dict[str, str]:
        """Said."""
        return event

    assert handler({"a": "b"}) == {"a": "b"}
    assert (handler.__name__, handler.__doc__) == ("handler", "Said.")


def test_a_value_that_is_the_name_of_a_secret_takes_nothing_with_it():
    line = {"message": "finding", "found": "token", "outcome": "ok"}
    assert json.loads(serialized(line)) == line
