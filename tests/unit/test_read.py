import random
from concurrent.futures import Future
from typing import Any

import pytest

from slack_audit.deadline import Deadline, ExhaustedError
from slack_audit.errors import (
    CrowdedSecondError,
    CursorRefusedError,
    RateLimitedError,
    SlowAnswerError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.ports import Answer
from slack_audit.read import RATE_LIMIT_WAIT, TRIES, Reader
from slack_audit.windows import Window
from tests.builders import NO_FILTERS, raw_event
from tests.fakes import World, at_once


def a_reader(world: World, per_minute: int = 1_000) -> Reader:
    return Reader(world.slack, Deadline(world.clock), at_once, filters=NO_FILTERS, per_minute=per_minute)


def a_window(world: World, seconds: int = 100) -> Window:
    now = int(world.clock.time)
    return Window(now - 60 - seconds + 1, now - 60)


def fill(world: World, count: int, *, second: int | None = None) -> None:
    now = int(world.clock.time)
    world.slack.add(raw_event(second or now - 61 - n, n) for n in range(count))


def test_a_whole_answer_is_one_call():
    world = World()
    fill(world, 5)
    reader = a_reader(world)
    reading = reader.window(a_window(world))
    assert (reading.whole, len(reading.events), reading.slack_time) == (True, 5, int(world.clock.time))
    assert reader.calls == reader.count_calls() == 1
    assert reader.count_calls() == 0


def test_an_answer_with_a_cursor_is_not_whole_and_gives_no_events():
    world = World()
    world.slack.page = 3
    fill(world, 5)
    reading = a_reader(world).window(a_window(world))
    assert (reading.whole, reading.events, len(reading.seconds)) == (False, [], 3)


@pytest.mark.parametrize(("said", "waited"), [(7, 7), (None, RATE_LIMIT_WAIT)])
def test_a_rate_limit_is_waited_out(said, waited):
    world = World()
    world.faults.fail("slack.read", 1, RateLimitedError("429", retry_after=said))
    reader = a_reader(world)
    assert reader.window(a_window(world)).whole
    assert waited <= sum(world.clock.slept) <= waited + 1
    assert reader.rate_limited == 1


def test_a_rate_limit_longer_than_the_time_left_ends_the_run_and_binds_the_next():
    world = World()
    world.faults.fail("slack.read", 1, RateLimitedError("429", retry_after=900))
    reader = a_reader(world)
    with pytest.raises(ExhaustedError, match="rate_limited"):
        reader.window(a_window(world))
    following = a_reader(world)
    following.budget = reader.budget
    with pytest.raises(ExhaustedError, match="rate_limited"):
        following.window(a_window(world))
    assert following.calls == 0


def test_waiting_is_used_for_something_else():
    world = World()
    world.faults.fail("slack.read", 1, RateLimitedError("429", retry_after=20))
    reader = a_reader(world)
    offered = []

    def meanwhile(seconds: float) -> None:
        offered.append(seconds)
        world.clock.time += 15

    reader.meanwhile = meanwhile
    reader.window(a_window(world))
    assert offered[0] == 20
    assert world.clock.slept[0] == 5


def test_a_fault_that_passes_is_asked_again_with_growing_waits():
    world = World()
    for number in range(1, TRIES):
        world.faults.fail("slack.read", number, UnavailableError("503"))
    assert a_reader(world).window(a_window(world)).whole
    assert len(world.clock.slept) == TRIES - 1
    assert all(1 * 2**n / 2 <= wait <= 2**n for n, wait in enumerate(world.clock.slept))


def test_a_back_off_that_is_over_is_not_waited_again_after_a_rate_limit(monkeypatch):
    monkeypatch.setattr("slack_audit.read.BACK_OFF", 4.0)
    world = World()
    world.faults.fail("slack.read", 1, UnavailableError("503"))
    world.faults.fail("slack.read", 2, RateLimitedError("429", retry_after=7))
    assert a_reader(world).window(a_window(world)).whole
    assert len([wait for wait in world.clock.slept if 2 <= wait <= 4]) == 1


def test_a_fault_that_stays_is_raised_after_the_last_try():
    world = World()
    for number in range(1, 20):
        world.faults.fail("slack.read", number, UnavailableError("503"))
    with pytest.raises(UnavailableError):
        a_reader(world).window(a_window(world))
    assert world.faults.counts["slack.read"] == TRIES


def test_an_answer_that_stays_too_slow_is_asked_for_in_halves():
    world = World()
    for number in (1, 2):
        world.faults.fail("slack.read", number, SlowAnswerError("slow"))
    assert not a_reader(world).window(a_window(world)).whole


def test_a_single_second_that_stays_too_slow_is_an_error():
    world = World()
    for number in (1, 2):
        world.faults.fail("slack.read", number, SlowAnswerError("slow"))
    with pytest.raises(SlowAnswerError):
        a_reader(world).window(a_window(world, 1))


def test_the_token_is_renewed_once_a_run():
    world = World()
    world.faults.fail("slack.read", 1, TokenRefusedError("401"))
    world.faults.fail("slack.read", 3, TokenRefusedError("401"))
    reader = a_reader(world)
    assert reader.window(a_window(world)).whole
    with pytest.raises(TokenRefusedError):
        reader.window(a_window(world))
    assert world.slack.renewed == 1


def test_a_short_wait_for_the_budget_is_waited_and_a_long_one_is_not():
    world = World()
    reader = a_reader(world, per_minute=2)
    reader.window(a_window(world))
    world.clock.time += 54
    reader.window(a_window(world))
    reader.window(a_window(world))
    assert 5 <= sum(world.clock.slept) <= 8
    with pytest.raises(ExhaustedError, match="call_budget"):
        reader.window(a_window(world))


def test_without_time_nothing_is_asked():
    world = World()
    world.clock.new_run(9.0)
    with pytest.raises(ExhaustedError, match="time"):
        a_reader(world).window(a_window(world))
    assert world.slack.queries == []


def test_what_was_read_ahead_is_used_for_just_that_window():
    world = World()
    fill(world, 5)
    reader = a_reader(world)
    window = a_window(world)
    reader.read_ahead(window)
    assert (reader.calls, reader.has_read_ahead(), reader.is_reading()) == (1, True, False)
    assert len(reader.window(window).events) == 5
    assert (reader.calls, reader.count_calls()) == (1, 1)
    reader.read_ahead(window)
    reader.window(window.older_half())
    assert [query.window for query in world.slack.queries] == [window, window, window.older_half()]


def test_several_windows_are_read_ahead_and_used_in_their_order():
    world = World()
    fill(world, 5)
    reader = a_reader(world)
    second = a_window(world)
    first = Window(second.lo - 100, second.lo - 1)
    assert reader.read_ahead(first)
    assert reader.read_ahead(second)
    assert (reader.calls, reader.count_calls()) == (2, 0)
    assert reader.window(first).whole
    assert reader.has_read_ahead()
    assert len(reader.window(second).events) == 5
    assert (reader.calls, reader.count_calls(), reader.has_read_ahead()) == (2, 2, False)


@pytest.mark.parametrize(
    "failure",
    [RateLimitedError("429", retry_after=1), TokenRefusedError("401")],
    ids=["what waits", "what has another token"],
)
def test_calls_that_were_under_way_beside_a_refused_one_are_made_again(failure):
    world = World()
    world.faults.fail("slack.read", 1, failure)
    reader = a_reader(world)
    second = a_window(world)
    first = Window(second.lo - 100, second.lo - 1)
    reader.read_ahead(first)
    reader.read_ahead(second)
    assert reader.window(first).whole
    assert not reader.has_read_ahead()
    assert reader.window(second).whole
    assert [query.window for query in world.slack.queries] == [second, first, second]


def test_what_was_read_ahead_and_never_comes_is_given_up(monkeypatch):
    world = World()
    reader = Reader(world.slack, Deadline(world.clock), lambda _call: Future(), filters=NO_FILTERS, per_minute=99)
    monkeypatch.setattr("slack_audit.read.READ_TIMEOUT", 0.05)
    monkeypatch.setattr("slack_audit.read.LEAST_TIMEOUT", 0.05)
    reader.read_ahead(a_window(world))
    assert reader.is_reading()
    assert reader.window(a_window(world)).whole
    assert len(world.slack.queries) == 1


def test_what_was_read_ahead_is_forgotten_on_request():
    world = World()
    reader = a_reader(world)
    reader.read_ahead(a_window(world))
    reader.forget_ahead()
    reader.forget_ahead()
    assert not reader.has_read_ahead()
    reader.window(a_window(world))
    assert len(world.slack.queries) == 2


def test_a_failure_read_ahead_is_met_when_it_is_used():
    world = World()
    world.faults.fail("slack.read", 1, UnavailableError("503"))
    reader = a_reader(world)
    reader.read_ahead(a_window(world))
    assert reader.window(a_window(world)).whole
    assert len(world.slack.queries) == 1


def test_nothing_is_read_ahead_beyond_the_budget():
    world = World()
    reader = a_reader(world, per_minute=1)
    reader.window(a_window(world))
    reader.read_ahead(a_window(world))
    assert not reader.has_read_ahead()


def test_a_crowded_second_repeats_the_window_on_every_call():
    world = World()
    world.slack.page = 10
    second = int(world.clock.time) - 60
    fill(world, 35, second=second)
    reading = a_reader(world, per_minute=1).window(Window(second, second))
    assert len(reading.events) == 35
    assert {query.window for query in world.slack.queries} == {Window(second, second)}
    assert [query.cursor for query in world.slack.queries] == [None, "10", "20", "30"] * 2


def test_a_cursor_that_expires_inside_a_second_starts_the_walk_again():
    world = World()
    world.slack.page = 10
    second = int(world.clock.time) - 60
    fill(world, 35, second=second)
    world.faults.fail("slack.read", 3, CursorRefusedError("400"))
    assert len(a_reader(world).window(Window(second, second)).events) == 35


@pytest.mark.parametrize("seed", range(20))
def test_an_order_that_changes_within_a_walk_is_seen_and_walked_on(seed):
    """Against what we assume of Slack: each page is cut from another order, so a walk repeats some and misses others."""
    world = World()
    world.slack.page = 10
    second = int(world.clock.time) - 60
    fill(world, 60, second=second)
    order = random.Random(seed)
    real = world.slack._page

    def shuffled(query):
        order.shuffle(world.slack.events)
        return real(query)

    world.slack._page = shuffled
    assert len(a_reader(world).window(Window(second, second)).events) == 60


def test_events_that_are_served_twice_do_not_keep_a_walk_from_ending():
    world = World()
    world.slack.page = 10
    second = int(world.clock.time) - 60
    fill(world, 35, second=second)
    world.slack.events += world.slack.events[:4]
    assert len(a_reader(world).window(Window(second, second)).events) == 35
    assert [query.cursor for query in world.slack.queries] == [None, "10", "20", "30"] * 2


def test_a_cursor_that_does_not_move_is_an_error():
    world = World()
    second = int(world.clock.time) - 60
    world.slack._page = lambda _query: Answer([], "same", None)
    with pytest.raises(UnavailableError, match="does not move"):
        a_reader(world).window(Window(second, second))


def test_a_second_that_brings_something_new_in_every_walk_is_given_up_loudly():
    world = World()
    second = int(world.clock.time) - 60
    world.slack.page = 10
    real = world.slack._page

    def grows(query):
        world.slack.add([raw_event(second, f"new{len(world.slack.events)}")])
        return real(query)

    fill(world, 15, second=second)
    world.slack._page = grows
    with pytest.raises(CrowdedSecondError, match="20 walks"):
        a_reader(world).window(Window(second, second))


# what it costs


def failing(status: int | None, **said: Any) -> RateLimitedError | UnavailableError:
    error = RateLimitedError("429", **said) if status == 429 else UnavailableError("no page")
    error.status = status
    return error


@pytest.mark.parametrize(
    ("status", "named"), [(429, "429"), (400, "4xx"), (499, "4xx"), (503, "5xx"), (302, "other"), (None, "none")]
)
def test_calls_are_counted_by_what_came_of_them(status, named):
    world = World()
    world.faults.fail("slack.read", 2, failing(status))
    reader = a_reader(world)
    reader.window(a_window(world))
    reader.window(a_window(world))
    assert reader.calls_by_status() == {"200": 2, named: 1}


def test_an_answer_without_a_page_counts_by_its_status_all_the_same():
    world = World()
    world.faults.fail("slack.read", 1, failing(200))
    reader = a_reader(world)
    reader.window(a_window(world))
    assert reader.calls_by_status() == {"200": 2}


def test_what_was_read_ahead_counts_when_it_is_used_and_as_nothing_when_it_is_not():
    world = World()
    reader = a_reader(world)
    reader.read_ahead(a_window(world))
    reader.window(a_window(world))
    reader.read_ahead(a_window(world, 50))
    reader.forget_ahead()
    assert (reader.calls, reader.calls_by_status()) == (2, {"200": 1, "none": 1})


def test_only_what_the_rate_limit_and_the_budget_cost_is_waiting():
    world = World()
    world.faults.fail("slack.read", 1, failing(503))
    world.faults.fail("slack.read", 2, failing(429, retry_after=20))
    reader = a_reader(world)
    reader.window(a_window(world))
    assert reader.waited == pytest.approx(sum(world.clock.slept[1:]))
    assert 20 <= reader.waited <= 21


def test_waiting_for_the_budget_is_waiting():
    world = World()
    reader = a_reader(world, per_minute=1)
    reader.window(a_window(world))
    world.clock.time += 54
    reader.window(a_window(world))
    assert 5 <= reader.waited <= 8
