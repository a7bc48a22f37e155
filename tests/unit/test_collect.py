"""What one run does, told with fakes; the cases that the protocol's model found are among them."""

import contextlib
import gc
import itertools
import json
import weakref

import pytest

from slack_audit.checkpoint import Checkpoint
from slack_audit.collect import Run
from slack_audit.commit import UNSAVED, Ledger, Provenance
from slack_audit.errors import (
    ArchiveDamagedError,
    CrowdedSecondError,
    LeaseLostError,
    RangeRefusedError,
    RefusedError,
    SinkRefusedError,
    SinkUnavailableError,
    StorageError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.log import Filters
from slack_audit.pace import MOST_AHEAD
from slack_audit.read import Reader
from slack_audit.windows import DAY, Window
from tests.builders import DAY_START, raw_event
from tests.fakes import Checkpoints, KilledError, World
from tests.proof import archived, digest, log_of, prove


def a_world(count: int = 30, **policy: object) -> tuple[World, list[bytes]]:
    world = World(**policy)
    now = int(world.clock.time)
    served = [raw_event(now - 61 - 110 * number, number) for number in range(count)]
    world.slack.add(served)
    return world, served


# the first run


def test_the_first_run_starts_where_the_lookback_says_and_reads_to_the_lag():
    world, served = a_world(lookback_hours=1)
    report = world.run()
    genesis, first = log_of(world.archive.objects)[:2]
    start = int(world.clock.time) - 3_600
    assert genesis["pass"] is None
    assert {name: state["watermark"] for name, state in genesis["passes"].items()} == {
        "live": start - 1,
        "late": start - 1,
        "final": start - 1,
    }
    assert first["window"]["lo"] == start
    assert report.watermark == int(world.clock.time) - 60
    assert report.lag == 60
    assert (report.events, report.published, report.stopped) == (30, 30, "nothing_due")
    prove(world.archive.objects, world.stream.lines, served)


def test_a_lookback_of_nothing_starts_now():
    world, _ = a_world(lookback_hours=0)
    world.run()
    assert json.loads(world.entries()[0])["passes"]["live"]["watermark"] == int(world.clock.time) - 1


def test_an_entry_says_all_that_the_protocol_names():
    world, _ = a_world(filters=Filters(action="user_login"))
    world.run()
    entry = next(entry for entry in log_of(world.archive.objects) if entry["key"])
    assert set(entry) == {
        "format", "org", "number", "previous", "pass", "window", "key", "count", "bytes", "sha256", "filters",
        "calls", "version", "time", "passes", "published",
    }  # fmt: skip
    assert entry["filters"] == {"action": "user_login", "actor": "", "entity": ""}
    assert entry["version"] == "0.1.0"
    assert entry["time"] == "2026-01-01T00:33:20+00:00"
    assert set(entry["passes"]["live"]) == {"watermark", "end", "publish", "paused"}
    assert all(query.filters.action == "user_login" for query in world.slack.queries)


def test_a_quiet_org_gets_an_entry_and_no_object():
    world = World()
    world.run()
    assert [key for key in world.archive.objects if key.startswith("raw/")] == []
    assert all(entry["count"] == 0 and entry["sha256"] is None for entry in log_of(world.archive.objects))
    prove(world.archive.objects, world.stream.lines, [])


def test_with_nothing_new_a_run_makes_four_calls_to_aws_and_one_to_slack():
    world, _ = a_world()
    world.until_done()
    world.next_minute()
    before = len(world.faults.calls)
    world.run()
    assert world.faults.calls[before:] == [
        "checkpoints.acquire", "archive.keys", "slack.read", "archive.put_new", "checkpoints.release",
    ]  # fmt: skip


def test_the_table_is_saved_with_each_plan_or_every_sixteen_entries_and_at_the_end():
    """Where nothing is new there is no plan to save it with."""
    world = World(lookback_hours=24 * 40, calls_per_minute=1_000)
    world.run()
    puts = [call for call in world.faults.calls if call in {"archive.put_new", "checkpoints.save"}]
    entries_between = [len(run) for run in "".join("p" if put == "archive.put_new" else "s" for put in puts).split("s")]
    assert entries_between[:-1] == [UNSAVED] * (len(entries_between) - 1)
    assert sum(entries_between) == len(log_of(world.archive.objects)) == world.table.item.next > 40


def test_what_a_killed_run_had_not_saved_is_saved_by_the_next_one_first():
    """So that the table does not stay behind however many runs are killed at the same place."""
    world, served = a_world()

    def deadly() -> None:
        world.faults.dead = True
        raise KilledError

    world.faults.at["checkpoints.release", 1] = deadly
    with contextlib.suppress(KilledError):
        world.run()
    world.revive()
    log = log_of(world.archive.objects)
    assert world.table.item.next < len(log)
    before = len(world.faults.calls)
    world.run()
    assert [call for call in world.faults.calls[before:] if call.startswith("checkpoints")][1] == "checkpoints.save"
    prove(world.archive.objects, world.stream.lines, served)


def test_fewer_than_thirty_new_seconds_are_left_for_the_next_run():
    world, _ = a_world()
    world.until_done()
    world.clock.time += 29
    report = world.run()
    assert (report.windows, report.calls, report.stopped) == (0, 0, "nothing_due")


# turns, windows, spans


def test_no_window_crosses_midnight():
    world, served = a_world(lookback_hours=30)
    old = [raw_event(DAY_START + second, f"edge{second}") for second in (-DAY - 1, -DAY, -1, 0)]
    world.slack.add(old)
    world.run()
    windows = [entry["window"] for entry in log_of(world.archive.objects)[1:]]
    assert {window["lo"] // DAY for window in windows} == {DAY_START // DAY - 2, DAY_START // DAY - 1, DAY_START // DAY}
    assert all(window["lo"] // DAY == window["hi"] // DAY for window in windows)
    assert {key.split("/")[2] for key in world.archive.objects if key.startswith("raw/")} == {
        "dt=2025-12-30",
        "dt=2025-12-31",
        "dt=2026-01-01",
    }
    prove(world.archive.objects, world.stream.lines, served + old)


def test_a_cut_answer_is_thrown_away_and_asked_for_again_in_halves():
    world, served = a_world()
    world.slack.page = 10
    world.run()
    first, second = (query.window for query in world.slack.queries[2:4])
    assert first is not None
    assert second == first.older_half()
    assert all(query.cursor is None for query in world.slack.queries)
    prove(world.archive.objects, world.stream.lines, served)


def test_an_empty_answer_with_a_cursor_is_not_the_end():
    world, served = a_world()
    world.slack.page = 10
    real = world.slack._page

    def short_first(query):
        answer = real(query)
        return type(answer)([], answer.next_cursor, answer.slack_time) if answer.next_cursor else answer

    world.slack._page = short_first
    world.run()
    prove(world.archive.objects, world.stream.lines, served)


def test_the_span_is_kept_between_runs_so_that_a_small_budget_makes_progress():
    world, served = a_world(count=200, calls_per_minute=2, lookback_hours=8)
    world.slack.page = 8
    for _ in range(300):
        world.run()
        world.next_minute(1.1)
        if world.table.item.passes and len(archived(world.archive.objects)) == len(served):
            break
    prove(world.archive.objects, world.stream.lines, served)


# time


@pytest.mark.parametrize("offset", [-7_200, -3, 3, 7_200])
def test_slacks_clock_counts_and_not_the_hosts(offset):
    world = World()
    world.slack.offset = offset
    now = world.slack.now
    served = [raw_event(now - 61 - 50 * number, number) for number in range(20)]
    world.slack.add(served)
    report = world.run()
    assert report.watermark is not None
    assert now - 62 <= report.watermark <= now - 60
    assert world.table.item.clock == offset
    prove(world.archive.objects, world.stream.lines, served)


@pytest.mark.parametrize("jump", [-7_200, 7_200])
def test_a_host_clock_that_jumped_since_the_last_run_is_noticed(jump):
    world, served = a_world()
    world.until_done()
    world.next_minute(3)
    world.clock.time += jump
    world.table.until += jump
    world.slack.offset -= jump
    world.table.owner = None
    new = [raw_event(world.slack.now - 61, "new")]
    world.slack.add(new)
    unfinished = [raw_event(world.slack.now - 5, "young")]
    world.slack.add(unfinished)
    for _ in range(130):
        world.run()
        world.next_minute()
    prove(world.archive.objects, world.stream.lines, served + new + unfinished)
    assert all(q.window is None or q.window.hi < world.slack.now for q in world.slack.queries)


def test_a_window_that_the_answers_own_clock_calls_too_young_proves_nothing():
    world, served = a_world()
    world.until_done()
    world.next_minute(3)
    world.clock.time += 50
    world.slack.offset -= 50  # Slack's clock is where it was; the host's is fast, and the table does not know it yet
    world.table.owner = None
    settling = raw_event(world.slack.now - 20, "settling")
    world.slack.add([settling], visible_at=world.slack.now + 15)
    world.run()
    assert world.table.item.passes["live"].watermark <= world.slack.now - 60
    world.next_minute(2)
    world.until_done()
    prove(world.archive.objects, world.stream.lines, [*served, settling])


def test_a_clock_that_is_set_back_within_a_run_costs_no_calls_in_vain():
    world, served = a_world()
    world.until_done()
    world.next_minute(3)
    asked = len(world.slack.queries)

    def set_back() -> None:
        world.clock.time -= 12
        world.clock.deadline -= 12  # the time left is Lambda's to tell

    world.faults.at["slack.read", asked + 1] = set_back
    report = world.run()
    assert report.stopped == "nothing_due"
    assert report.watermark == int(world.clock.time) - 60
    assert report.calls < 6
    world.next_minute(2)
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_a_slack_that_does_not_tell_the_time_is_taken_to_have_the_hosts():
    world, served = a_world()
    world.slack.says_the_time = False
    world.run()
    prove(world.archive.objects, world.stream.lines, served)


def test_a_range_that_slack_refuses_for_good_fails_the_run():
    world, _ = a_world()
    world.until_done()
    world.next_minute(5)
    for nth in range(1, 9):
        error = RangeRefusedError("before the feature was enabled", slack_time=world.slack.now)
        world.faults.fail("slack.read", world.faults.counts["slack.read"] + nth, error)
    with pytest.raises(RangeRefusedError, match="enabled"):
        world.run()
    assert world.table.owner is None


# events


def test_an_event_of_another_second_is_archived_by_its_own_window_only():
    world, served = a_world()
    now = int(world.clock.time)
    world.slack.page = 10
    stray = raw_event(now - 100, "stray")
    world.slack.show(stray, now - 2_000)
    world.slack.add([stray])
    report = world.run()
    assert report.out_of_range >= 1
    prove(world.archive.objects, world.stream.lines, [*served, stray])


def test_an_event_without_a_usable_second_is_archived_with_the_window_that_showed_it():
    world, served = a_world()
    timeless = raw_event("yesterday", "timeless")
    world.slack.show(timeless, int(world.clock.time) - 500)
    world.run()
    prove(world.archive.objects, world.stream.lines, [*served, timeless])


def test_events_without_an_id_and_the_same_id_twice_in_one_answer():
    world, served = a_world()
    now = int(world.clock.time)
    nameless = [raw_event(now - 300, number, id=None) for number in ("a", "b")]
    nameless = [raw.replace(b'"user_login"', b'"action%d"' % number) for number, raw in enumerate(nameless)]
    world.slack.add([*nameless, served[3], served[3]])
    report = world.run()
    assert report.repeats == 2
    prove(world.archive.objects, world.stream.lines, served + nameless)


def test_a_second_larger_than_a_page_is_walked_until_a_walk_adds_nothing():
    world, served = a_world()
    now = int(world.clock.time)
    crowd = [raw_event(now - 900, f"crowd{number}") for number in range(95)]
    world.slack.add(crowd)
    world.slack.page = 10
    hidden = crowd[7]
    real = world.slack._page

    def hides_one_in_the_first_walk(query):
        answer = real(query)
        if sum(q.cursor == "90" for q in world.slack.queries) < 1:
            answer = type(answer)(
                [event for event in answer.events if event.raw != hidden], answer.next_cursor, answer.slack_time
            )
        return answer

    world.slack._page = hides_one_in_the_first_walk
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served + crowd)
    walked = [query for query in world.slack.queries if query.cursor is not None]
    assert all(query.window is not None and query.window.seconds == 1 for query in walked)
    assert {query.limit for query in walked} == {9_999}


def test_a_second_larger_than_the_call_budget_is_read_all_the_same():
    world = World(calls_per_minute=5)
    crowd = [raw_event(int(world.clock.time) - 900, number) for number in range(120)]
    world.slack.add(crowd)
    world.slack.page = 10
    for _ in range(40):
        world.run()
        world.next_minute(1.1)
    prove(world.archive.objects, world.stream.lines, crowd)


def test_a_second_too_large_for_a_runs_time_says_so_and_loses_nothing():
    world = World()
    crowd = [raw_event(int(world.clock.time) - 900, number) for number in range(120)]
    world.slack.add(crowd)
    world.slack.page = 10
    world.slack.seconds_a_call = 15.0
    with pytest.raises(CrowdedSecondError, match="raise Timeout of CollectFunction"):
        world.until_done()
    assert world.table.owner is None
    world.next_minute()
    world.slack.seconds_a_call = 0.1
    world.until_done()
    prove(world.archive.objects, world.stream.lines, crowd)


# lease, budget, deadline


def test_a_second_reached_late_in_a_run_is_left_for_the_next_one():
    world, served = a_world()
    crowd = [raw_event(int(world.clock.time) - 100, f"crowd{number}") for number in range(60)]
    world.slack.add(crowd)
    world.slack.page = 10
    world.slack.seconds_a_call = 7.0
    reports = []
    for _ in range(40):
        reports.append(world.run(seconds=200.0))
        world.next_minute()
    assert "time" in {report.stopped for report in reports}
    prove(world.archive.objects, world.stream.lines, served + crowd)


def test_a_held_lease_is_a_success_that_says_so():
    world, _ = a_world()
    world.table.owner, world.table.until = "another", world.clock.time + 10
    report = world.run()
    assert report.stopped == "lease_busy"
    assert world.faults.calls == ["checkpoints.acquire"]


def test_the_lease_outlives_the_deadline_by_half_a_minute():
    world, _ = a_world()
    world.run(seconds=120.0)
    assert world.table.until == world.clock.time + 150


def test_an_exhausted_call_budget_is_a_success_that_says_so_and_still_publishes():
    world, served = a_world(calls_per_minute=5)
    world.slack.page = 10
    report = world.run()
    assert (report.stopped, report.calls) == ("call_budget", 5)
    assert report.backlog == 0
    world.next_minute(1.1)
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_the_call_budget_holds_across_runs():
    world, _ = a_world(calls_per_minute=5)
    world.slack.page = 3
    times = []
    real = world.slack._page
    world.slack._page = lambda query: times.append(world.clock.time) or real(query)
    for _ in range(30):
        world.run()
        world.clock.time += 7
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[5:], strict=False))
    assert len(times) > 10


