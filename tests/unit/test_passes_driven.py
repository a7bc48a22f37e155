"""Late, final and backfills, driven by whole runs on fakes."""

import contextlib
import gzip
import json
from typing import Any

import pytest

from slack_audit import bootstrap
from slack_audit.backfill import MOST_AT_ONCE
from slack_audit.batches import batch_of
from slack_audit.errors import (
    ActionRefusedError,
    ArchiveDamagedError,
    CollectorError,
    CrowdedSecondError,
    LeaseBusyError,
    LeaseLostError,
    RangeRefusedError,
    RateLimitedError,
    RefusedError,
    SettingsError,
    StorageError,
    UnavailableError,
)
from slack_audit.events import event_of
from slack_audit.log import Filters
from slack_audit.parts import Report
from slack_audit.passes import BACKFILL, FINAL, LATE, LIVE
from slack_audit.read import BUDGET_WAIT
from slack_audit.settings import Settings
from slack_audit.windows import DAY, Window
from tests.builders import ALL_LAGS, DAY_START, raw_event
from tests.fakes import KilledError, World
from tests.proof import archived, log_of, prove
from tests.unit.test_settings import ENV


def a_world(count: int = 30, **policy: object) -> tuple[World, list[bytes]]:
    world = World(**{"lags": ALL_LAGS, **policy})
    now = int(world.clock.time)
    served = [raw_event(now - 61 - 110 * number, number) for number in range(count)]
    world.slack.add(served)
    return world, served


def entries_of(world: World, name: str) -> list[dict[str, Any]]:
    return [entry for entry in log_of(world.archive.objects) if entry["pass"] == name]


def minutes(world: World, count: int) -> list[Report]:
    """So many minutes, with a run in each."""
    reports = []
    for _ in range(count):
        world.next_minute()
        reports.append(world.run())
    return reports


# late and final


def test_each_standing_pass_reads_every_second_once_at_its_distance():
    world, served = a_world()
    world.until_done()
    minutes(world, 80)
    now = int(world.clock.time)
    passes = world.table.item.passes
    for name in (LIVE, LATE, FINAL):
        assert now - ALL_LAGS[name] - 90 < passes[name].watermark <= now - ALL_LAGS[name]
        assert all(entry["count"] == 0 for entry in entries_of(world, name) if name != LIVE)
    prove(world.archive.objects, world.stream.lines, served)


@pytest.mark.parametrize(
    ("shown_after", "finder"),
    [
        pytest.param(30, LIVE, id="within live's distance"),
        pytest.param(300, LATE, id="within late's"),
        pytest.param(2_900, FINAL, id="within final's"),
    ],
)
def test_an_event_that_slack_shows_late_is_found_once_and_published(shown_after, finder):
    world, served = a_world()
    world.until_done()
    second = int(world.clock.time)
    late = [raw_event(second, f"late{number}") for number in range(3)]
    on_time = [raw_event(second, "on time")]
    world.slack.add(late, visible_at=second + shown_after)
    world.slack.add(on_time)
    reports = minutes(world, 90)
    finders = [
        entry["pass"]
        for entry in log_of(world.archive.objects)
        if entry["count"] and entry["window"]["lo"] <= second <= entry["window"]["hi"]
    ]
    assert finders == ([LIVE] if finder == LIVE else [LIVE, finder])
    assert sum(report.found.get(finder, 0) for report in reports) == (4 if finder == LIVE else 3)
    prove(world.archive.objects, world.stream.lines, served + late + on_time)


def test_a_report_says_how_long_slack_took_to_show_an_event():
    world, _ = a_world()
    world.until_done()
    second = int(world.clock.time)
    world.slack.add([raw_event(second, "late")], visible_at=second + 300)
    reports = minutes(world, 20)
    (delay,) = [report.longest_delay[LATE] for report in reports if report.longest_delay.get(LATE)]
    assert 600 <= delay <= 690


def test_what_is_read_while_catching_up_says_nothing_of_slacks_delay():
    world, _ = a_world()
    assert world.run().longest_delay == {}


