"""Whoever gives new tokens keeps the promises of `ports.Authority`: the fake, and the adapter before the stand-in."""

import json
from typing import Any, Protocol

import pytest

from local.slack import StandIn
from slack_audit.adapters.oauth import LIFETIME, SlackOAuth
from slack_audit.credentials import Credentials, Pair, credentials_of
from slack_audit.errors import (
    RateLimitedError,
    RefusedError,
    SlowAnswerError,
    SourceError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.ports import Authority
from tests.contract.wire import answering, nobody
from tests.fakes import Clock, Faults
from tests.hygiene import SECRET as LOOKS_SECRET
from tests.rotating import Slack, shown

TIMEOUT = 5.0  # seconds
CLIENT = ("1000000000.1000000000", "a-client-secret-that-nobody-may-see")


class Giving(Protocol):
    authority: Authority

    def install(self) -> dict[str, Any]:
        """An owner installs the app."""

    def later(self, seconds: float) -> None:
        """So much time passes at Slack."""

    def lives(self, token: str) -> bool:
        """Does the Audit Logs API take it?"""


class InMemory:
    def __init__(self) -> None:
        self.slack = Slack(Clock(), Faults())
        self.authority: Authority = self.slack
        self.install = self.slack.install
        self.lives = self.slack.lives

    def later(self, seconds: float) -> None:
        self.slack.clock.time += seconds


class OnTheWire:
    def __init__(self, slack: StandIn) -> None:
        self.slack = slack
        self.authority: Authority = SlackOAuth(slack.oauth_url, "0.1.0")
        self.install = slack.install

    def later(self, seconds: float) -> None:
        self.slack.change(clock_offset=self.slack.settings.clock_offset + seconds)

    def lives(self, token: str) -> bool:
        return self.slack._organisation.oauth.refusal(token, self.slack.now) is None


@pytest.fixture(params=["memory", "stand-in"])
def giving(request: pytest.FixtureRequest) -> Giving:
    return InMemory() if request.param == "memory" else OnTheWire(request.getfixturevalue("slack"))


def of(fields: dict[str, Any]) -> Credentials:
    return credentials_of(json.dumps(fields), "name")


def test_a_new_pair_lives_and_so_does_the_token_before_it(giving):
    installed = giving.install()
    pair = giving.authority.refresh(of(installed), TIMEOUT)
    assert pair.expires_in == 43_200
    assert not {pair.token, pair.refresh_token} & set(map(str, installed.values()))
    assert giving.lives(pair.token)
    assert giving.lives(installed["token"])


def test_the_new_refresh_token_brings_the_next_pair(giving):
    credentials = of(giving.install())
    for _ in range(3):
        giving.later(14_400)
        credentials = credentials.renewed(giving.authority.refresh(credentials, TIMEOUT), 0)
    assert giving.lives(credentials.token)


def test_a_refresh_token_is_refused_after_its_grace_period(giving):
    credentials = of(giving.install())
    giving.authority.refresh(credentials, TIMEOUT)
    giving.authority.refresh(credentials, TIMEOUT)
    giving.later(61)
    with pytest.raises(TokenRefusedError, match="invalid_refresh_token"):
        giving.authority.refresh(credentials, TIMEOUT)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"refresh_token": "xoxe-1-another"}, "invalid_refresh_token"),
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"client_secret": "another"}, "bad_client_secret"),
    ],
)
def test_what_is_refused_spends_nothing(giving, changes, code):
    installed = giving.install()
    with pytest.raises((RefusedError, TokenRefusedError), match=code) as raised:
        giving.authority.refresh(of({**installed, **changes}), TIMEOUT)
    assert not LOOKS_SECRET.search(shown(raised.value))
    giving.later(86_400)
    assert giving.lives(giving.authority.refresh(of(installed), TIMEOUT).token)


# The adapter


def test_a_pair_in_authed_user_is_found(slack):
    slack.change(authed_user=True)
    pair = SlackOAuth(slack.oauth_url, "0.1.0").refresh(of(slack.install()), TIMEOUT)
    assert pair.token.startswith("xoxe.xoxp-")


def answered(body: Any, status: str = "200 OK", headers: str = "") -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n{headers}\r\n".encode() + text


def asked(answer: bytes, timeout: float = TIMEOUT) -> Pair:
    credentials = Credentials(
        {"token": "xoxp-a", "refresh_token": "xoxe-1-a", "client_id": CLIENT[0], "client_secret": CLIENT[1]}
    )
    with answering(answer) as wire:
        return SlackOAuth(f"{wire.url}/api/oauth.v2.access", "0.1.0").refresh(credentials, timeout)


def test_a_users_pair_is_preferred_to_the_bots():
    """Slack documents both for the answer after an installation."""
    bot = {"access_token": "xoxe.xoxb-1-a", "refresh_token": "xoxe-1-b", "expires_in": 43_200, "token_type": "bot"}
    user = {"access_token": "xoxe.xoxp-1-c", "refresh_token": "xoxe-1-d", "expires_in": 43_000, "token_type": "user"}
    assert asked(answered({"ok": True, **bot, "authed_user": user})) == Pair("xoxe.xoxp-1-c", "xoxe-1-d", 43_000)
    assert asked(answered({"ok": True, **user, "authed_user": {"id": "W1"}})) == Pair(
        "xoxe.xoxp-1-c", "xoxe-1-d", 43_000
    )
    assert asked(answered({"ok": True, **user, "authed_user": None})).refresh_token == "xoxe-1-d"
    without = {name: value for name, value in user.items() if name != "expires_in"}
    assert asked(answered({"ok": True, **without})).expires_in == LIFETIME == 43_200