def test_a_run_leaves_its_reserve_before_the_deadline():
    world, served = a_world()
    world.slack.page = 3
    world.slack.seconds_a_call = 4.0
    for _ in range(9):
        report = world.run(seconds=60.0)
        assert world.clock.time_left() >= 10
        world.next_minute()
    assert report.stopped in {"time", "nothing_due"}
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_a_run_whose_time_is_up_leaves_publishing_to_the_next():
    world, served = a_world()
    world.slack.page = 10
    world.stream.refuse = list
    world.run()
    world.next_minute(5)
    world.stream.refuse = lambda _records: []
    sent = len(world.stream.calls)
    world.slack.seconds_a_call = 25.0
    assert world.run(seconds=40.0).publishing == "behind"
    assert len(world.stream.calls) == sent
    world.slack.seconds_a_call = 0.1
    world.next_minute()
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_a_run_without_its_lease_stops_at_once():
    world, _ = a_world()
    world.faults.at["slack.read", 2] = lambda: setattr(world.table, "owner", "another")
    with pytest.raises(LeaseLostError):
        world.run()
    assert world.table.owner == "another"
    assert world.stream.records == []


# refusals and outages of Slack


def test_a_refusal_still_publishes_and_releases_and_then_fails_the_run():
    world, served = a_world()
    world.stream.refuse = list  # nothing goes out for now
    world.run()
    world.next_minute(10)
    world.stream.refuse = lambda _records: []
    world.faults.fail("slack.read", world.faults.counts["slack.read"] + 1, RefusedError("user_not_authorized"))
    with pytest.raises(RefusedError, match="user_not_authorized"):
        world.run()
    assert sorted(set(world.stream.lines)) == sorted(served)
    assert world.table.owner is None