def test_a_pass_that_is_switched_off_stays_where_it_is_and_goes_on_from_there_later():
    world, served = a_world(lags={LIVE: 60, BACKFILL: 3_000})
    world.until_done()
    start = world.table.item.passes[LATE].watermark
    late = [raw_event(int(world.clock.time), "late")]
    world.slack.add(late, visible_at=world.clock.time + 200)
    minutes(world, 30)
    assert world.table.item.passes[LATE].watermark == start
    world.with_changes(lags=ALL_LAGS)
    minutes(world, 30)
    assert world.table.item.passes[LATE].watermark > start
    prove(world.archive.objects, world.stream.lines, served + late)


def test_late_starts_where_live_does_and_not_at_now():
    world, _ = a_world()
    world.run()
    assert entries_of(world, LATE)[0]["window"]["lo"] == entries_of(world, LIVE)[0]["window"]["lo"]


def test_an_orphan_holds_nothing():
    """An object that no entry names: its events are in no committed batch, and to drop them would lose them."""
    world, served = a_world(lags={LIVE: 60})
    world.until_done()
    second = int(world.clock.time) - 500
    late = raw_event(second, "late")
    before = dict(world.archive.objects)
    world.slack.add([late])
    lost = World(lags={LIVE: 60})
    lost.slack.add([late])
    lost.clock.time = world.clock.time
    lost.until_done()
    (orphan,) = [(key, body) for key, body in lost.archive.objects.items() if key.startswith("raw/")]
    world.archive.objects = {**before, orphan[0]: orphan[1]}
    world.with_changes(lags=ALL_LAGS)
    minutes(world, 60)
    assert late in archived(world.committed())
    prove(world.committed(), world.stream.lines, [*served, late])


def test_a_damaged_object_holds_up_the_pass_that_needs_it_and_no_other():
    world, served = a_world()
    world.run()
    minutes(world, 9)
    second = int(world.clock.time)
    world.slack.add([raw_event(second, "seen"), raw_event(second + 900, "later")])
    minutes(world, 4)
    (damaged,) = [key for key in world.archive.objects if key.startswith("raw/") and b"seen" in _unzip(world, key)]
    whole = world.archive.objects[damaged]
    world.archive.objects[damaged] = whole[:-1] + b"?"
    said = []
    for _ in range(20):
        world.next_minute()
        try:
            world.run()
        except ArchiveDamagedError as error:
            said.append(str(error))
    assert said
    assert all(damaged in text for text in said)
    assert world.table.item.passes[LIVE].watermark > world.clock.time - 130
    assert world.table.item.passes[LATE].watermark < second
    world.archive.objects[damaged] = whole
    minutes(world, 60)
    prove(
        world.archive.objects,
        world.stream.lines,
        [*served, raw_event(second, "seen"), raw_event(second + 900, "later")],
    )


def _unzip(world: World, key: str) -> bytes:
    return gzip.decompress(world.archive.objects[key])


# backfills


