"""The control API, and the same verbs of a stand-in inside a program."""

import json
import threading

import pytest
import requests

from local.slack import Fault, Settings, StandIn
from local.slack.settings import UnknownSettingError
from tests.local.clients import NOON, TIMEOUT, Client, event, ids, true_ids


@pytest.fixture
def control(slack):
    def call(method, path, **how):
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, f"{slack.control_url}/{path}", timeout=TIMEOUT, **how)

    return call


def test_the_status_counts_events_and_calls(slack, client, control):
    slack.generate(30)
    slack.add(event("late"), visible_at=NOON + 100)
    client.get(limit=10)
    client.get("nonsense")
    Client(slack, token="xoxp-wrong").get()
    status = control("GET", "status").json()
    assert (status["visible_events"], status["total_events"], status["entries_served"]) == (30, 31, 10)
    assert status["calls"] == {"/audit/v1/logs": {"200": 1, "401": 1}, "other": {"404": 1}}
    assert status["slack_time"] == NOON
    assert status == json.loads(json.dumps(slack.status()))


def test_the_status_tells_no_token(slack, control):
    assert slack.settings.tokens[0] not in control("GET", "status").text


def test_the_truth_is_every_visible_event_byte_for_byte_oldest_first(slack, control):
    slack.generate(3000)
    slack.add(event("hidden"), visible_at=NOON + 100)
    answer = control("GET", "events")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.content == b"".join(raw + b"\n" for raw in slack.events())
    seconds = [json.loads(line)["date_create"] for line in answer.content.splitlines()]
    assert seconds == sorted(seconds)
    assert len(seconds) == 3000


def test_the_truth_can_be_asked_for_by_range(slack, control):
    slack.add(*(event(str(second), second) for second in range(NOON - 10, NOON)))
    lines = control("GET", "events", params={"oldest": NOON - 8, "latest": NOON - 7}).content.splitlines()
    assert ids([json.loads(line) for line in lines]) == [str(NOON - 8), str(NOON - 7)]


def test_events_can_be_added_as_they_are(slack, client, control):
    raws = [event("a"), b'{"date_create":1789999900, "action" : "user_login"} ']
    assert control("POST", "events", data=b"\n".join(raws) + b"\n").json() == {"ok": True, "added": 2}
    assert sorted(slack.events()) == sorted(raws)
    assert control("GET", "events").content == b"".join(raw + b"\n" for raw in slack.events())
    assert len(client.walk(action="user_login")) == 2


def test_added_events_can_be_late_and_out_of_their_second(slack, client, control):
    control("POST", "events", params={"visible_at": NOON + 10}, data=event("late"))
    control("POST", "events", params={"at": NOON - 5}, data=event("astray", NOON - 5000))
    assert ids(client.walk(oldest=NOON - 5, latest=NOON - 5)) == ["astray"]
    assert slack.status()["total_events"] == 2


@pytest.mark.parametrize(
    "raw", [b'{"id":"x"}', b'{"date_create":"soon"}', b'{"date_create":true}', b'{"actor":7,"entity":null}']
)
def test_an_event_without_a_usable_date_stands_in_the_present_second(slack, client, raw):
    slack.add(raw)
    assert slack.events(NOON, NOON) == [raw]
    assert client.walk(oldest=NOON, latest=NOON) == [json.loads(raw)]