def test_a_refused_token_is_fetched_anew_once():
    world, served = a_world()
    world.faults.fail("slack.read", 2, TokenRefusedError("401"))
    world.run()
    assert world.slack.renewed == 1
    prove(world.archive.objects, world.stream.lines, served)


def test_a_secret_that_cannot_be_read_still_publishes():
    world, served = a_world()
    world.stream.refuse = list
    world.run()
    world.next_minute(10)
    world.stream.refuse = lambda _records: []
    world.faults.fail("slack.read", world.faults.counts["slack.read"] + 1, RefusedError("Could not read the secret"))
    with pytest.raises(RefusedError):
        world.run()
    assert sorted(set(world.stream.lines)) == sorted(served)


@pytest.mark.parametrize("error", [TokenRefusedError("401"), UnavailableError("HTTP 503")])
def test_a_small_call_budget_does_not_hide_what_is_wrong(error):
    world, _ = a_world(calls_per_minute=4)
    world.run()
    world.next_minute(10)
    for number in range(1, 60):
        world.faults.fail("slack.read", world.faults.counts["slack.read"] + number, error)
    with pytest.raises(type(error)):
        world.run()


def test_a_range_that_is_refused_on_the_first_run_leaves_nothing_to_undo():
    world, served = a_world(lookback_hours=24)
    error = RangeRefusedError("before the feature was enabled", slack_time=world.slack.now)
    world.faults.fail("slack.read", 2, error)
    with pytest.raises(RangeRefusedError):
        world.run()
    assert world.archive.objects == {}
    world.with_changes(lookback_hours=1)
    world.next_minute()
    world.run()
    assert log_of(world.archive.objects)[0]["passes"]["live"]["watermark"] == int(world.clock.time) - 3_601
    prove(world.archive.objects, world.stream.lines, served)


