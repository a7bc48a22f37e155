"""Each case that the protocol names in "What the model found before": the protocol passes, the broken rule does not."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.model import mutants_reading as reading
from tests.model import mutants_writing as writing
from tests.model import scale
from tests.model.invariants import check
from tests.model.protocol import Run
from tests.model.scenarios import LEASE, Scenario, create, runs, shown
from tests.model.simulation import Process, Simulation
from tests.model.words import (
    State,
    ViolationError,
)
from tests.model.world import BEGIN

Play = Callable[[Simulation], None]


class Case(NamedTuple):
    """`play` leads the simulation to where it must settle, or raises ViolationError itself."""

    scenario: Scenario
    mutant: type[Run]
    kind: str


def settle(play: Play, **outage: str) -> Play:
    def played(sim: Simulation) -> None:
        play(sim)
        sim.settle(**outage)  # type: ignore[arg-type]

    return played


def killed(sim: Simulation, kind: str, nth: int, fate: str = "kill after") -> None:
    """A run in which the nth call of a kind is the last."""
    counted = iter(range(1, nth + 1))
    sim.fate = lambda called: fate if called == kind and next(counted, None) == nth else "ok"
    sim.run()
    sim.fate = lambda _kind: "ok"


def a_plan_that_returns(sim: Simulation) -> None:
    runs(sim, 0, 60)
    old = next(copy for copy in sim.world.table.copies if copy.state.plan)
    sim.world.advance(LEASE)
    sim.world.table.restore(old)


def a_rollback_in_the_middle_of_a_commit(sim: Simulation) -> None:
    """The first run dies with the genesis, the second with its batch. The third reads the same window, up to midnight,
    under the same number, and Slack shows one event more."""
    killed(sim, "s3.put", 1)
    sim.world.advance(LEASE)
    killed(sim, "s3.put", 1)
    after_genesis = next(copy for copy in sim.world.table.copies if copy.state.next == 1)
    assert after_genesis.state.plan is None
    sim.world.advance(LEASE)
    sim.world.table.restore(after_genesis)


def a_lost_table(sim: Simulation) -> None:
    sim.world.stream.down = True
    runs(sim, 0)
    sim.run(create("backfill-1", -60, 10))
    runs(sim, 60, LEASE)
    sim.world.table.lose()


def a_backfill_of_young_seconds(sim: Simulation) -> None:
    runs(sim, 0)
    sim.run(create("backfill-1", -60, -31))
    runs(sim, 6, 6)


def strays_in_every_answer(sim: Simulation) -> None:
    sim.world.slack.strays = 1.0
    runs(sim, 0, 60)


def empty_answers_with_a_cursor(sim: Simulation) -> None:
    for _ in range(30):
        sim.world.slack.sizes = [0, 0]
        runs(sim, scale.PERIOD)


def a_slack_that_refuses(sim: Simulation) -> None:
    sim.world.stream.down = True
    runs(sim, 0)


def a_gap_that_several_passes_read(sim: Simulation) -> None:
    runs(sim, 0, 2 * scale.PROMISE)


def an_item_that_is_written_in_part(sim: Simulation) -> None:
    """One run dies after live's entry and before the item, the next after the item of another pass's entry."""
    runs(sim, 0, 60)
    sim.world.advance(60)
    before = newest(sim)
    die_after_lives_entry(sim)
    following = sim.start()
    while sim.world.table.item is None or sim.world.table.item.state.next <= before + 2:
        sim.step(following)
    sim.end(following)
    sim.world.advance(LEASE)


def die_after_lives_entry(sim: Simulation) -> None:
    before, dying = newest(sim), sim.start()
    while newest(sim) == before or sim.world.store.log[newest(sim)].pass_ != "live":
        sim.step(dying)
    sim.end(dying)
    sim.world.advance(LEASE)


def newest(sim: Simulation) -> int:
    return len(sim.world.store.log) - 1


def a_host_whose_clock_is_ahead(sim: Simulation) -> None:
    sim.world.drift = 20
    runs(sim, *[scale.PERIOD] * 40)


def a_host_whose_clock_jumps(sim: Simulation) -> None:
    """Between runs of one call each: sooner or later the first call after a jump is final's."""
    runs(sim, *[scale.PERIOD] * 20)
    for jump in (30, 0, 30, 0, 30, 0, 30):
        sim.world.drift = jump
        runs(sim, *[scale.PERIOD] * 5)


def a_call_in_each_run(sim: Simulation) -> None:
    runs(sim, *[scale.PERIOD] * 20)


def servers_of_slack_that_are_ahead(sim: Simulation) -> None:
    sim.world.slack.date_of = lambda now: now + scale.SKEW
    runs(sim, *[scale.PERIOD - 1] * 40)