@pytest.mark.parametrize("body", [b"[1]", b"7", b'{"id":', b"\xff"])
def test_what_is_no_event_is_refused_and_nothing_of_it_is_added(slack, control, body):
    answer = control("POST", "events", data=event("a") + b"\n" + body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "bad_request"
    assert slack.events() == []


def test_the_same_event_may_be_added_twice(slack, client):
    slack.add(event("a"), event("a"))
    assert ids(client.walk(limit=1)) == ["a", "a"]


def test_events_can_be_invented_on_demand(slack, control):
    wish = {"count": 500, "from": NOON - 60, "to": NOON - 30, "seed": 9, "bursts": 0.2, "burst_size": 10, "coverage": 0}
    assert control("POST", "generate", json=wish).json() == {"ok": True, "generated": 500}
    assert len(slack.events(NOON - 60, NOON - 30)) == 500
    with StandIn(slack.settings) as twin:
        twin.generate(500, start=NOON - 60, end=NOON - 30, seed=9, bursts=0.2, burst_size=10, coverage=0)
        assert twin.events() == slack.events()


def test_events_are_invented_for_the_last_day_unless_told_otherwise_and_never_twice_the_same(slack):
    slack.generate(200)
    slack.generate(200)
    assert len(set(true_ids(slack))) == 400
    assert len(slack.events(NOON - 86_400, NOON)) == 400


@pytest.mark.parametrize(
    "wish", [{"count": -1}, {"count": "x"}, {"count": 1, "colour": 1}, {}, {"count": 1, "late_fraction": 9}]
)
def test_an_order_that_makes_no_sense_is_refused(slack, control, wish):
    assert control("POST", "generate", json=wish).status_code == 400
    assert slack.status()["total_events"] == 0


def test_faults_are_queued_one_or_many_and_deleted(slack, client, control):
    assert control("POST", "faults", json={"kind": "status", "status": 500}).json() == {"ok": True, "added": 1}
    many = [{"kind": "html"}, {"kind": "rate_limit", "retry_after": "abc"}]
    assert control("POST", "faults", json=many).json() == {"ok": True, "added": 2}
    assert client.get().status_code == 500
    assert [rule["kind"] for rule in slack.status()["faults_pending"]] == ["html", "rate_limit"]
    control("DELETE", "faults")
    assert slack.status()["faults_pending"] == []


@pytest.mark.parametrize("rules", [{"kind": "boom"}, [{"kind": "html"}, {"kind": "boom"}], 7, [7]])
def test_faults_that_make_no_sense_are_refused_together(slack, control, rules):
    assert control("POST", "faults", json=rules).status_code == 400
    assert slack.status()["faults_pending"] == []


def test_the_token_can_be_changed(slack, client, control):
    control("POST", "token", json={"token": "xoxp-next"})
    assert client.get().status_code == 401
    control("POST", "token", json={"tokens": ["xoxp-next", *Settings().tokens]})
    assert client.get().status_code == 200


def test_knobs_can_be_turned(slack, control):
    answer = control("POST", "settings", json={"latency": [0.0, 0.01], "calls_per_minute": None, "last_page": "null"})
    assert answer.json()["settings"]["last_page"] == "null"
    assert (slack.settings.latency, slack.settings.calls_per_minute) == ((0.0, 0.01), None)


WRONG = [
    {"colour": "red"},
    {"short_pages": 2},
    {"over_deliver": 1},
    {"last_page": "sometimes"},
    {"latency": [2, 1]},
    {"latency": "x"},
    {"calls_per_minute": 0},
    {"page_limit": 1.5},
    {"clock_offset": True},
    {"tokens": "xoxp-text"},
    {"seed": None},
]


@pytest.mark.parametrize("knobs", WRONG)
def test_knobs_that_make_no_sense_are_refused_and_change_nothing(slack, control, knobs):
    before = slack.settings
    answer = control("POST", "settings", json=knobs)
    assert answer.status_code == 400
    assert next(iter(knobs)) in answer.json()["reason"]
    assert slack.settings == before
    with pytest.raises(UnknownSettingError):
        slack.change(**knobs)


@pytest.mark.parametrize("path", ["generate", "faults", "token", "settings", "traffic"])
@pytest.mark.parametrize("body", [b"", b"{", b'"text"', b"[1,2]"])
def test_a_body_that_is_no_json_object_is_refused(control, path, body):
    assert control("POST", path, data=body).status_code == 400


def test_traffic_can_be_started_and_stopped(slack, control, clock):
    assert control("POST", "traffic", json={"per_second": 2}).json() == {"ok": True}
    clock.now += 10
    assert control("POST", "traffic", json={"per_second": 0}).status_code == 200
    clock.now += 10
    assert len(slack.events()) == 20
    assert control("POST", "traffic", json={"per_second": -1}).status_code == 400
    assert control("POST", "traffic", json={"per_second": 1, "until": NOON + 25}).status_code == 200
    clock.now += 10
    assert len(slack.events()) == 25


def test_the_calls_are_kept_with_their_parameters_and_without_the_token(slack, client, control):
    client.get(limit=5, oldest=NOON - 60)
    slack.fault("html")
    client.get("actions")
    kept = control("GET", "calls").json()
    assert [(call["path"], call["outcome"], call["fault"]) for call in kept] == [
        ("/audit/v1/logs", "200", None),
        ("/audit/v1/actions", "200", "html"),
    ]
    assert kept[0]["params"] == {"limit": "5", "oldest": str(NOON - 60)}
    assert slack.settings.tokens[0] not in json.dumps(kept)
    assert [call.params for call in slack.calls()] == [call["params"] for call in kept]


def test_control_calls_are_neither_limited_nor_spoiled_nor_counted(slack, control):
    slack.change(calls_per_minute=1)
    slack.fault("reset", times=None)
    assert [control("GET", "status").status_code for _ in range(5)] == [200] * 5
    assert [control(method, "nonsense").status_code for method in ("GET", "POST")] == [404, 404]
    assert slack.status()["calls"] == {}


def test_the_verbs_are_safe_to_use_from_many_threads(slack, client):
    def work(name: int) -> None:
        for number in range(20):
            slack.add(event(f"{name}/{number}"))
            slack.generate(5)
            slack.status()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert client.get(limit=50).status_code == 200
    for thread in threads:
        thread.join()
    assert len(client.walk(limit=9999)) == 4 * 20 * 6


def test_history_can_be_filled_before_the_start_and_read_after_the_end():
    slack = StandIn()
    slack.add(event("a", 1_700_000_000))
    slack.faults(Fault(kind="html"))
    with slack:
        assert Client(slack).get().headers["Content-Type"].startswith("text/html")
        assert ids(Client(slack).walk()) == ["a"]
    assert slack.events() == [event("a", 1_700_000_000)]
    assert slack.status()["entries_served"] == 1


def test_two_stand_ins_run_side_by_side():
    with StandIn() as one, StandIn() as two:
        one.add(event("a", 1_700_000_000))
        assert (len(Client(one).walk()), len(Client(two).walk())) == (1, 0)
        assert one.url != two.url


def test_a_taken_port_is_an_error_at_once(slack):
    port = int(slack.base.rpartition(":")[2])
    with pytest.raises(OSError, match="address"), StandIn(port=port):
        pass


def test_it_stops_at_once_even_while_a_call_hangs(slack, client):
    inner = StandIn(Settings(calls_per_minute=None))
    errors = []

    def call() -> None:
        try:
            Client(inner).get()
        except requests.exceptions.ConnectionError as error:
            errors.append(error)

    with inner:
        inner.fault("hang", seconds=60)
        thread = threading.Thread(target=call)
        thread.start()
        while inner.status()["faults_pending"]:
            pass
    thread.join(timeout=5)
    assert len(errors) == 1


# More than one organisation


def test_organisations_at_one_address_are_told_apart_by_their_tokens(slack, client):
    lab = slack.beside(Settings(tokens=("xoxp-of-the-lab",), calls_per_minute=None))
    slack.add(event("main"))
    lab.add(event("lab"))
    lab.generate(5)
    assert lab.url == slack.url
    assert ids(client.get().json()["entries"]) == ["main"]
    assert len(Client(slack, token="xoxp-of-the-lab").get().json()["entries"]) == 6
    assert (len(slack.events()), len(lab.events())) == (1, 6)
    assert (len(slack.calls()), len(lab.calls())) == (1, 1)


def test_the_faults_of_one_organisation_spoil_no_call_of_another(slack, client):
    lab = slack.beside(Settings(tokens=("xoxp-of-the-lab",)))
    lab.fault("status", status=503)
    assert client.get().status_code == 200
    assert Client(slack, token="xoxp-of-the-lab").get().status_code == 503


def test_a_token_that_no_organisation_has_is_refused(slack):
    lab = slack.beside(Settings(tokens=("xoxp-of-the-lab",)))
    lab.token()
    assert Client(slack, token="xoxp-of-the-lab").get().status_code == 401