def test_a_clock_that_ran_ahead_before_the_first_second_was_read_is_corrected():
    world = World(lookback_hours=0)
    world.faults.fail("archive.put_new", 1, StorageError("down"))
    with pytest.raises(StorageError):
        world.run()
    world.next_minute()
    world.slack.offset -= 30  # the table still has the clock of the first run
    assert world.run().stopped == "nothing_due"
    assert log_of(world.archive.objects)[0]["passes"]["live"]["watermark"] < world.slack.now


def test_a_token_that_stays_refused_fails_the_run():
    world, _ = a_world()
    for number in (1, 2):
        world.faults.fail("slack.read", number, TokenRefusedError("401"))
    with pytest.raises(TokenRefusedError):
        world.run()
    assert world.slack.renewed == 1
    assert world.entries() == []
    assert world.table.owner is None


def test_an_outage_that_passes_is_waited_for():
    world, served = a_world()
    for number in (2, 3):
        world.faults.fail("slack.read", number, UnavailableError("HTTP 503"))
    world.run()
    assert len(world.clock.slept) == 2
    prove(world.archive.objects, world.stream.lines, served)


def test_an_outage_that_lasts_fails_the_run():
    world, served = a_world()
    for number in range(2, 9):
        world.faults.fail("slack.read", number, UnavailableError("HTTP 503"))
    with pytest.raises(UnavailableError, match="503"):
        world.run()
    assert world.faults.counts["slack.read"] == 6
    assert sum(world.clock.slept) < 20
    world.faults.at.clear()
    world.next_minute()
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


