"""Every catalog keeps the promise of `ports.Catalog`; then what only a server can do wrong. No token is ever sent."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.slack import Settings, StandIn, catalogue
from slack_audit.adapters.catalog import LARGEST, SlackCatalog
from slack_audit.catalog import listing_of
from slack_audit.errors import RateLimitedError, RefusedError, SlowAnswerError, SourceError, UnavailableError
from slack_audit.ports import Catalog
from tests import fakes
from tests.contract.wire import answering, nobody

KINDS = ["actions", "schemas"]
TIMEOUT = 10.0  # seconds
LIST = b'{"actions":{"user":["user_login"]}}'


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with StandIn(Settings(tokens=("nobody-has-it",), calls_per_minute=None)) as standin:
        yield standin


@pytest.fixture(params=["memory", "wire"])
def catalog(request: pytest.FixtureRequest, slack: StandIn) -> Catalog:
    return fakes.Catalog() if request.param == "memory" else at(slack.url)


@pytest.fixture
def wired(slack: StandIn) -> SlackCatalog:
    return at(slack.url)


def at(url: str) -> SlackCatalog:
    return SlackCatalog(url, "main", "0.1.0")


def failure(catalog: SlackCatalog, timeout: float = TIMEOUT) -> SourceError:
    """How the call failed; whatever that was, it says of what and for whom."""
    with pytest.raises(SourceError) as raised:
        catalog.read("actions", timeout)
    assert "Slack's /actions, asked for org main," in str(raised.value)
    return raised.value


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_holds_a_list(catalog, kind):
    assert listing_of(kind, catalog.read(kind, TIMEOUT)).entries


def test_the_same_question_again_gets_the_same_answer(catalog):
    assert catalog.read("actions", TIMEOUT) == catalog.read("actions", TIMEOUT)


# The adapter alone


def test_the_bytes_are_slacks(slack, wired):
    assert json.loads(wired.read("schemas", TIMEOUT)) == {"schemas": list(catalogue.schemas())}
    odd = '{ "actions" : {"user":["a\\/b","\\u0061", "☃"]} }\n'
    slack.fault("status", status=200, body=odd)
    assert wired.read("actions", TIMEOUT) == odd.encode()


def test_a_retired_action_is_missing(slack, wired):
    slack.change(retired_actions=("user_login",))
    assert "user_login" not in listing_of("actions", wired.read("actions", TIMEOUT)).entries


def test_no_token_and_no_password_is_sent_whatever_the_environment_says(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(LIST), LIST)) as wire:
        assert at(f"{wire.url}/audit/v1/").read("actions", TIMEOUT) == LIST
    (request,) = wire.requests
    head = request.decode().split("\r\n")
    assert head[0] == "GET /audit/v1/actions HTTP/1.1"
    assert not [line for line in head if line.lower().startswith(("authorization", "cookie"))]
    assert "User-Agent: slack-audit-collector/0.1.0" in head


def test_the_environments_proxies_are_not_used(slack, wired, monkeypatch):
    with StandIn() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert wired.read("actions", TIMEOUT)
        assert proxy.calls() == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(slack, wired, status):
    with StandIn() as elsewhere:
        slack.fault("redirect", status=status, location=f"{elsewhere.url}/actions")
        error = failure(wired)
        assert elsewhere.calls() == []
    assert type(error) is UnavailableError
    assert f"HTTP {status}" in str(error)
    assert "SlackApiUrl" in str(error)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503])
@pytest.mark.parametrize("text", ["", "<html>Bad gateway</html>", '{"ok":false,"error":"internal_error"}'])
def test_a_fault_of_the_server_passes(slack, wired, status, text):
    slack.fault("status", status=status, body=text)
    error = failure(wired)
    assert type(error) is UnavailableError
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("status", [201, 204, 206])
def test_only_200_is_an_answer(slack, wired, status):
    slack.fault("status", status=status, body="" if status == 204 else LIST.decode())
    assert type(failure(wired)) is UnavailableError


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410])
@pytest.mark.parametrize("text", ["", "<html>", '{"ok":false,"error":"bad_endpoint"}'])
def test_a_refusal_says_what_to_check(slack, wired, status, text):
    slack.fault("status", status=status, body=text)
    error = failure(wired)
    assert type(error) is RefusedError
    assert "Check SlackApiUrl" in str(error)


def test_200_that_says_an_error_is_no_list(slack, wired):
    slack.fault("no_entries", error="fatal_error")
    error = failure(wired)
    assert type(error) is UnavailableError
    assert "fatal_error" in str(error)


def test_no_message_quotes_what_slack_sent(slack, wired):
    slack.fault("status", status=403, body='{"ok":false,"error":"Ada Example <ada@example.com>"}')
    assert "ada@example.com" not in str(failure(wired))


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(30, 30), ("0", 1), (None, None), ("soon", None), ("99999", 3_600), ("²", None)]
)
def test_429_says_how_long_to_wait(slack, wired, retry_after, seconds):
    slack.fault("rate_limit", retry_after=retry_after)
    error = failure(wired)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [200, 400, 503])
def test_the_code_of_a_rate_limit_is_one_whatever_the_status(slack, wired, status):
    slack.fault("status", status=status, error="ratelimited")
    assert type(failure(wired)) is RateLimitedError


@pytest.mark.parametrize("kind", ["html", "invalid_json"])
def test_what_is_no_list_is_left_to_whoever_reads_it(slack, wired, kind):
    slack.fault(kind)
    with pytest.raises(UnavailableError, match="no list of actions"):
        listing_of("actions", wired.read("actions", TIMEOUT))


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_body_that_breaks_off_is_never_taken_for_whole(slack, wired, kept):
    slack.fault("truncated", kept=kept)
    assert "broke off" in str(failure(wired))


def test_a_reset_passes(slack, wired):
    slack.fault("reset")
    assert type(failure(wired)) is UnavailableError


def test_an_address_where_nobody_listens_passes():
    with nobody() as url:
        assert type(failure(at(url))) is UnavailableError


def test_a_server_that_lets_nobody_in_passes():
    with ExitStack() as waiting:
        full = waiting.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        error = failure(at(f"http://127.0.0.1:{full.getsockname()[1]}/audit/v1"), timeout=0.5)
    assert type(error) is UnavailableError
    assert "could not be reached." in str(error)


@pytest.mark.parametrize(
    ("rule", "timeout"),
    [
        pytest.param({"kind": "hang", "seconds": 5}, 0.2, id="silent"),
        pytest.param({"kind": "slow", "seconds": 5}, 0.5, id="dripping"),
    ],
)
def test_an_answer_that_takes_too_long_is_given_up(slack, wired, rule, timeout):
    slack.fault(**rule)
    start = time.monotonic()
    assert type(failure(wired, timeout)) is SlowAnswerError
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("size", "headers", "pack"),
    [
        pytest.param(2 * LARGEST, b"", bytes, id="as it is"),
        pytest.param(200 * LARGEST, b"Content-Encoding: gzip\r\n", gzip.compress, id="packed"),
    ],
)
def test_a_huge_answer_is_given_up_before_it_is_read(size, headers, pack):
    body = pack(b" " * size)
    head = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (headers, len(body))
    with answering(head + body) as wire:
        error = failure(at(wire.url))
    assert type(error) is UnavailableError
    assert f"more than {LARGEST} bytes" in str(error)


def test_an_answer_as_large_as_is_allowed_is_taken():
    body = LIST + b" " * (LARGEST - len(LIST))
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as wire:
        assert at(wire.url).read("actions", TIMEOUT) == body


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", id="not gzip"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", id="a chunk without a size"),
    ],
)
def test_what_is_no_http_passes(answer):
    with answering(answer) as wire:
        assert isinstance(failure(at(wire.url)), UnavailableError)


def test_one_read_is_one_call_whatever_comes_back_and_the_next_is_as_good_as_any(slack, wired):
    for kind in ("status", "rate_limit", "reset", "truncated", "redirect"):
        slack.fault(kind)
        before = len(slack.calls())
        failure(wired)
        assert len(slack.calls()) == before + 1
        assert listing_of("actions", wired.read("actions", TIMEOUT)).entries