def history(world: World, days: int, per_day: int) -> list[bytes]:
    """Events of the days before the one on which collection starts."""
    events = [
        raw_event(DAY_START - day * DAY + at * (DAY // per_day), f"old{day}.{at}")
        for day in range(1, days + 1)
        for at in range(per_day)
    ]
    world.slack.add(events)
    return events


def test_a_backfill_archives_its_range_ends_by_itself_and_is_published_only_if_asked_for():
    for publish in (False, True):
        world, served = a_world()
        old = history(world, days=5, per_day=40)
        world.until_done()
        outcome = world.order(from_="2025-12-28", to="2025-12-30", publish=publish)
        assert [state.name for state in outcome.backfills] == ["backfill-1766880000-1767139199"]
        world.until_done()
        wanted = [raw for raw in old if DAY_START - 4 * DAY <= json.loads(raw)["date_create"] < DAY_START - DAY]
        assert len(wanted) == 120
        assert sorted(archived(world.archive.objects)) == sorted(served + wanted)
        assert set(world.stream.lines) == set(served + (wanted if publish else []))
        assert world.order(list=True).backfills == []
        changes = [entry for entry in entries_of(world, "backfill-1766880000-1767139199") if entry["window"] is None]
        assert len(changes) == 2, "one entry starts it, one ends it"


def test_backfills_that_overlap_what_is_archived_and_each_other_repeat_nothing():
    world, served = a_world()
    old = history(world, days=3, per_day=40)
    world.until_done()
    now = int(world.clock.time)
    world.order(from_=DAY_START - 2 * DAY, to=now, publish=True)
    world.order(from_=DAY_START - 3 * DAY, to=DAY_START - DAY, publish=True)
    minutes(world, 70)
    assert world.order(list=True).backfills == []
    prove(world.archive.objects, world.stream.lines, served + old)


def test_a_range_that_reaches_into_finals_lag_completes_when_time_has():
    world, served = a_world()
    world.until_done()
    now = int(world.clock.time)
    young = raw_event(now - 400, "young")
    world.slack.add([young], visible_at=now + 2_000)  # late: shown only after late's look at its second
    world.order(from_=now - 3_600, to=now - 100)
    minutes(world, 2)
    (state,) = world.order(list=True).backfills
    assert state.remaining_seconds >= 2_900 - 200
    windows = [entry["window"] for entry in entries_of(world, state.name) if entry["window"]]
    assert all(window["hi"] <= world.clock.time - ALL_LAGS[BACKFILL] for window in windows)
    minutes(world, 60)
    assert world.order(list=True).backfills == []
    assert archived(world.archive.objects).count(young) == 1
    assert sorted(archived(world.archive.objects)) == sorted([*served, young])


def test_a_paused_backfill_waits_and_a_resumed_one_goes_on():
    world, _ = a_world()
    history(world, days=3, per_day=10)
    world.until_done()
    (state,) = world.order(from_="2025-12-29", to="2025-12-31").backfills
    world.order(pause=state.name)
    minutes(world, 3)
    (paused,) = world.order(list=True).backfills
    assert (paused.paused, paused.remaining_seconds) == (True, 3 * DAY)
    world.order(resume=state.name)
    minutes(world, 20)
    assert world.order(list=True).backfills == []


def test_a_cancelled_backfill_leaves_what_it_archived_and_can_be_started_again():
    world, served = a_world(calls_per_minute=8)
    old = history(world, days=3, per_day=60)
    world.slack.page = 20
    world.until_done()
    world.order(from_="2025-12-29", to="2025-12-31", publish=True)
    minutes(world, 2)
    (state,) = world.order(list=True).backfills
    assert 0 < state.remaining_seconds < 3 * DAY
    assert world.order(cancel=state.name).backfills == []
    assert world.until_done().backfill_remaining == 0
    world.order(from_="2025-12-29", to="2025-12-31", publish=True)
    world.until_done(runs=100)
    prove(world.archive.objects, world.stream.lines, served + old)


def test_an_order_given_twice_is_carried_out_once():
    world, _ = a_world()
    world.until_done()
    world.order(from_="2025-12-01", to="2025-12-31")
    entries = len(world.entries())
    (state,) = world.order(from_="2025-12-01", to="2025-12-31").backfills
    assert state.remaining_seconds == 31 * DAY
    assert len(world.entries()) == entries


def test_a_backfill_survives_a_lost_table():
    world, served = a_world()
    old = history(world, days=3, per_day=20)
    world.until_done()
    world.order(from_="2025-12-29", to="2025-12-31", publish=True)
    world.table.item = type(world.table.item)()
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served + old)


def test_an_order_waits_for_the_lease_and_says_so_if_it_cannot_have_it():
    world, _ = a_world()
    world.until_done()
    world.table.owner, world.table.until = "another", world.clock.time + 40
    assert len(world.order(from_="2025-12-01", to="2025-12-31").backfills) == 1
    assert world.table.owner is None
    world.table.owner, world.table.until = "another", world.clock.time + 1_000
    entries = len(world.entries())
    with pytest.raises(LeaseBusyError, match="Nothing was changed"):
        world.order(from_="2025-11-01", to="2025-11-30")
    assert len(world.entries()) == entries


def test_an_order_before_the_first_run_is_refused():
    world, _ = a_world()
    with pytest.raises(SettingsError, match="no log yet"):
        world.order(from_="2025-12-01", to="2025-12-31")
    assert world.table.owner is None
    assert world.order(list=True).backfills == []


def test_an_order_that_loses_its_race_is_carried_out_after_the_winners_entry():
    world, _ = a_world()
    world.until_done()
    number = world.faults.counts["archive.put_new"] + 1
    world.faults.at["archive.put_new", number] = lambda: (world.next_minute(6), world.overlap())
    with pytest.raises(LeaseLostError):
        world.order(from_="2025-12-01", to="2025-12-31")
    assert world.order(from_="2025-12-01", to="2025-12-31").backfills[0].remaining_seconds == 31 * DAY


def test_an_order_fails_with_the_store_that_fails_and_gives_the_lease_back():
    world, _ = a_world()
    world.until_done()
    world.faults.fail("archive.put_new", world.faults.counts["archive.put_new"] + 1, StorageError("down"))
    with pytest.raises(StorageError):
        world.order(from_="2025-12-01", to="2025-12-31")
    assert world.table.owner is None
    assert world.order(list=True).backfills == []


def test_live_does_not_wait_for_backfills_or_a_publishing_backlog():
    """Ten backfills at once, all published, with slow calls: live's lag at every moment."""
    world, _ = a_world(calls_per_minute=40)
    world.slack.seconds_a_call = 1.5
    history(world, days=10, per_day=200)
    world.slack.page = 50
    world.until_done(runs=100)
    for number in range(MOST_AT_ONCE):
        world.order(from_="2025-12-22", to=DAY_START - 1 - number, publish=True)
    lags = []
    real = world.slack._page

    def page(query):
        newest = max(key for key in world.archive.objects if key.startswith("log/"))  # all of them would take a minute
        lags.append(world.slack.now - json.loads(world.archive.objects[newest])["passes"][LIVE]["watermark"])
        return real(query)

    world.slack._page = page
    for _ in range(12):
        started = world.clock.time
        world.run()
        world.clock.time = max(world.clock.time, started + 60)
    assert len(lags) > 400
    few_windows = 6 * 2 * 1.5  # seconds: six, each with a cut answer before the whole one
    assert max(lags) <= ALL_LAGS[LIVE] + 60 + few_windows + BUDGET_WAIT, "a period and a few windows"


def test_backfills_leave_calls_for_the_standing_passes():
    world, _ = a_world(calls_per_minute=20)
    history(world, days=20, per_day=100)
    world.slack.page = 10
    world.until_done(runs=100)
    world.order(from_="2025-12-12", to="2025-12-31")
    for report in minutes(world, 10):
        assert (report.lag or 0) <= ALL_LAGS[LIVE] + 60
        assert report.stopped == "call_budget"
        assert report.calls <= 20


def test_with_few_calls_every_pass_still_moves():
    world, _ = a_world(calls_per_minute=3)
    history(world, days=2, per_day=10)
    world.until_done(runs=100)
    world.order(from_="2025-12-30", to="2025-12-31")
    minutes(world, 40)
    assert world.order(list=True).backfills == []
    assert world.table.item.passes[LIVE].watermark > world.clock.time - 200


def test_after_a_rate_limit_half_of_the_calls_are_made_for_a_while():
    world, _ = a_world(calls_per_minute=20)
    history(world, days=20, per_day=400)
    world.slack.page = 10
    world.until_done(runs=200)
    world.order(from_="2025-12-12", to="2025-12-31")
    minutes(world, 2)
    number = world.faults.counts["slack.read"] + 1
    world.faults.fail("slack.read", number, RateLimitedError("wait", retry_after=1))
    minutes(world, 1)
    calls = [report.calls for report in minutes(world, 9)]
    assert max(calls) <= 10
    assert max(report.calls for report in minutes(world, 5)) > 10


def test_a_crowded_second_that_a_backfill_cannot_read_does_not_hold_up_live():
    world, _ = a_world()
    world.slack.add([raw_event(DAY_START - 500, f"crowd{number}") for number in range(120)])
    world.slack.page = 10
    world.until_done(runs=60)
    world.order(from_=DAY_START - 500, to=DAY_START - 500)
    world.slack.seconds_a_call = 15.0
    failures = 0
    for _ in range(12):
        world.next_minute()
        try:
            world.run()
        except CrowdedSecondError:
            failures += 1
    assert failures >= 2
    assert world.table.item.passes[LIVE].watermark > world.clock.time - 900
    world.slack.seconds_a_call = 0.1
    minutes(world, 3)
    assert world.order(list=True).backfills == []


# filters


def test_more_actions_than_fit_into_a_call_are_asked_for_in_several():
    names = [f"action_{number}" for number in range(65)]
    world = World(lags=ALL_LAGS, filters=Filters(action=",".join(names)))
    now = int(world.clock.time)
    served = [raw_event(now - 100 - number, number, action=names[number]) for number in range(65)]
    other = [raw_event(now - 100, "other", action="another")]
    world.slack.add(served + other)
    world.until_done()
    assert {len(query.filters.action.split(",")) for query in world.slack.queries} == {30, 5}
    entry = log_of(world.archive.objects)[1]
    assert entry["filters"]["action"] == ",".join(names)
    prove(world.archive.objects, world.stream.lines, served)


def test_few_calls_a_minute_still_read_a_window_of_several_calls():
    names = [f"action_{number}" for number in range(65)]
    world = World(filters=Filters(action=",".join(names)), calls_per_minute=1)
    served = [raw_event(int(world.clock.time) - 100 - number, number, action=names[number]) for number in range(65)]
    world.slack.add(served)
    world.until_done(runs=60)
    prove(world.archive.objects, world.stream.lines, served)


def test_a_cut_answer_of_any_of_the_calls_makes_the_window_smaller():
    names = [f"action_{number}" for number in range(65)]
    world = World(filters=Filters(action=",".join(names)))
    world.slack.page = 5
    now = int(world.clock.time)
    served = [raw_event(now - 100 - 3 * number, number, action=names[60]) for number in range(60)]
    world.slack.add(served)
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_an_action_that_slack_does_not_know_is_named():
    world = World(filters=Filters(action="user_login,user_lgoin,file_shraed"))
    world.faults.fail("slack.read", 1, ActionRefusedError("HTTP 400. Check ActionFilter."))
    with pytest.raises(RefusedError, match="does not know user_lgoin, file_shraed"):
        world.run()
    assert world.archive.objects == {}


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(UnavailableError("down"), id="that cannot be read"),
        pytest.param(b'{"actions":{"user":["user_lgoin"]}}', id="that has the name"),
        pytest.param(b"<html>", id="that is none"),
    ],
)
def test_a_list_of_actions_that_does_not_help_leaves_the_refusal_as_it_is(listed):
    world = World(filters=Filters(action="user_lgoin"))
    world.catalog.lists["actions"] = listed
    world.faults.fail("slack.read", 1, ActionRefusedError("HTTP 400. Check ActionFilter."))
    with pytest.raises(ActionRefusedError, match="Check ActionFilter"):
        world.run()