@pytest.mark.parametrize(
    "odd",
    [
        {"expires_in": "43200"},
        {"expires_in": 43200.5},
        {"expires_in": -1},
        {"authed_user": []},
        {"authed_user": {"access_token": 1, "refresh_token": None}},
        {"error": False},
    ],
    ids=str,
)
def test_an_odd_field_beside_the_tokens_does_not_cost_them(odd):
    pair = {"access_token": "xoxe.xoxp-1-c", "refresh_token": "xoxe-1-d"}
    assert asked(answered({"ok": True, **pair, **odd})) == Pair("xoxe.xoxp-1-c", "xoxe-1-d", LIFETIME)


def test_what_is_sent_is_in_no_address_and_the_client_in_the_header():
    credentials = Credentials(
        {"token": "xoxp-a", "refresh_token": "xoxe-1-a", "client_id": CLIENT[0], "client_secret": CLIENT[1]}
    )
    with answering(answered({"ok": False, "error": "internal_error"})) as wire:
        with pytest.raises(UnavailableError):
            SlackOAuth(f"{wire.url}/api/oauth.v2.access", "0.1.0").refresh(credentials, TIMEOUT)
        (request,) = wire.requests
    head, _, _ = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/oauth.v2.access HTTP/1.1\r\n")
    assert b"Authorization: Basic " in head
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert not LOOKS_SECRET.search(head.decode())


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        pytest.param(
            answered({"ok": False, "error": "token_revoked"}), TokenRefusedError, "install the app again", id="revoked"
        ),
        pytest.param(answered({"ok": False, "error": "account_inactive"}), TokenRefusedError, "again", id="owner gone"),
        pytest.param(
            answered({"ok": False, "error": "bad_client_secret"}), RefusedError, "Basic Information", id="client"
        ),
        pytest.param(answered({"ok": False, "error": "no_such_code"}), RefusedError, "no_such_code", id="unknown code"),
        pytest.param(
            answered({"ok": False, "error": "internal_error"}), UnavailableError, "internal_error", id="internal"
        ),
        pytest.param(answered({"ok": False, "error": "xoxp-nobody-may-see"}), UnavailableError, "200", id="no code"),
        pytest.param(answered({"ok": False}), UnavailableError, "HTTP 200", id="no error"),
        pytest.param(answered({"ok": False, "error": "ratelimited"}), RateLimitedError, "ratelimited", id="limited"),
        pytest.param(answered(b"", "429 Too Many"), RateLimitedError, "HTTP 429", id="429"),
        pytest.param(answered(b"down", "503 Down"), UnavailableError, "HTTP 503", id="503"),
        pytest.param(answered(b"", "404 Not Found"), RefusedError, "SlackOauthUrl", id="404"),
        pytest.param(answered(b"", "408 Timeout"), UnavailableError, "HTTP 408", id="408"),
        pytest.param(answered(b"<html>", "200 OK"), UnavailableError, "SlackOauthUrl", id="a web page"),
        pytest.param(
            answered(b"", "302 Found", "Location: http://x.example.com/\r\n"), UnavailableError, "302", id="302"
        ),
        pytest.param(answered({"ok": True}), UnavailableError, "no new token", id="ok and nothing"),
        pytest.param(
            answered({"ok": True, "access_token": "xoxp-a"}), UnavailableError, "no new token", id="half a pair"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", SlowAnswerError, "broke off", id="cut"),
        pytest.param(b"", UnavailableError, "hung up", id="hung up"),
        pytest.param(answered(b" " * (1 << 20) + b"{}"), SlowAnswerError, "too long", id="too large"),
    ],
)
def test_what_is_no_pair_is_the_class_of_its_failure_without_a_secret(answer, kind, said):
    with pytest.raises(SourceError, match=said) as raised:
        asked(answer)
    assert type(raised.value) is kind
    assert not LOOKS_SECRET.search(shown(raised.value))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("Retry-After: 7\r\n", 7), ("Retry-After: 0\r\n", 1), ("Retry-After: soon\r\n", None), ("", None)],
)
def test_a_rate_limit_says_how_long(header, seconds):
    with pytest.raises(RateLimitedError) as raised:
        asked(answered(b"", "429 Too Many", header))
    assert raised.value.retry_after == seconds


def test_a_slack_that_is_slow_or_not_there_is_unavailable(slack):
    slack.fault("hang", seconds=1, path="oauth.v2.access")
    with pytest.raises(UnavailableError, match="within"):
        SlackOAuth(slack.oauth_url, "0.1.0").refresh(of(slack.install()), 0.2)
    slack.fault("slow", seconds=2, path="oauth.v2.access")
    with pytest.raises(SlowAnswerError, match="too long"):
        SlackOAuth(slack.oauth_url, "0.1.0").refresh(of(slack.install()), 0.3)
    with nobody() as url, pytest.raises(UnavailableError, match="could not be asked"):
        SlackOAuth(url, "0.1.0").refresh(of(slack.install()), TIMEOUT)