def a_stream_so_slow_that_the_backlog_outlasts_runs(sim: Simulation) -> None:
    """The backlog goes out slowly; live stays close all the while."""
    sim.world.stream.down = True
    runs(sim, *[scale.PERIOD] * 40)
    sim.world.stream.down = False
    sim.cost = lambda kind: scale.RUN_TIME // 4 if kind == "stream" else 0
    for _ in range(6):
        started = sim.world.now
        sim.run()
        sim.world.advance(scale.PERIOD)
        if live(sim) < started - scale.LIVE_LAG - scale.RUN_TIME:
            raise ViolationError(("stuck", f"live is at {live(sim)} after a run that started at {started}"))
    state = sim.world.table.item.state if sim.world.table.item else State()
    assert state.published < state.next - 3, "the backlog is gone, so this shows nothing"
    sim.cost = lambda _kind: 0


def a_stream_that_is_down(sim: Simulation) -> None:
    """One run catches up with what was missed, although nothing can be published."""
    runs(sim, 0)
    sim.world.advance(200)
    sim.world.stream.down = True
    started = sim.world.now
    sim.run()
    check(sim.world)
    if live(sim) < started - scale.LIVE_LAG - scale.PERIOD:
        raise ViolationError(("stuck", f"live is at {live(sim)} after a run that started at {started}"))


def live(sim: Simulation) -> int:
    return sim.world.store.log[newest(sim)].passes["live"].watermark


def an_order_that_changes_within_a_walk(sim: Simulation) -> None:
    """Against what is assumed: live, late and final each walk the second once with a changing order."""
    sim.world.slack.unsteady = 3
    runs(sim, 20)


STEADY = shown(*[(after, 1, 0) for after in range(-25, 240, 5)])
BUSY = shown(*[(after, 3, 0) for after in range(-28, 60, 2)])
LATE = shown((-25, 2, 0), (-50, 1, scale.PROMISE), (5, 2, scale.PROMISE), (11, 2, 30))
AT_PROMISE = shown(*[(after, 1, scale.PROMISE) for after in range(-20, 90)])
UP_TO_MIDNIGHT = Scenario(
    shown((-15, 2, 0), (-14, 1, 80), (-12, 1, 0)),
    a_rollback_in_the_middle_of_a_commit,
    begin=BEGIN + 10,
    reads_ahead=0,
)

CASES = {
    "a plan that outlives its number and comes back with a restored table": Case(
        Scenario(STEADY, settle(a_plan_that_returns)), writing.PlanOfAnotherNumber, "repeat"
    ),
    "a batch key reused with other bytes after a rollback": Case(
        UP_TO_MIDNIGHT._replace(play=settle(UP_TO_MIDNIGHT.play)), writing.KeyWithoutDigest, "lost"
    ),
    "an orphan taken for held": Case(
        UP_TO_MIDNIGHT._replace(play=settle(UP_TO_MIDNIGHT.play)), reading.OrphanTakenForHeld, "lost"
    ),
    "a lost table that forgets where the passes are": Case(
        Scenario(STEADY, settle(a_lost_table)), writing.LostTableStartsAnew, "windows"
    ),
    "a lost table that forgets a backfill and its end": Case(
        Scenario(STEADY, settle(a_lost_table)), writing.LostTableForgetsBackfills, "windows"
    ),
    "a lost table that forgets the publish mark": Case(
        Scenario(STEADY, settle(a_lost_table)), writing.LostTableForgetsTheMark, "mark"
    ),
    "a backfill that reads seconds younger than the final lag": Case(
        Scenario(LATE, settle(a_backfill_of_young_seconds)), reading.YoungBackfill, "lost"
    ),
    "an out-of-range event archived in the wrong window": Case(
        Scenario(STEADY, settle(strays_in_every_answer)), reading.StrayArchived, "repeat"
    ),
    "an empty answer with a cursor taken as the end": Case(
        Scenario(STEADY, settle(empty_answers_with_a_cursor)), reading.EmptyAnswerIsTheEnd, "lost"
    ),
    "publishing skipped because Slack refused": Case(
        Scenario(STEADY, settle(a_slack_that_refuses, outage="slack")), writing.NoPublishingWhenRefused, "stuck"
    ),
    "ids dropped at read-ahead": Case(
        Scenario(STEADY, settle(a_gap_that_several_passes_read)), reading.DroppingAtReadAhead, "repeat"
    ),
    "a partial item write": Case(
        Scenario(STEADY, settle(an_item_that_is_written_in_part)), writing.PartialItemWrite, "windows"
    ),
    "the host's clock instead of Slack's": Case(
        Scenario(AT_PROMISE, settle(a_host_whose_clock_is_ahead)), reading.HostClock, "lost"
    ),
    "a host's clock that jumps between two runs": Case(
        Scenario(AT_PROMISE, settle(a_host_whose_clock_jumps), reads_ahead=0, budget=1),
        reading.DateNotAsked,
        "young",
    ),
    "late and final starve behind live": Case(
        Scenario(STEADY, settle(a_call_in_each_run), budget=1), reading.LiveAlwaysFirst, "stuck"
    ),
    "a span forgotten between runs under a small call budget": Case(
        Scenario(BUSY, settle(a_call_in_each_run), budget=1), reading.SpanForgotten, "stuck"
    ),
    "a crowded second larger than a run's call budget": Case(
        Scenario(shown((3, 14, 0)), settle(a_call_in_each_run), budget=2), reading.BudgetInsideACrowdedSecond, "stuck"
    ),
    "a slow stream's backlog that holds up capture": Case(
        Scenario(STEADY, settle(a_stream_so_slow_that_the_backlog_outlasts_runs)), writing.BacklogBeforeCapture, "stuck"
    ),
    "a stream that is down and holds up capture": Case(
        Scenario(STEADY, a_stream_that_is_down), writing.StreamDownEndsTheRun, "stuck"
    ),
    "an exact final lag when the clocks differ by 3 s": Case(
        Scenario(AT_PROMISE, settle(servers_of_slack_that_are_ahead)), reading.ExactFinalLag, "lost"
    ),
    "an order that changes within a walk": Case(
        Scenario(shown((3, 60, 0)), settle(an_order_that_changes_within_a_walk)), reading.OneWalkIsEnough, "lost"
    ),
}