# what the protocol's model found before


def test_ids_are_dropped_after_the_commit_before_and_not_at_read_ahead():
    """Late and final are behind on the same seconds, and both find the same event; final's call is read ahead while
    late's find is not committed yet."""
    world, served = a_world(lags={LIVE: 60, BACKFILL: 3_000})
    world.until_done()
    second = int(world.clock.time)
    late = [raw_event(second, f"late{number}") for number in range(5)]
    world.slack.add(late, visible_at=second + 200)
    minutes(world, 80)
    world.with_changes(lags=ALL_LAGS)
    world.next_minute()
    before = len(world.slack.queries)
    report = world.run()
    asked = [query.window for query in world.slack.queries[before:] if query.window and second in query.window]
    assert len(asked) >= 2
    assert report.found[LATE] + report.found[FINAL] == 5
    prove(world.archive.objects, world.stream.lines, served + late)


def test_slow_calls_starve_no_pass():
    """Live always has another half minute to read when a call takes as long."""
    world, served = a_world()
    world.until_done()
    world.slack.seconds_a_call = 29.0
    for _ in range(60):
        started = world.clock.time
        world.run()
        world.clock.time = max(world.clock.time, started + 60)
    now = world.clock.time
    for name in (LIVE, LATE, FINAL):
        assert world.table.item.passes[name].watermark > now - ALL_LAGS[name] - 600, name
    world.slack.seconds_a_call = 0.1
    minutes(world, 5)
    prove(world.archive.objects, world.stream.lines, served)