# S3, DynamoDB


@pytest.mark.parametrize("call", ["archive.put_new", "archive.get", "checkpoints.save"])
def test_an_outage_of_a_store_fails_the_run_and_gives_the_lease_back(call):
    world, served = a_world()
    if call == "archive.get":  # a batch that the stream did not take in time has to be read back
        world.slack.page = 10
        for number in range(1, 5):
            world.faults.fail("stream.put", number, SinkUnavailableError("down"))
    world.faults.fail(call, 2, StorageError("SlowDown"))
    with pytest.raises(StorageError, match="SlowDown"):
        world.run()
    assert world.table.owner is None
    world.next_minute()
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_an_outage_at_the_release_is_not_hidden():
    world, served = a_world()
    world.faults.fail("checkpoints.release", 1, StorageError("throttled"))
    with pytest.raises(StorageError, match="throttled"):
        world.run()
    world.revive()
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_a_release_that_fails_does_not_hide_the_error_before_it():
    world, _ = a_world()
    world.faults.fail("archive.put_new", 2, StorageError("the first"))
    world.faults.fail("checkpoints.release", 1, StorageError("the second"))
    with pytest.raises(StorageError, match="the first"):
        world.run()


def test_a_lost_reply_to_the_log_write_is_success():
    world, served = a_world()
    world.archive.lost_replies = True
    assert world.run().stopped == "nothing_due"
    prove(world.archive.objects, world.stream.lines, served)


