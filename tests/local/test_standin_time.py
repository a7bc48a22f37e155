"""Time: late events, live traffic, a clock that is wrong, and slow answers."""

import json
import time

import pytest

from local.slack import Settings, StandIn
from tests.local.clients import NOON, Client, event, ids, true_ids


def test_a_late_event_is_there_only_after_its_time(slack, client, clock):
    slack.add(event("late", NOON - 500), visible_at=NOON + 60)
    slack.add(event("early", NOON - 500))
    assert (ids(client.walk()), true_ids(slack)) == (["early"], ["early"])
    assert (slack.status()["visible_events"], slack.status()["total_events"]) == (1, 2)
    clock.now = NOON + 60
    assert sorted(ids(client.walk(oldest=NOON - 500, latest=NOON - 500))) == ["early", "late"]
    assert sorted(true_ids(slack)) == ["early", "late"]


def test_an_event_that_appears_behind_the_place_of_a_walk_is_part_of_it(slack, client, clock):
    slack.add(*(event(str(second), second) for second in range(NOON - 10, NOON)))
    slack.add(event("late", NOON - 10), visible_at=NOON + 5)
    cursor = client.get(limit=3).json()["response_metadata"]["next_cursor"]
    clock.now += 10
    assert "late" in ids(client.get(cursor=cursor).json()["entries"])


def test_invented_events_of_the_future_appear_when_their_second_comes(slack, client, clock):
    slack.generate(100, start=NOON, end=NOON + 99, bursts=0)
    shown = len(client.walk())
    assert shown < 10
    clock.now += 50
    assert 30 < len(client.walk()) < 70
    clock.now += 49
    assert len(client.walk()) == 100


def test_invented_events_can_be_late(slack, client, clock):
    slack.generate(1000, start=NOON - 10, end=NOON, late_fraction=0.3, late_delay=(100, 200))
    on_time = len(client.walk(limit=9999))
    assert 600 < on_time < 800
    clock.now += 99 - 10
    assert len(client.walk(limit=9999)) == on_time
    clock.now += 150
    assert len(client.walk(limit=9999)) == 1000


def test_live_traffic_is_dated_to_the_seconds_that_pass(slack, client, clock):
    slack.traffic(2.5)
    assert client.walk() == []
    clock.now += 4
    seconds = [entry["date_create"] for entry in client.walk()]
    assert len(seconds) == 10
    assert set(seconds) == {NOON + passed for passed in range(5)}
    clock.now += 0.4
    assert len(client.walk()) == 11


def test_live_traffic_stops_when_it_is_told_or_at_its_end(slack, client, clock):
    slack.traffic(1, until=NOON + 3)
    clock.now += 60
    assert len(client.walk()) == 3
    slack.traffic(1)
    clock.now += 5
    slack.traffic(0)
    clock.now += 5
    assert len(client.walk()) == 8


def test_live_traffic_can_be_late(slack, client, clock):
    slack.change(late_fraction=1.0, late_delay=30.0)
    slack.traffic(1)
    clock.now += 29
    assert client.walk() == []
    clock.now += 2
    assert [entry["date_create"] for entry in client.walk()] == [NOON + 1]


def test_the_same_seed_brings_the_same_live_traffic(clock):
    def traffic() -> list[bytes]:
        clock.now = NOON
        slack = StandIn(Settings(seed=5), host_clock=clock)
        slack.traffic(3)
        clock.now += 20
        return slack.events()

    assert traffic() == traffic() != []


def test_moving_the_clock_makes_up_no_events_for_the_time_it_moves_over(slack, client, clock):
    slack.traffic(1)
    clock.now += 2
    slack.change(clock_offset=86_400.0)
    clock.now += 3
    seconds = [entry["date_create"] for entry in client.walk()]
    assert seconds == [NOON + 86_400 + passed for passed in (5, 4, 3)] + [NOON + 2, NOON + 1]


def test_slacks_clock_is_the_hosts_moved_by_the_offset(slack, client):
    slack.change(clock_offset=-7.0)
    assert slack.now == NOON - 7
    assert slack.status()["slack_time"] == NOON - 7
    slack.add(b'{"no":"date"}')
    assert slack.events(NOON - 7, NOON - 7) == [b'{"no":"date"}']


@pytest.mark.parametrize("latency", [0.1, (0.1, 0.15)])
def test_a_call_takes_as_long_as_the_latency_says(slack, client, latency):
    slack.change(latency=latency)
    start = time.monotonic()
    client.get()
    assert 0.1 <= time.monotonic() - start < 1


def test_the_stand_in_goes_by_the_real_clock_unless_told_otherwise():
    with StandIn() as slack:
        slack.traffic(200)
        deadline = time.monotonic() + 5
        while len(slack.events()) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        seconds = {json.loads(raw)["date_create"] for raw in slack.events()}
        assert seconds
        assert all(abs(second - time.time()) < 6 for second in seconds)
        assert Client(slack).get().status_code == 200
