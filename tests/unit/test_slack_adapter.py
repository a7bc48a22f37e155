"""What every answer of Slack, and every way of not answering, means: over real sockets."""

import json
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from local.slack import Fault, Settings, StandIn
from slack_audit.adapters.slack import SlackSource
from slack_audit.errors import (
    ActionRefusedError,
    CursorRefusedError,
    RangeRefusedError,
    RateLimitedError,
    RefusedError,
    SlowAnswerError,
    SourceError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.log import Filters
from slack_audit.ports import Query
from slack_audit.windows import Window
from tests.builders import NO_FILTERS, body, raw_event
from tests.contract.wire import answering, nobody

TOKEN = "xoxp-1234567890-the-token-that-nobody-may-see"
NOW = int(time.time())
WINDOW = Window(NOW - 2_000, NOW - 1_000)
QUERY = Query(WINDOW, NO_FILTERS)
WITH_CURSOR = Query(WINDOW, NO_FILTERS, cursor="dXNlcjpV==")
TIMEOUT = 10.0  # seconds

BAD_TOKENS = [
    "invalid_authentication",
    "missing_authentication",
    "not_authed",
    "invalid_auth",
    "token_revoked",
    "token_expired",
    "account_inactive",
]
# Slack's codes that a person must act on, and the words without which they would not know how.
ADVICE = {
    "bad_endpoint": "SlackApiUrl",
    "feature_not_enabled": "Enterprise",
    "invalid_action": "ActionFilter",
    "invalid_workspace": "install the app on the organisation",
    "method_not_allowed": "SlackApiUrl",
    "missing_scope": "auditlogs:read",
    "paid_only": "Enterprise",
    "team_not_authorized": "install it on the organisation",
    "user_not_authorized": "organisation owner",
}
NEW_TOKEN = "Put a user token"


class Tokens:
    """A secret with one token. Remembers whether it was asked for a fresh one."""

    def __init__(self) -> None:
        self.token = TOKEN
        self.asked: list[bool] = []

    def __call__(self, fresh: bool) -> str:
        self.asked.append(fresh)
        return self.token


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with StandIn(Settings(tokens=(TOKEN,), calls_per_minute=None)) as standin:
        standin.add(raw_event(WINDOW.lo), raw_event(WINDOW.hi))
        yield standin


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def source(slack: StandIn, tokens: Tokens) -> SlackSource:
    return source_at(slack.url, tokens)


def source_at(url: str, tokens: Tokens | None = None) -> SlackSource:
    return SlackSource(url, "main", tokens or Tokens(), "0.1.0")


def failure(source: SlackSource, query: Query = QUERY, timeout: float = TIMEOUT) -> SourceError:
    """How the call failed. Whatever that was: it names the org, and the token is nowhere in it."""
    with pytest.raises(SourceError) as raised:
        source.read(query, timeout)
    assert "org main" in str(raised.value)
    assert TOKEN not in shown(raised.value)
    return raised.value


def shown(error: BaseException | None) -> str:
    """Everything that a log could show of an error, and of what led to it."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(error.args), *traceback.format_exception(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def spoil(slack: StandIn, **rule: Any) -> None:
    slack.faults(Fault.from_json(rule))


# The token


def test_a_wrong_token_gets_an_empty_401_and_a_person_must_put_a_new_one(slack, source):
    slack.token("another")
    error = failure(source)
    assert type(error) is TokenRefusedError
    assert NEW_TOKEN in str(error)
    assert slack.calls()[-1].outcome == "401"


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("code", BAD_TOKENS)
def test_a_code_that_means_a_bad_token_counts_whatever_the_status(slack, source, status, code):
    spoil(slack, kind="status", status=status, error=code)
    error = failure(source)
    assert type(error) is TokenRefusedError
    assert code in str(error)
    assert NEW_TOKEN in str(error)


@pytest.mark.parametrize("text", [None, "", "not json", '{"ok":false,"error":"something_new"}', "[]"])
def test_401_means_a_bad_token_whatever_the_body(slack, source, text):
    spoil(slack, kind="status", status=401, body=text)
    assert type(failure(source)) is TokenRefusedError


def test_the_secret_is_read_anew_only_after_it_was_asked_for(source, tokens):
    source.read(QUERY, TIMEOUT)
    source.read(QUERY, TIMEOUT)
    source.renew_token()
    source.read(QUERY, TIMEOUT)
    source.read(QUERY, TIMEOUT)
    assert tokens.asked == [False, False, True, False]


def test_a_new_token_is_used_at_once(slack, source, tokens):
    source.read(QUERY, TIMEOUT)
    slack.token("xoxp-new")
    failure(source)
    tokens.token = "xoxp-new"
    source.renew_token()
    assert len(source.read(QUERY, TIMEOUT).events) == 2


def test_a_secret_that_gives_no_token_asks_nothing_of_slack_and_is_read_anew_next_time(slack):
    asked = []

    def token(fresh: bool) -> str:
        asked.append(fresh)
        raise TokenRefusedError("The secret of org main gives no token.")

    source = SlackSource(slack.url, "main", token, "0.1.0")
    source.renew_token()
    failure(source)
    failure(source)
    assert asked == [True, True]
    assert slack.calls() == []


# What a person must act on


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
@pytest.mark.parametrize("code", ADVICE)
def test_a_code_that_a_person_must_act_on_says_how_whatever_the_status(slack, source, status, code):
    spoil(slack, kind="status", status=status, error=code)
    error = failure(source)
    assert type(error) is (ActionRefusedError if code == "invalid_action" else RefusedError)
    assert code in str(error)
    assert ADVICE[code] in str(error)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "ActionFilter"),
        (403, "auditlogs:read"),
        (404, "SlackApiUrl"),
        (405, "SlackApiUrl"),
        (410, "SlackApiUrl"),
        (451, "SlackApiUrl"),
    ],
)
@pytest.mark.parametrize("text", ["", "<html>Forbidden</html>", '{"ok":false,"error":"something_new"}'])
def test_a_4xx_without_a_known_code_says_what_to_check(slack, source, status, says, text):
    spoil(slack, kind="status", status=status, body=text)
    error = failure(source)
    assert type(error) is RefusedError
    assert f"HTTP {status}" in str(error)
    assert says in str(error)


def test_an_unknown_action_in_the_filter_is_refused(slack, source):
    error = failure(source, Query(WINDOW, Filters(action="user_login,no_such_action")))
    assert type(error) is ActionRefusedError
    assert "invalid_action" in str(error)


def test_a_wrong_address_is_refused(slack):
    error = failure(source_at(slack.base))
    assert type(error) is RefusedError
    assert "SlackApiUrl" in str(error)


# Cursors and ranges


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        pytest.param(WITH_CURSOR, CursorRefusedError, id="with a cursor it may be the cursor"),
        pytest.param(QUERY, RefusedError, id="without one it is something else"),
    ],
)
def test_400_without_a_code(slack, source, query, kind):
    spoil(slack, kind="status", status=400)
    assert type(failure(source, query)) is kind


@pytest.mark.parametrize("status", [200, 400, 404])
def test_invalid_cursor_is_about_the_cursor_whatever_the_status(slack, source, status):
    spoil(slack, kind="status", status=status, error="invalid_cursor")
    assert type(failure(source, WITH_CURSOR)) is CursorRefusedError


def test_400_with_a_cursor_and_a_code_of_something_else_is_not_about_the_cursor(slack, source):
    spoil(slack, kind="status", status=400, error="invalid_action")
    assert type(failure(source, WITH_CURSOR)) is ActionRefusedError


@pytest.mark.parametrize("status", [200, 400, 403])
def test_invalid_range_says_which_and_tells_slacks_time(slack, source, status):
    spoil(slack, kind="status", status=status, error="invalid_range")
    error = failure(source)
    assert type(error) is RangeRefusedError
    assert str(WINDOW.lo) in str(error)
    assert error.slack_time == pytest.approx(time.time(), abs=300)


# Rate limits


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        pytest.param(30, 30, id="as documented"),
        pytest.param("1", 1, id="one"),
        pytest.param(" 7 ", 7, id="with spaces"),
        pytest.param("0", 1, id="zero is at least a second"),
        pytest.param(None, None, id="none"),
        pytest.param("", None, id="empty"),
        pytest.param("abc", None, id="text"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="not whole"),
        pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", None, id="a date"),
        pytest.param("86400", 3_600, id="a day is cut"),
        pytest.param("999999999", 3_600, id="a lifetime is cut"),
        pytest.param("9" * 30, None, id="endless is no number of seconds"),
        pytest.param("²", None, id="a digit of another kind"),
    ],
)
def test_429_says_how_long_to_wait(slack, source, retry_after, seconds):
    spoil(slack, kind="rate_limit", retry_after=retry_after)
    error = failure(source)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds


@pytest.mark.parametrize("text", ["", "<html>", '{"ok":false,"error":"ratelimited"}', '{"error":"invalid_auth"}'])
def test_429_is_a_rate_limit_whatever_the_body(slack, source, text):
    spoil(slack, kind="rate_limit", body=text)
    assert type(failure(source)) is RateLimitedError


@pytest.mark.parametrize("code", ["rate_limited", "ratelimited"])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_the_code_of_a_rate_limit_is_one_whatever_the_status(slack, source, status, code):
    spoil(slack, kind="status", status=status, error=code, headers={"Retry-After": "5"})
    error = failure(source)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 5


def test_slacks_own_limit_is_one_and_tells_slacks_time(slack, source):
    slack.change(calls_per_minute=1)
    source.read(QUERY, TIMEOUT)
    error = failure(source)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 60
    assert error.slack_time == pytest.approx(time.time(), abs=300)


# What passes


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520])
@pytest.mark.parametrize("text", ["", "<html>Bad gateway</html>", '{"ok":false,"error":"internal_error"}'])
def test_a_fault_of_the_server_passes(slack, source, status, text):
    spoil(slack, kind="status", status=status, body=text)
    error = failure(source)
    assert type(error) is UnavailableError
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("status", [201, 202, 203, 206])
def test_only_200_is_an_answer(slack, source, status):
    spoil(slack, kind="status", status=status, body=body([raw_event(WINDOW.lo)]).decode())
    assert type(failure(source)) is UnavailableError


def test_204_is_no_answer(slack, source):
    spoil(slack, kind="status", status=204)
    assert type(failure(source)) is UnavailableError


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{}", id="an empty object"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param("<!DOCTYPE html><html></html>", id="html"),
        pytest.param('{"entries":[{"id":"', id="half of it"),
        pytest.param('{"entries":null}', id="no list"),
        pytest.param('{"entries":{}}', id="entries that are an object"),
        pytest.param('{"ok":true}', id="ok without entries"),
        pytest.param('{"ok":false}', id="not ok"),
        pytest.param('{"ok":false,"error":"internal_error"}', id="an error of Slack's own"),
        pytest.param('{"ok":false,"error":"something new"}', id="an error that is no code"),
        pytest.param('{"ok":false,"error":{"code":1}}', id="an error that is an object"),
        pytest.param('{"entries":[],"ok":false}', id="entries, but not ok"),
        pytest.param('{"entries":[],"error":"fatal_error"}', id="entries, but an error"),
        pytest.param('{"entries":[],"response_metadata":{"next_cursor":17}}', id="a cursor that is a number"),
        pytest.param('{"entries":[]}{"entries":[]}', id="two answers"),
        pytest.param(f'{{"entries":"{TOKEN}"}}', id="the token comes back"),
        pytest.param(f'{{"ok":false,"error":"{TOKEN}"}}', id="the token comes back as a code"),
    ],
)
def test_200_without_a_page_passes(slack, source, text):
    spoil(slack, kind="status", status=200, body=text)
    error = failure(source)
    assert type(error) is UnavailableError
    assert "no list of entries" in str(error)


def test_a_maintenance_page_passes(slack, source):
    spoil(slack, kind="html")
    assert type(failure(source)) is UnavailableError


def test_200_that_says_an_error_is_that_error(slack, source):
    spoil(slack, kind="no_entries", error="feature_not_enabled")
    assert type(failure(source)) is RefusedError


def test_a_connection_that_is_reset_passes(slack, source):
    spoil(slack, kind="reset")
    error = failure(source)
    assert type(error) is UnavailableError
    assert "hung up" in str(error)


def test_an_address_where_nobody_listens_passes():
    with nobody() as url:
        assert type(failure(source_at(url))) is UnavailableError


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}", id="a length that is no number"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", id="not gzip"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", id="a chunk without a size"),
    ],
)
def test_what_is_no_http_passes(answer):
    with answering(answer) as wire:
        assert isinstance(failure(source_at(wire.url)), UnavailableError)


# What takes too long, or is not whole


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_body_that_breaks_off_is_never_taken_for_whole(slack, source, kept):
    spoil(slack, kind="truncated", kept=kept)
    error = failure(source)
    assert type(error) is SlowAnswerError
    assert "broke off" in str(error)


def test_a_slack_that_cannot_be_connected_to_is_not_taken_for_slow():
    """A listener whose queue is full lets nobody in: less of a window would not help."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with ExitStack() as waiting:
            for _ in range(3):
                client = waiting.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(full.getsockname())
            error = failure(source_at(f"http://127.0.0.1:{full.getsockname()[1]}/audit/v1"), timeout=0.5)
    assert type(error) is UnavailableError
    assert "could not be reached" in str(error)


def test_an_answer_that_does_not_begin_in_time_is_given_up(slack, source):
    spoil(slack, kind="hang", seconds=5)
    start = time.monotonic()
    error = failure(source, timeout=0.2)
    assert type(error) is SlowAnswerError
    assert time.monotonic() - start < 2


def test_an_answer_that_drips_past_its_time_is_given_up(slack, source):
    spoil(slack, kind="slow", seconds=5)
    start = time.monotonic()
    assert type(failure(source, timeout=0.5)) is SlowAnswerError
    assert time.monotonic() - start < 2


def test_an_answer_that_is_slow_but_in_time_is_taken(slack, source):
    spoil(slack, kind="slow", seconds=0.2)
    assert len(source.read(QUERY, TIMEOUT).events) == 2


def test_a_call_after_a_broken_one_is_as_good_as_any(slack, source):
    for kind in ("reset", "truncated", "html", "hang"):
        spoil(slack, kind=kind, seconds=0.3)
        failure(source, timeout=0.2)
        assert len(source.read(QUERY, TIMEOUT).events) == 2


def test_one_read_is_one_call_whatever_comes_back(slack, source):
    for kind in ("status", "rate_limit", "html", "reset", "truncated"):
        spoil(slack, kind=kind)
        before = len(slack.calls())
        failure(source)
        assert len(slack.calls()) == before + 1


# Where the token goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(slack, source, status):
    with StandIn(Settings(tokens=(TOKEN,))) as elsewhere:
        spoil(slack, kind="redirect", status=status, location=f"{elsewhere.url}/logs")
        error = failure(source)
        assert elsewhere.calls() == []
    assert f"HTTP {status}" in str(error)


def test_the_environments_proxies_and_passwords_are_not_used(slack, tokens, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    with StandIn() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        assert len(source_at(slack.url, tokens).read(QUERY, TIMEOUT).events) == 2
        assert proxy.calls() == []


def test_the_token_stands_in_one_header_and_nowhere_else():
    with answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") as wire:
        failure(source_at(f"{wire.url}/audit/v1"))
    (request,) = wire.requests
    assert request.count(TOKEN.encode()) == 1
    head = request.decode().split("\r\n")
    assert f"Authorization: Bearer {TOKEN}" in head
    assert head[0].startswith("GET /audit/v1/logs?")
    assert "Accept: application/json" in head
    assert "User-Agent: slack-audit-collector/0.1.0" in head


# What is asked, and the time


def test_parameters_are_plain_integers(slack, source):
    source.read(QUERY, TIMEOUT)
    assert slack.calls()[-1].params == {"oldest": str(WINDOW.lo), "latest": str(WINDOW.hi), "limit": "9999"}


def test_without_a_window_only_the_limit_is_sent(slack, source):
    source.read(Query(None, NO_FILTERS, limit=1), TIMEOUT)
    assert slack.calls()[-1].params == {"limit": "1"}


def test_window_and_filters_are_repeated_with_the_cursor(slack, source):
    slack.change(page_limit=1)
    filters = Filters(action="user_login,user_logout", actor="W0001", entity="F+1 &/ü=")
    first = source.read(QUERY, TIMEOUT)
    assert first.next_cursor is not None
    assert first.next_cursor.endswith("=")
    source.read(Query(WINDOW, filters, cursor=first.next_cursor), TIMEOUT)
    assert slack.calls()[-1].params == {
        "oldest": str(WINDOW.lo),
        "latest": str(WINDOW.hi),
        "limit": "9999",
        "action": "user_login,user_logout",
        "actor": "W0001",
        "entity": "F+1 &/ü=",
        "cursor": first.next_cursor,
    }


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_a_slash_at_the_end_of_the_address_makes_no_difference(slack, slash):
    assert len(source_at(slack.url + slash).read(QUERY, TIMEOUT).events) == 2


@pytest.mark.parametrize("offset", [-7_200, 7_200])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 503}, id="503"),
        pytest.param({"kind": "html"}, id="html"),
        pytest.param({"kind": "rate_limit"}, id="429"),
        pytest.param({"kind": "status", "status": 401}, id="401"),
        pytest.param({"kind": "status", "error": "user_not_authorized"}, id="403"),
        pytest.param({"kind": "status", "error": "invalid_range"}, id="a range"),
        pytest.param({"kind": "status", "error": "invalid_cursor"}, id="a cursor"),
    ],
)
def test_a_failure_tells_slacks_time_too(slack, source, offset, fault):
    slack.change(clock_offset=offset)
    spoil(slack, **fault)
    assert failure(source).slack_time == pytest.approx(time.time() + offset, abs=5)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "0",
        "Mon, 99 Jan 2026 00:00:00 GMT",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Mon, , , ",
        "1795389677",
    ],
)
def test_a_date_that_nobody_can_read_is_no_time(slack, source, date):
    spoil(slack, kind="status", status=200, body=body([raw_event(WINDOW.lo)]).decode(), headers={"Date": date})
    answer = source.read(QUERY, TIMEOUT)
    assert (answer.slack_time, len(answer.events)) == (None, 1)