def test_finals_lag_has_a_margin_for_clocks_that_drift():
    """An event that Slack shows at the very end of its 25 hours, read by a host whose clock ran ahead by 3 s."""
    lags = bootstrap.lags(Settings.from_env(ENV))
    assert lags == {LIVE: 60, LATE: 35 * 60, FINAL: 25 * 3_600 + 300, BACKFILL: 25 * 3_600 + 300}
    world, served = a_world(lags=lags)
    world.until_done()
    world.slack.says_the_time = False
    second = world.slack.now
    last = [raw_event(second, "last")]
    world.slack.add(last, visible_at=second + 25 * 3_600)
    world.slack.offset -= 3
    for _ in range(60):
        world.next_minute(27)
        world.run()
    prove(world.archive.objects, world.stream.lines, served + last)


@pytest.mark.parametrize(
    ("minutes_", "hours", "driven"),
    [("0", "25", {LIVE, FINAL, BACKFILL}), ("35", "0", {LIVE, LATE, BACKFILL}), ("0", "0", {LIVE, BACKFILL})],
)
def test_a_pass_is_switched_off_by_0_and_a_backfill_keeps_its_distance(minutes_, hours, driven):
    lags = bootstrap.lags(Settings.from_env(ENV | {"LATE_PASS_MINUTES": minutes_, "FINAL_PASS_HOURS": hours}))
    assert set(lags) == driven
    assert lags[BACKFILL] == 25 * 3_600 + 300