def played(scenario: Scenario, protocol: type[Run]) -> None:
    scenario.play(scenario.simulation(protocol))


@pytest.mark.parametrize("name", CASES)
def test_the_protocol_stands(name):
    played(CASES[name].scenario, Run)


@pytest.mark.parametrize("name", CASES)
def test_the_broken_rule_is_caught(name):
    with pytest.raises(ViolationError) as caught:
        played(CASES[name].scenario, CASES[name].mutant)
    assert CASES[name].kind in caught.value.kinds, str(caught.value)


def test_the_margin_is_larger_than_the_clocks_differ():
    assert scale.MARGIN > scale.SKEW


def test_a_crowded_second_that_a_run_has_no_time_for_is_left_to_the_next_one():
    """It begins when most of the run's time is spent, and has six pages to walk twice."""
    sim = Scenario([*shown((3, 27, 0)), *STEADY], a_call_in_each_run).simulation()
    runs(sim, 0)
    sim.world.advance(100)
    sim.cost = lambda kind: 2 if kind == "slack" else 0
    late = sim.start()
    while live(sim) < BEGIN + 2 and late.pending is not None:
        sim.step(late)
    late.run.deadline = sim.world.now + 20
    sim.finish(late)
    assert live(sim) == BEGIN + 2
    assert sim.world.table.item is not None
    assert sim.world.table.item.owner is None
    runs(sim, scale.PERIOD)
    assert live(sim) >= BEGIN + 3
    sim.settle()


def about_to_write_a_batch(sim: Simulation) -> Process:
    """A run whose plan is saved."""
    process = sim.start()
    while process.run.state.plan is None or process.pending is None or process.pending[0] != "s3.put":
        sim.step(process)
    return process


def test_a_host_whose_clock_is_ahead_takes_a_lease_too_early_and_leaves_an_orphan_at_worst():
    """Two runs are at work with one lease. The log lets one entry win; the other's batch is named by none."""
    events = shown((-15, 2, 0), (-14, 1, 60), (-12, 1, 0))
    sim = Scenario(events, a_call_in_each_run, begin=BEGIN + 10).simulation()
    first = about_to_write_a_batch(sim)
    sim.world.advance(scale.RUN_TIME - 3)  # Slack shows one event more of the same window
    sim.world.drift = scale.LEASE_GRACE + 4
    sim.run()
    assert sim.world.overlapped
    sim.finish(first)
    sim.settle()
    named = {entry.key for entry in sim.world.store.log.values()}
    assert [key.number for key in set(sim.world.store.raw) - named] == [1]


def test_a_lease_taken_from_a_dead_run_is_no_overlap():
    """So an orphan that is left then is a fault of the protocol."""
    sim = Scenario(STEADY, a_call_in_each_run).simulation()
    sim.end(about_to_write_a_batch(sim))
    runs(sim, LEASE)
    assert not sim.world.overlapped
    sim.settle()