def test_after_a_lost_race_nothing_that_was_read_ahead_is_kept():
    world, served = a_world()
    world.slack.page = 10
    world.faults.at["archive.put_new", 5] = world.overlap
    with pytest.raises(LeaseLostError):
        world.run()
    world.revive()
    world.until_done()
    lines = archived(world.committed())
    assert sorted(lines) == sorted(served)


def a_backlog(per_second: int, **policy: object) -> tuple[World, list[bytes]]:
    """Two hours of a steady history behind an answer of three seconds and pages of 200 events."""
    world = World(lookback_hours=2, **policy)
    world.slack.page, world.slack.seconds_a_call = 200, 3.0
    start = int(world.clock.time) - 7_200
    served = [raw_event(start + at, f"{at}.{n}") for at in range(100, 7_000, 10) for n in range(per_second)]
    world.slack.add(served)
    return world, served


def test_a_backlog_behind_slow_answers_is_read_several_windows_ahead(monkeypatch):
    world, served = a_backlog(10, calls_per_minute=1_000)
    most = []
    real = Reader.read_ahead
    monkeypatch.setattr(
        Reader, "read_ahead", lambda reader, *a, **k: (real(reader, *a, **k), most.append(len(reader._early)))[0]
    )
    world.until_done()
    assert max(most) == MOST_AHEAD
    prove(world.archive.objects, world.stream.lines, served)


