"""Whatever happens to the collector on its way, what it leaves is proven: late finds, backfills, crashes, lost tables."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slack_audit.passes import FINAL, LATE, LIVE
from tests.builders import ALL_LAGS, raw_event
from tests.fakes import World
from tests.property.test_collecting import mishaps, suffer
from tests.verify.archives import Forge, found, proof_of


def world_with_late_events(**policy: object) -> World:
    """Two events every two minutes for an hour; every third time Slack shows one of them five minutes late."""
    world = World(**{"lags": ALL_LAGS, **policy})
    now = world.slack.now
    for number in range(30):
        second = now + number * 120
        world.slack.add([raw_event(second, number)], visible_at=second)
        world.slack.add([raw_event(second, f"{number}b")], visible_at=second + (300 if number % 3 == 0 else 0))
    for _ in range(120):
        world.run()
        world.next_minute()
    world.until_done()
    return world


@pytest.fixture(scope="module")
def late() -> World:
    return world_with_late_events()


def test_late_finds_are_proven_and_told_by_the_pass_that_found_them(late):
    proof = proof_of(late.archive.objects)
    assert proof.totals == {}
    assert proof.coverage.events == 60
    told = {it.name: it.events for it in proof.coverage.passes}
    assert told[LIVE] > told[LATE] > 0
    assert sum(told.values()) == 60
    assert {it.name for it in proof.coverage.passes} == {LIVE, LATE, FINAL}


def test_of_late_finds_a_part_is_proven_too_with_the_batches_beside_it(late):
    entries = [json.loads(body) for body in late.entries()]
    for number in range(1, len(entries), 7):
        proof = proof_of(late.archive.objects, since=datetime.fromisoformat(entries[number]["time"]))
        assert proof.totals == {}
        assert proof.scope.first <= number


def test_a_late_find_that_live_had_already_is_found_even_from_a_part(late):
    forge = Forge(late.archive.objects)
    number = next(it["number"] for it in forge.entries if it["pass"] == LATE and it["count"])
    window = forge.entries[number]["window"]
    live = next(
        it["number"]
        for it in forge.entries
        if it["pass"] == LIVE
        and it["count"]
        and it["number"] < number
        and _shares_an_event(forge, it["number"], window)
    )
    again = next(line for line in forge.lines(live) if window["lo"] <= json.loads(line)["date_create"] <= window["hi"])
    both = sorted(
        [*forge.lines(number), again], key=lambda line: (json.loads(line)["date_create"], json.loads(line)["id"])
    )
    forge.put(number, both)
    objects = forge.sealed()
    expected = f"event {json.loads(again)['id']}: is archived by entry {live} and again by entry {number}"
    assert found(objects) == {"repeated": [expected]}
    since = datetime.fromisoformat(forge.entries[number]["time"])
    assert found(objects, since=since)["repeated"] == [expected]


def _shares_an_event(forge: Forge, number: int, window: dict[str, int]) -> bool:
    return any(window["lo"] <= json.loads(line)["date_create"] <= window["hi"] for line in forge.lines(number))


def test_backfills_are_proven_while_they_run_paused_cancelled_and_ended():
    world = world_with_late_events()
    now = world.slack.now
    world.slack.add(raw_event(now - 30_000 + number, f"old-{number}") for number in range(5))
    world.order(from_=now - 40_000, to=now - 20_000)
    world.order(from_=now - 90_000, to=now - 80_000)
    name = f"backfill-{now - 90_000}-{now - 80_000}"
    assert proof_of(world.archive.objects).totals == {}
    world.order(pause=name)
    for _ in range(6):
        world.next_minute()
        world.run()
    proof = proof_of(world.archive.objects)
    assert proof.totals == {}
    assert {it.name: it.state for it in proof.coverage.passes[3:]} == {
        f"backfill-{now - 40_000}-{now - 20_000}": "ended",
        name: "paused",
    }
    assert proof.coverage.passes[3].events == 5
    world.order(resume=name)
    world.order(cancel=name)
    proof = proof_of(world.archive.objects)
    assert (proof.totals, proof.coverage.passes[4].state) == ({}, "cancelled")


def run_on(world: World, runs: int) -> None:
    """So many runs, ten minutes apart; how far they get does not matter."""
    for _ in range(runs):
        world.run()
        world.next_minute(10)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 20), st.integers(0, 2_500)), max_size=25),
    mishaps=mishaps,
    page=st.integers(5, 60),
    per_minute=st.integers(4, 40),
    offset=st.integers(-5_000, 5_000),
    backfill=st.none() | st.tuples(st.integers(3_600, 8_000), st.integers(0, 9_000)),
)
def test_whatever_happened_the_archive_is_proven(history, mishaps, page, per_minute, offset, backfill):
    world = World(calls_per_minute=per_minute, lags=ALL_LAGS)
    world.slack.page = page
    world.slack.offset = offset
    start = world.slack.now - 3_600
    for at, count, late in history:
        world.slack.add([raw_event(start + at, f"{at}.{n}.{late}") for n in range(count)], visible_at=start + at + late)
    run_on(world, 3)
    if backfill is not None:
        world.order(from_=start - backfill[0], to=start - backfill[0] + backfill[1])
    for mishap in mishaps:
        suffer(world, *mishap)
        world.next_minute(7)
    world.revive()
    run_on(world, 25)
    proof = proof_of(world.archive.objects)
    assert proof.proven, proof.findings
    assert set(proof.totals) <= {"orphan", "time"}
    for number in range(0, proof.coverage.entries, 5):
        time = datetime.fromisoformat(json.loads(world.entries()[number])["time"])
        assert proof_of(world.archive.objects, since=time).proven
    assert proof_of(world.archive.objects, since=datetime(2020, 1, 1, tzinfo=UTC)).scope.days is None
