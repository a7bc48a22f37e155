"""Token rotation as Slack documents it: oauth.v2.access with refresh tokens, and what becomes of access tokens."""

from typing import Any

import pytest
import requests

from local.slack import StandIn
from local.slack.oauth import ERRORS
from tests.local.clients import NOON, TIMEOUT, Client, refusal

HALF_A_DAY = 43_200


def post(slack: StandIn, installed: dict[str, Any], *, basic: bool = True, **changes: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": installed["refresh_token"], **changes}
    client = {name: form.pop(name, installed[name]) for name in ("client_id", "client_secret")}
    with requests.Session() as session:
        session.trust_env = False
        auth = (client["client_id"], client["client_secret"]) if basic else None
        return session.post(slack.oauth_url, data=form if basic else form | client, auth=auth, timeout=TIMEOUT)


def refreshed(slack: StandIn, installed: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The installation with its new pair."""
    pair = post(slack, installed, **changes).json()
    assert pair["ok"] is True
    return {**installed, "token": pair["access_token"], "refresh_token": pair["refresh_token"]}


def error(answer: requests.Response) -> str:
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    return str(answer.json()["error"])


def says(slack: StandIn, installed: dict[str, Any]) -> int | tuple[int, str]:
    """What the Audit Logs API says to the token."""
    answer = Client(slack, installed["token"]).get()
    return 200 if answer.status_code == 200 else refusal(answer)


def test_an_installation_gives_a_token_for_half_a_day(slack, clock):
    installed = slack.install()
    assert installed["token"].startswith("xoxe.xoxp-1-")
    assert installed["refresh_token"].startswith("xoxe-1-")
    assert installed["expires_at"] == NOON + HALF_A_DAY
    assert says(slack, installed) == 200
    clock.now += HALF_A_DAY - 1
    assert says(slack, installed) == 200
    clock.now += 1
    assert says(slack, installed) == (401, "token_expired")


def test_tokens_without_rotation_are_as_valid_as_before(slack, client):
    slack.install()
    assert client.get().status_code == 200


@pytest.mark.parametrize("basic", [True, False], ids=["by HTTP Basic", "by the form"])
def test_a_refresh_gives_a_new_pair_and_leaves_the_old_access_token_alive(slack, clock, basic):
    first = slack.install()
    clock.now += 4 * 3_600
    answer = post(slack, first, basic=basic).json()
    assert (answer["ok"], answer["token_type"], answer["expires_in"]) == (True, "user", HALF_A_DAY)
    second = {**first, "token": answer["access_token"], "refresh_token": answer["refresh_token"]}
    assert not {first["token"], first["refresh_token"]} & {second["token"], second["refresh_token"]}
    assert (says(slack, first), says(slack, second)) == (200, 200)
    clock.now += 8 * 3_600
    assert (says(slack, first), says(slack, second)) == ((401, "token_expired"), 200)


def test_the_pair_can_stand_in_authed_user(slack):
    slack.change(authed_user=True)
    answer = post(slack, slack.install()).json()
    assert "access_token" not in answer
    assert {"access_token", "refresh_token", "expires_in", "token_type"} <= set(answer["authed_user"])


def test_a_refresh_token_is_used_once_and_lives_for_a_grace_period_from_then_on(slack, clock):
    slack.change(refresh_grace=60.0)
    first = slack.install()
    clock.now += 86_400
    refreshed(slack, first)
    clock.now += 60
    refreshed(slack, first)
    clock.now += 1
    assert error(post(slack, first)) == "invalid_refresh_token"


def test_the_new_refresh_token_outlives_the_old_one(slack, clock):
    second = refreshed(slack, slack.install())
    clock.now += 30 * 86_400
    assert says(slack, refreshed(slack, second)) == 200


def test_two_access_tokens_are_active_and_the_oldest_of_more_is_revoked(slack):
    first = slack.install()
    second = refreshed(slack, first)
    third = refreshed(slack, first)
    assert [says(slack, it) for it in (first, second, third)] == [(401, "token_revoked"), 200, 200]


def test_installations_do_not_touch_each_other(slack):
    first, other = slack.install(), slack.install()
    for _ in range(3):
        first = refreshed(slack, first)
    assert says(slack, other) == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"refresh_token": "xoxe-1-another"}, "invalid_refresh_token"),
        ({"refresh_token": ""}, "invalid_refresh_token"),
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"grant_type": "authorization_code"}, "invalid_grant_type"),
    ],
)
def test_what_is_refused_is_refused_with_200_and_uses_nothing_up(slack, changes, code):
    assert code in ERRORS
    installed = slack.install()
    assert error(post(slack, installed, **changes)) == code
    assert says(slack, refreshed(slack, installed)) == 200


def test_a_broken_basic_header_is_an_unknown_client(slack):
    answer = requests.post(slack.oauth_url, headers={"Authorization": "Basic é"}, timeout=TIMEOUT)
    assert error(answer) == "invalid_client_id"


def test_only_post_refreshes(slack):
    assert refusal(requests.get(slack.oauth_url, timeout=TIMEOUT)) == (404, "bad_endpoint")


def test_an_answer_can_be_lost_after_the_tokens_were_rotated(slack, clock):
    installed = slack.install()
    slack.fault("truncated", path="oauth.v2.access")
    with pytest.raises(requests.RequestException):
        post(slack, installed)
    clock.now += 61
    assert error(post(slack, installed)) == "invalid_refresh_token"


def test_calls_are_counted_without_what_they_carry(slack):
    installed = slack.install()
    post(slack, installed, basic=False)
    assert slack.status()["calls"] == {"/api/oauth.v2.access": {"200": 1}}
    (call,) = slack.calls()
    assert (call.method, call.path, call.params) == ("POST", "/api/oauth.v2.access", {})
    assert "client_secret" not in slack.status()["settings"]


def test_the_limit_of_the_audit_logs_api_does_not_count_here(slack):
    slack.change(calls_per_minute=1)
    second = refreshed(slack, refreshed(slack, slack.install()))
    assert says(slack, second) == 200