def test_what_was_read_ahead_of_a_cut_answer_is_not_used(monkeypatch):
    """A burst in the middle of a settled history: the windows behind it were asked for as if it were not there."""
    world, served = a_backlog(10, calls_per_minute=1_000)
    start = int(world.clock.time) - 3_600
    burst = [raw_event(start + n // 50, f"burst{n}") for n in range(1_000)]
    world.slack.add(burst)
    dropped = []
    real = Reader.forget_ahead
    monkeypatch.setattr(Reader, "forget_ahead", lambda reader: (dropped.append(len(reader._early)), real(reader))[1])
    world.until_done()
    assert max(dropped) > 1, "several were under way"
    prove(world.archive.objects, world.stream.lines, served + burst)


def test_a_window_that_would_skip_a_second_is_never_committed():
    world, _ = a_world()
    world.run()
    ledger = Ledger("main", world.archive, Checkpoints(world.table, world.faults))
    assert ledger.acquire("we", now=world.clock.time, until=world.clock.time + 60)
    skipping = Window(ledger.checkpoint.passes["live"].watermark + 2, ledger.checkpoint.passes["live"].watermark + 9)
    before = dict(world.archive.objects)
    with pytest.raises(ValueError, match="does not follow the watermark of live"):
        ledger.commit("live", skipping, None, Provenance(Filters(), "0", 0.0, 1))
    assert world.archive.objects == before


def test_a_lost_race_under_our_own_lease_goes_on_from_the_others_entry():
    """Another writer with the same lease cannot be, but an entry that landed late can: it is followed."""
    world, served = a_world()
    world.slack.page = 10
    world.run()
    world.next_minute(10)
    new = [raw_event(int(world.clock.time) - 100, "new")]
    world.slack.add(new)
    newest = json.loads(world.entries()[-1])
    late_landing = dict(
        newest,
        number=newest["number"] + 1,
        previous=digest(world.entries()[-1]),
        window={"lo": newest["window"]["hi"] + 1, "hi": newest["window"]["hi"] + 1},
        key=None,
        count=0,
        bytes=0,
        sha256=None,
    )
    late_landing["passes"]["live"]["watermark"] += 1
    body = json.dumps(late_landing, separators=(",", ":")).encode()
    key = f"log/org=main/{late_landing['number']:012}.json"
    number = world.faults.counts["archive.put_new"] + 2  # the batch is written, its entry is about to be
    world.faults.at["archive.put_new", number] = lambda: world.archive.objects.setdefault(key, body)
    world.run()
    world.next_minute()
    world.until_done()
    lines = archived(world.committed())
    assert sorted(lines) == sorted(served + new)


# the table


def test_a_lost_table_is_rebuilt_from_the_log_with_its_start_and_its_mark():
    world, served = a_world()
    world.slack.page = 10
    world.until_done()
    sent = len(world.stream.records)
    world.table.item = Checkpoint()
    world.next_minute()
    report = world.run()
    assert report.stopped == "nothing_due"
    assert len(world.stream.records) - sent <= 20, "only the newest entries go out again"
    assert log_of(world.archive.objects)[-1]["window"]["lo"] > int(world.clock.time) - 200
    prove(world.archive.objects, world.stream.lines, served)


@pytest.mark.parametrize("kept", [0, 1], ids=["an empty bucket", "a bucket with an older log"])
def test_a_bucket_that_was_replaced_under_a_kept_table_is_noticed(kept):
    world, _ = a_world()
    world.until_done()
    world.archive.objects = dict(sorted(world.archive.objects.items())[:kept])
    world.next_minute()
    with pytest.raises(ArchiveDamagedError, match="is missing, and the table says that it was written"):
        world.run()
    assert len(world.archive.objects) == kept
    assert world.table.owner is None


def die(world: World) -> None:
    world.faults.dead = True
    raise KilledError


def test_a_restored_table_follows_the_log_and_its_old_plan_is_dropped():
    """A plan that outlives its number and comes back with a restored table."""
    world, served = a_world()
    world.slack.page = 10
    world.faults.at["archive.put_new", 4] = lambda: die(world)  # after the genesis, a batch and its entry
    with pytest.raises(KilledError):
        world.run()
    backup = world.table.item
    assert backup.plan is not None
    world.revive()
    world.until_done()
    world.next_minute(2)
    world.table.item = backup
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def test_a_rolled_back_table_never_reuses_a_key_with_other_bytes():
    world, served = a_world()
    world.run()
    backup = world.table.item
    world.next_minute(10)
    world.slack.add(new := [raw_event(int(world.clock.time) - 100, "new")])
    world.run()
    world.table.item = backup
    world.next_minute(10)
    world.slack.add(newer := [raw_event(int(world.clock.time) - 100, "newer")])
    world.run()
    prove(world.archive.objects, world.stream.lines, served + new + newer)


def test_a_plan_that_nobody_can_read_is_dropped():
    world, served = a_world()
    world.run()
    world.table.item = world.table.item.planning(b"not a plan")
    world.next_minute()
    world.run()
    prove(world.archive.objects, world.stream.lines, served)


# the stream


def test_an_outage_of_the_stream_does_not_stop_capture_and_the_backlog_goes_out_in_order():
    world, served = a_world()
    world.slack.page = 10
    for number in range(1, 100):
        world.faults.fail("stream.put", number, SinkUnavailableError("down"))
    for _ in range(3):
        report = world.run()
        assert report.stopped == "nothing_due"
        assert report.publishing == "stream_unavailable"
        world.next_minute()
    assert report.backlog is not None
    assert report.backlog > 1
    assert sorted(archived(world.archive.objects)) == sorted(served)
    world.faults.at.clear()
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)
    assert world.stream.lines == archived(world.archive.objects), "in the order of the log"


def test_a_stream_that_refuses_for_good_fails_the_run_after_everything_is_archived():
    world, served = a_world()
    for number in range(1, 9):
        world.faults.fail("stream.put", number, SinkRefusedError("AccessDenied"))
    with pytest.raises(SinkRefusedError, match="AccessDenied"):
        world.run()
    assert sorted(archived(world.archive.objects)) == sorted(served)
    assert world.table.owner is None


def test_a_backlog_gives_way_to_a_window_that_comes_due():
    """A stream so slow that its backlog takes many minutes: the live lag stays near a minute and a half."""
    world, served = a_world(count=120, lookback_hours=4)
    world.slack.page = 10
    world.stream.refuse = list
    world.run()
    world.stream.refuse = lambda _records: []
    real = world.stream.put

    def slow(records):
        world.clock.time += 5
        return real(records)

    world.stream.put = slow
    lags = []
    real_commit = world.archive.put_new

    def noted(key, body):
        if key.startswith("log/"):
            watermark = json.loads(body)["passes"]["live"]["watermark"]
            lags.append(int(world.clock.time) - watermark)
        return real_commit(key, body)

    world.archive.put_new = noted
    for _ in range(3):
        world.run()
        world.clock.time += 10
    assert max(lags[1:]) <= 60 + 60
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


@pytest.mark.parametrize("call", ["archive.get"])
def test_an_archive_that_cannot_be_read_for_publishing_costs_neither_capture_nor_the_mark(call):
    world, served = a_world()
    world.slack.page = 10
    world.stream.refuse = list
    world.run()
    world.stream.refuse = lambda _records: []
    world.next_minute(5)
    world.slack.add(new := [raw_event(int(world.clock.time) - 100, "new")])
    before = world.faults.counts[call]
    world.faults.fail(call, before + 5, StorageError("SlowDown"))
    with pytest.raises(StorageError, match="SlowDown"):
        world.run()
    assert sorted(archived(world.archive.objects)) == sorted(served + new)
    sent, mark = len(world.stream.records), world.table.item.published
    assert sent > 0
    assert mark > 1
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served + new)
    assert len(world.stream.records) <= len(served) + len(new) + 10, "what had gone out is not sent again"