def test_after_a_lost_race_the_archive_is_listed_anew():
    """A second stack with a table of its own commits what late finds, while ours is about to; then our final pass reads
    the same seconds."""
    world, served = a_world(lags={LIVE: 60, BACKFILL: 3_000})
    world.until_done()
    second = int(world.clock.time)
    late = [raw_event(second, f"late{number}") for number in range(5)]
    world.slack.add(late, visible_at=second + 200)
    minutes(world, 80)
    other = World(lags={LIVE: 60, LATE: 600, BACKFILL: 3_000})
    other.slack, other.archive, other.stream, other.clock = world.slack, world.archive, world.stream, world.clock

    def run_the_other() -> None:
        if not other.runs:
            other.run()
            world.clock.new_run()

    world.with_changes(lags=ALL_LAGS)
    world.next_minute()
    for number in range(1, 9):
        finds = world.faults.counts["archive.put_new"] + number
        world.faults.at["archive.put_new", finds] = lambda: world.table.item.plan is not None and run_the_other()
    world.run()
    minutes(world, 5)
    assert other.runs == 1
    assert other.table.item.next > 0
    lines = archived(world.committed())
    assert sorted(lines) == sorted(served + late)


def test_an_orphan_with_a_number_that_the_log_has_not_reached_holds_nothing_and_is_no_damage():
    world, served = a_world(lags={LIVE: 60})
    world.until_done()
    second = int(world.clock.time) - 500
    late = raw_event(second, "late")
    world.slack.add([late])
    batch = batch_of("main", Window(second, second), 900, [event_of(late)])
    world.archive.objects[batch.key] = batch.body
    world.with_changes(lags=ALL_LAGS)
    minutes(world, 60)
    prove(world.committed(), world.stream.lines, [*served, late])


# a pass that fails does not hold up live


