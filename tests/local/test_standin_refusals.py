"""What Slack refuses: tokens, parameters, methods, paths, and too many calls."""

import pytest

from local.slack import Settings, StandIn
from local.slack.answers import STATUS, RefusalError, refused
from local.slack.queries import FLOOR
from tests.local.clients import NOON, Client, event, ids, refusal


def test_a_wrong_token_gets_401_and_an_empty_body_of_json(slack):
    answer = Client(slack, token="xoxp-another").get()
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == "0"


def test_no_token_is_missing_authentication(slack):
    assert refusal(Client(slack, token=None).get()) == (401, "missing_authentication")


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer ", "xoxp-stand-in-not-a-real-token"])
def test_a_malformed_authorization_is_missing_authentication(slack, client, header):
    client.headers = {"Authorization": header}
    assert refusal(client.get()) == (401, "missing_authentication")


def test_a_token_in_the_query_is_ignored(slack):
    answer = Client(slack, token=None).get(token=slack.settings.tokens[0])
    assert refusal(answer) == (401, "missing_authentication")


def test_tokens_can_be_changed_and_two_can_be_valid_at_once(slack, client):
    slack.token("xoxp-one", "xoxp-two")
    assert client.get().status_code == 401
    assert [Client(slack, token).get().status_code for token in ("xoxp-one", "xoxp-two")] == [200, 200]


@pytest.mark.parametrize("path", ["actions", "schemas"])
def test_actions_and_schemas_need_no_token(slack, path):
    assert Client(slack, token=None).get(path).status_code == 200
    assert Client(slack, token="dummy").get(path).status_code == 200


@pytest.mark.parametrize("name", ["oldest", "latest"])
@pytest.mark.parametrize("value", ["1.56e+09", "1790000000.5", "yesterday", "", " 1790000000", "0x1", "1" * 30])
def test_a_malformed_bound_is_an_invalid_range(client, name, value):
    assert refusal(client.get(**{name: value})) == (400, "invalid_range")


@pytest.mark.parametrize("value", ["-1", "10000", "ten", "1e3", ""])
def test_a_limit_out_of_bounds_is_refused(client, value):
    assert refusal(client.get(limit=value)) == (400, "invalid_limit")


def test_latest_may_be_the_present_second_and_no_later_one(slack, client, clock):
    clock.now = NOON + 0.9
    assert client.get(latest=NOON).status_code == 200
    assert refusal(client.get(latest=NOON + 1)) == (400, "invalid_range")
    slack.change(refuse_future=False)
    assert client.get(latest=NOON + 1000).status_code == 200


def test_the_future_is_that_of_slack_and_not_of_the_host(slack, client):
    slack.change(clock_offset=-30.0)
    assert refusal(client.get(latest=NOON - 29)) == (400, "invalid_range")
    assert client.get(latest=NOON - 30).status_code == 200


def test_oldest_before_march_2018_is_accepted_or_refused(slack, client):
    assert client.get(oldest=0).status_code == 200
    slack.change(refuse_before_floor=True)
    assert refusal(client.get(oldest=FLOOR - 1)) == (400, "invalid_range")
    assert client.get(oldest=FLOOR).status_code == 200


@pytest.mark.parametrize(
    "names", ["no_such_action", "user_login,no_such_action", "user_login,", ",".join(["anomaly"] * 31)]
)
def test_an_unknown_action_or_more_than_30_refuse_the_whole_call(client, names):
    assert refusal(client.get(action=names)) == (400, "invalid_action")


def test_30_actions_are_accepted(client):
    assert client.get(action=",".join(["anomaly"] * 30)).status_code == 200


def test_a_retired_action_is_refused_and_no_longer_listed(slack, client):
    assert client.get(action="user_login").status_code == 200
    slack.change(retired_actions=("user_login",))
    assert refusal(client.get(action="user_login,anomaly")) == (400, "invalid_action")
    assert "user_login" not in client.get("actions").json()["actions"]["user"]


@pytest.mark.parametrize("cursor", ["abc", "dXNlcjpVMDYxTkZUVDI=", "====", "é", "YXVkaXQ6MTox"])
def test_what_is_no_cursor_is_an_invalid_cursor(client, cursor):
    assert refusal(client.get(cursor=cursor)) == (400, "invalid_cursor")


def test_a_cursor_expires(slack, client, clock):
    slack.generate(30)
    slack.change(cursor_ttl=60.0)
    cursor = client.get(limit=10).json()["response_metadata"]["next_cursor"]
    clock.now += 59
    assert client.get(cursor=cursor).status_code == 200
    clock.now += 2
    assert refusal(client.get(cursor=cursor)) == (400, "invalid_cursor")
    slack.change(cursor_ttl=None)
    assert client.get(cursor=cursor).status_code == 200


def test_the_first_page_may_be_asked_for_with_an_empty_cursor(slack, client):
    slack.add(event("a"))
    assert ids(client.get(cursor="").json()["entries"]) == ["a"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_get_is_allowed(client, method):
    assert refusal(client.request(method)) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["log", "logs/", "", "logs/x", "../../api/auth.test"])
def test_another_path_is_a_bad_endpoint(client, path):
    assert refusal(client.get(path)) == (404, "bad_endpoint")


def test_the_limit_of_calls_is_that_of_the_organisation_over_all_endpoints(slack, client, clock):
    slack.change(calls_per_minute=6)
    assert [client.get(path).status_code for path in ("logs", "actions", "schemas") * 2] == [200] * 6
    for path in ("logs", "actions", "schemas"):
        assert refusal(client.get(path)) == (429, "rate_limited")
    assert slack.status()["rate_limited"] == 3


def test_retry_after_is_a_whole_number_of_seconds_that_suffices(slack, client, clock):
    slack.change(calls_per_minute=2)
    client.get()
    clock.now += 20.5
    client.get()
    clock.now += 1
    assert client.get().headers["Retry-After"] == "39"
    clock.now += 38
    assert client.get().headers["Retry-After"] == "1"
    clock.now += 1
    assert client.get().status_code == 200
    assert client.get().headers["Retry-After"] == "20"


def test_a_wrong_token_does_not_use_up_the_limit(slack, client):
    slack.change(calls_per_minute=1)
    assert [Client(slack, "xoxp-wrong").get().status_code for _ in range(3)] == [401] * 3
    assert client.get().status_code == 200


def test_a_clock_that_is_put_back_does_not_lock_callers_out_for_long(slack, client, clock):
    slack.change(calls_per_minute=1)
    client.get()
    slack.change(clock_offset=-86_400.0)
    assert client.get().status_code == 200


def test_the_default_limit_is_slacks_tier_3():
    assert Settings().calls_per_minute == 50


@pytest.mark.parametrize("code", STATUS)
def test_every_documented_code_has_a_status_of_errors(code):
    answer = refused(code, RefusalError(code).headers)
    assert 400 <= answer.status < 500


def test_the_default_token_cannot_be_taken_for_a_real_one():
    assert Settings().tokens == ("xoxp-stand-in-not-a-real-token",)
    with StandIn() as slack:
        assert Client(slack).get().status_code == 200