def test_while_there_is_more_to_read_little_is_published_per_window():
    world, served = a_world()
    world.slack.page = 10
    order = []
    real_put, real_page = world.stream.put, world.slack._page
    world.stream.put = lambda records: order.append("put") or real_put(records)
    world.slack._page = lambda query: order.append("read") or real_page(query)
    world.run()
    reads = [index for index, what in enumerate(order) if what == "read"]
    assert order[reads[-1] :].count("put") <= 3
    assert all(order[a:b].count("put") <= 2 for a, b in itertools.pairwise(reads))
    prove(world.archive.objects, world.stream.lines, served)


# the figures that only the table keeps


def test_a_run_that_did_its_work_notes_when_it_ended_and_when_events_came():
    world, _ = a_world()
    world.run()
    assert world.table.item.succeeded == world.table.item.newest == int(world.clock.time)
    came = world.table.item.newest
    world.next_minute()
    world.run()
    assert (world.table.item.succeeded, world.table.item.newest) == (int(world.clock.time), came)


def test_an_org_without_events_is_silent_since_its_first_run():
    world = World()
    world.run()
    assert world.table.item.newest == int(world.clock.time)


def test_a_run_that_failed_is_none_that_did_its_work():
    world, _ = a_world()
    world.run()
    before = world.table.item.succeeded
    world.next_minute(5)
    for number in range(1, 10):
        world.faults.fail("slack.read", world.faults.counts["slack.read"] + number, RefusedError("no"))
    with pytest.raises(RefusedError):
        world.run()
    assert world.table.item.succeeded == before


def test_what_a_backfill_finds_ends_no_silence():
    world, _ = a_world(lookback_hours=1, lags={"live": 60, "backfill": 90_300})
    world.run()
    came = world.table.item.newest
    old = DAY_START - 10 * DAY
    world.slack.add([raw_event(old + 5, "old")])
    world.order(from_=old, to=old + 100)
    world.next_minute()
    assert world.run().found["backfill"] == 1
    assert world.table.item.newest == came


def test_everything_is_in_the_stream_up_to_lives_watermark_when_there_is_no_backlog():
    world, _ = a_world()
    report = world.run()
    assert report.publish_lag == report.lag == 60
    assert world.table.item.streamed == report.watermark


def test_while_the_stream_takes_nothing_the_lag_grows_from_the_last_entry_that_is_there():
    world, _ = a_world()
    first = world.run()
    world.slack.add([raw_event(int(world.clock.time) - 30, "new")])
    world.stream.refuse = list
    world.next_minute(2)
    behind = world.run()
    assert (behind.backlog, behind.publishing) == (1, "stream_unavailable")
    assert behind.publish_lag == int(world.clock.time) - (first.watermark or 0) > 180
    world.stream.refuse = lambda _records: []
    world.next_minute()
    again = world.run()
    assert again.publish_lag == again.lag


def test_a_table_that_was_lost_knows_no_lag_of_the_stream_until_something_goes_out():
    world, _ = a_world()
    world.run()
    world.table.item = Checkpoint()
    report = world.run()
    assert report.publish_lag == report.lag


# memory


def out_of_order() -> None:
    raise StorageError("S3 is down")


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_run_holds_goes_when_the_run_does(fails):
    """And not when Python looks for circles: a warm function would carry the events of many runs with it."""
    world, _ = a_world()
    world.run()
    world.next_minute(60)
    world.slack.add([raw_event(int(world.clock.time) - 600, "new")])
    if fails:
        world.faults.at["archive.put_new", world.faults.counts["archive.put_new"] + 1] = out_of_order
    gc.disable()
    try:
        run = Run(world.parts(), world.policy)
        kept = weakref.ref(run)
        world.clock.new_run()
        try:
            run.collect()
        except StorageError:
            assert fails
        else:
            assert not fails
        del run
        assert kept() is None
    finally:
        gc.enable()
