"""Faults: every kind, as a client meets it, and the rules of when they strike."""

import errno
import time

import pytest
import requests

from local.slack import Fault
from local.slack.faults import UnknownFaultError
from tests.local.clients import event, ids, refusal


@pytest.fixture(autouse=True)
def history(slack):
    slack.add(event("a"), event("b"))


def test_a_fault_strikes_once_and_then_all_is_well(slack, client):
    slack.fault("status", status=503)
    assert [client.get().status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize("status", [401, 403, 500, 502, 503, 504])
def test_any_status_with_any_body_and_headers(slack, client, status):
    slack.fault("status", status=status, body="upstream sulks", headers={"X-Why": "test", "Content-Type": "text/plain"})
    answer = client.get()
    assert (answer.status_code, answer.text, answer.headers["X-Why"]) == (status, "upstream sulks", "test")


@pytest.mark.parametrize(
    ("code", "status"), [("feature_not_enabled", 403), ("team_not_authorized", 403), ("what", 500)]
)
def test_a_code_of_slacks_brings_its_status_and_its_body(slack, client, code, status):
    slack.fault("status", error=code)
    assert refusal(client.get()) == (status, code)


@pytest.mark.parametrize("value", [7, "0", "abc", "99999999"])
def test_a_rate_limit_with_any_retry_after(slack, client, value):
    slack.fault("rate_limit", retry_after=value)
    answer = client.get()
    assert refusal(answer) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == str(value)


def test_a_rate_limit_without_retry_after_and_without_a_body(slack, client):
    slack.fault("rate_limit", retry_after=None, body="")
    answer = client.get()
    assert (answer.status_code, answer.content) == (429, b"")
    assert "Retry-After" not in answer.headers


def test_a_maintenance_page_comes_with_200(slack, client):
    slack.fault("html")
    answer = client.get()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_body_that_is_not_json_comes_with_200(slack, client):
    slack.fault("invalid_json")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.get().json()


def test_200_may_hold_an_error_and_no_entries(slack, client):
    slack.fault("no_entries", error="fatal_error")
    assert refusal(client.get()) == (200, "fatal_error")


def test_a_redirect_goes_to_another_host(slack, client):
    slack.fault("redirect", location="https://elsewhere.example.com/")
    answer = client.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://elsewhere.example.com/")


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_truncated_body_is_shorter_than_promised(slack, client, kept):
    slack.fault("truncated", kept=kept)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.get()
    assert client.get().status_code == 200


def test_a_reset_connection_gives_no_byte(slack, client):
    slack.fault("reset")
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        client.get()
    cause: BaseException | None = caught.value
    while cause is not None and not isinstance(cause, ConnectionResetError):
        cause = cause.__cause__ or cause.__context__
    assert cause is not None
    assert cause.errno == errno.ECONNRESET
    assert slack.status()["calls"]["/audit/v1/logs"] == {"reset": 1}


def test_silence_outlasts_a_read_time_out(slack, client):
    slack.fault("hang", seconds=5)
    start = time.monotonic()
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.get(timeout=0.2)
    assert time.monotonic() - start < 2


def test_after_the_silence_comes_the_answer(slack, client):
    slack.fault("hang", seconds=0.2)
    start = time.monotonic()
    assert sorted(ids(client.get().json()["entries"])) == ["a", "b"]
    assert time.monotonic() - start >= 0.2


def test_a_slow_body_drips_and_is_whole(slack, client):
    slack.fault("slow", seconds=0.4)
    start = time.monotonic()
    assert sorted(ids(client.get(timeout=0.3).json()["entries"])) == ["a", "b"]
    assert time.monotonic() - start >= 0.4


def test_faults_strike_in_the_order_of_their_rules(slack, client):
    slack.faults(Fault(kind="status", status=500, times=2), Fault(kind="status", status=503))
    assert [client.get().status_code for _ in range(4)] == [500, 500, 503, 200]


def test_a_fault_can_wait_for_some_calls(slack, client):
    slack.faults(Fault(kind="status", status=500, after=2), Fault(kind="status", status=503, after=1))
    assert [client.get().status_code for _ in range(4)] == [200, 503, 500, 200]


def test_a_fault_may_be_for_one_path_only(slack, client):
    slack.fault("status", status=500, path="schemas")
    assert [client.get(path).status_code for path in ("logs", "actions", "schemas", "schemas")] == [200, 200, 500, 200]


def test_a_fault_may_strike_now_and_then(slack, client):
    slack.fault("status", status=500, probability=0.5, times=5)
    codes = []
    while slack.status()["faults_pending"]:
        codes.append(client.get().status_code)
    assert codes.count(500) == 5
    assert 200 in codes


def test_a_fault_without_an_end_lasts_until_it_is_deleted(slack, client):
    slack.fault("status", status=500, times=None)
    assert {client.get().status_code for _ in range(5)} == {500}
    slack.clear_faults()
    assert client.get().status_code == 200


def test_faults_strike_before_the_token_is_looked_at(slack, client):
    slack.fault("status", status=502)
    client.headers = {}
    assert client.get().status_code == 502


def test_the_status_tells_which_faults_are_left(slack, client):
    slack.faults(Fault(kind="html", times=3), Fault(kind="reset", after=9))
    client.get()
    status = slack.status()
    assert [(rule["kind"], rule["times"], rule["after"]) for rule in status["faults_pending"]] == [
        ("html", 2, 0),
        ("reset", 1, 8),
    ]
    assert status["faults_spoiled"] == 1


def test_every_answer_has_the_date_of_slacks_clock(slack, client):
    slack.change(clock_offset=3600.0)
    expected = "Mon, 21 Sep 2026 15:13:20 GMT"
    assert client.get().headers["Date"] == expected
    for rule in ({"kind": "html"}, {"kind": "status"}, {"kind": "rate_limit"}, {"kind": "slow", "seconds": 0}):
        slack.fault(**rule)
        assert client.get().headers["Date"] == expected


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "explosion"},
        {"kind": "html", "colour": "red"},
        {"kind": "html", "times": 0},
        {"kind": "status", "status": 99},
        {"kind": "status", "status": "503"},
        {"kind": "html", "after": -1},
        {"kind": "html", "probability": 2},
        {"kind": "truncated", "kept": 1},
        {"kind": "hang", "seconds": "long"},
        {"times": 1},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule):
    with pytest.raises(UnknownFaultError):
        Fault.from_json(rule)