def live_lag_over(world: World, runs: int) -> tuple[int, list[str]]:
    """The largest lag of live after its run in so many minutes, and what the runs that failed said."""
    most, failed = 0, []
    for _ in range(runs):
        started = world.clock.time
        try:
            world.run()
        except CollectorError as error:
            failed.append(str(error))
        most = max(most, world.slack.now - world.table.item.passes[LIVE].watermark)
        world.clock.time = max(world.clock.time, started + 60)
    return most, failed


def refusing(world: World, window: Window, error: Exception) -> None:
    """Slack fails for every question that touches this stretch of time."""
    real = world.slack._page

    def page(query):
        if query.window is not None and query.window.overlaps(window):
            raise error
        return real(query)

    world.slack._page = page


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(RangeRefusedError("invalid_range."), 'start one with a later "from"', id="before the feature"),
        pytest.param(UnavailableError("HTTP 500"), "HTTP 500", id="a stretch that Slack cannot show"),
    ],
)
def test_a_backfill_that_slack_cannot_answer_does_not_hold_up_live(error, says):
    world, _ = a_world()
    world.until_done()
    world.order(from_="2025-12-01", to="2025-12-01")
    refusing(world, Window(DAY_START - 31 * DAY, DAY_START - 30 * DAY - 1), error)
    most, failed = live_lag_over(world, 20)
    assert len(failed) >= 6
    assert all(says in text for text in failed)
    assert most <= ALL_LAGS[LIVE] + 100


def test_an_object_that_cannot_be_read_back_does_not_hold_up_live():
    world, _ = a_world()
    world.until_done()
    for number in range(1, 3_000):
        world.faults.fail(
            "archive.get", world.faults.counts["archive.get"] + number, StorageError("InvalidObjectState")
        )
    second = int(world.clock.time)
    world.slack.add([raw_event(second + at, f"new{at}") for at in range(0, 1_200, 10)])
    most, failed = live_lag_over(world, 30)
    assert len(failed) >= 6
    assert most <= ALL_LAGS[LIVE] + 100


def test_a_window_that_kills_its_run_does_not_hold_up_live():
    """Late's first look at what the archive holds kills the run: each leaves its lease, which expires."""
    world, _ = a_world()
    world.until_done()
    second = int(world.clock.time)
    world.slack.add([raw_event(second + at, f"new{at}") for at in range(0, 6_000, 10)])
    world.next_minute(11)
    real = world.archive.get

    def deadly(key):
        if key.startswith("raw/"):
            world.faults.dead = True
            raise KilledError
        return real(key)

    world.archive.get = deadly
    kills = 0
    for _ in range(12):
        with contextlib.suppress(KilledError):
            world.run()
        kills += world.faults.dead
        world.revive()
    assert kills >= 6
    assert world.table.item.passes[LIVE].watermark > world.clock.time - 800, (
        "a lease is 330 s, and every run begins with live"
    )


def test_what_slack_showed_late_is_finals_to_publish_and_no_backfills_to_take_away():
    world, served = a_world()
    world.until_done()
    world.order(from_="2026-01-01", to="2026-01-01", publish=False)
    late = []
    for minute in range(40):
        second = world.slack.now
        events = [raw_event(second + number, f"late{minute}.{number}") for number in range(3)]
        world.slack.add(events, visible_at=second + 700 + 50 * minute)
        late += events
        world.next_minute()
        world.run()
    reports = minutes(world, 60)
    assert world.order(list=True).backfills[0].remaining_seconds > 0
    assert sum(report.found.get(BACKFILL, 0) for report in reports) == 0
    prove(world.archive.objects, world.stream.lines, served + late)


def test_calls_and_rate_limits_are_kept_when_a_run_fails():
    world, _ = a_world()
    world.until_done()
    world.next_minute(5)
    world.faults.fail("slack.read", world.faults.counts["slack.read"] + 1, RateLimitedError("wait", retry_after=2))
    world.faults.fail("archive.put_new", world.faults.counts["archive.put_new"] + 1, StorageError("down"))
    with pytest.raises(StorageError):
        world.run()
    assert world.table.item.budget.shy_until > world.clock.time
    assert len(world.table.item.budget.calls) >= 1