def test_an_answer_without_a_date_tells_no_time():
    page = body([raw_event(WINDOW.lo)])
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)) as wire:
        answer = source_at(wire.url).read(QUERY, TIMEOUT)
    assert (answer.slack_time, len(answer.events)) == (None, 1)


def test_a_large_answer_comes_whole(slack, source):
    slack.generate(9_000, start=WINDOW.lo, end=WINDOW.hi)
    answer = source.read(QUERY, TIMEOUT)
    assert sorted(event.raw for event in answer.events) == sorted(slack.events(WINDOW.lo, WINDOW.hi))


def test_no_message_quotes_what_slack_sent(slack, source):
    quoted = json.dumps({"ok": False, "error": "Ada Example <ada@example.com>"})
    spoil(slack, kind="status", status=403, body=quoted)
    assert "ada@example.com" not in shown(failure(source))


# the status


@pytest.mark.parametrize("status", [302, 400, 401, 429, 503])
def test_a_failure_knows_the_status_of_the_answer(slack, source, status):
    slack.fault("status", status=status)
    assert failure(source).status == status


def test_an_answer_that_says_it_is_none_has_a_status_too(slack, source):
    slack.fault("html")
    assert failure(source).status == 200


@pytest.mark.parametrize("kind", ["reset", "truncated"])
def test_where_no_answer_came_whole_there_is_no_status(slack, source, kind):
    slack.fault(kind)
    assert failure(source).status is None
