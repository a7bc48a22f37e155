"""A run killed at every outside call, before it has an effect and after: nothing is lost, nothing archived twice."""

import copy
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import CrowdedSecondError, LeaseLostError, SinkUnavailableError, StorageError
from tests.builders import raw_event
from tests.fakes import KilledError, World
from tests.proof import prove

MOMENTS = ("before", "after")


def history(world: World, count: int, *, crowd: int = 0) -> list[bytes]:
    """So many events over the hour before now, some seconds with several, one with a crowd."""
    now = int(world.clock.time)
    events = [raw_event(now - 61 - (number * 37) % 3_400, number) for number in range(count)]
    return events + [raw_event(now - 1_000, f"crowd{number}") for number in range(crowd)]


def first_run() -> tuple[World, list[bytes]]:
    """No table, no log: genesis, then a backlog."""
    world = World()
    world.slack.page = 12
    served = history(world, 40)
    world.slack.add(served)
    return world, served


def live_run() -> tuple[World, list[bytes]]:
    """A run in the middle of the collector's life."""
    world, served = first_run()
    world.until_done()
    world.next_minute(20)
    later = [raw_event(int(world.clock.time) - 61 - 20 * number, f"later{number}") for number in range(30)]
    world.slack.add(later)
    return world, served + later


def publish_backlog() -> tuple[World, list[bytes]]:
    """A run that finds entries of earlier runs which never reached the stream."""
    world, served = first_run()
    for number in range(1, 60):
        world.faults.fail("stream.put", number, SinkUnavailableError("down"))
    world.run()
    world.faults.at.clear()
    world.next_minute()
    return world, served


def crowded_second() -> tuple[World, list[bytes]]:
    """A run that must walk a second by cursor."""
    world = World()
    world.slack.page = 12
    served = history(world, 10, crowd=40)
    world.slack.add(served)
    return world, served


def after_a_kill_with_a_plan() -> tuple[World, list[bytes]]:
    """A run that finds a plan whose batch is already written."""
    for number in range(2, 9):
        world, served = first_run()
        die_in_run(world, "archive.put_new", number, "after")
        if world.table.item.plan is not None and any(key.startswith("raw/") for key in world.archive.objects):
            return world, served
    raise AssertionError("no batch is written before its entry")


SCENARIOS = [first_run, live_run, publish_backlog, crowded_second, after_a_kill_with_a_plan]


def die_in_run(world: World, name: str, number: int, moment: str) -> None:
    """Kills the run at its `number`th call of that name."""
    calls = [index for index, call in enumerate(calls_of(world), 1) if call == name]
    world.faults.kill = (len(world.faults.calls) + calls[number - 1], moment)
    with pytest.raises(KilledError):
        world.run()
    world.revive()


def calls_of(world: World) -> list[str]:
    """The outside calls that the next run would make."""
    dry = copy.deepcopy(world)
    before = len(dry.faults.calls)
    dry.run()
    return dry.faults.calls[before:]


def kills(scenario: Callable[[], tuple[World, list[bytes]]]) -> Iterator[tuple[int, str]]:
    world, _ = scenario()
    return itertools.product(range(1, len(calls_of(world)) + 1), MOMENTS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_at_any_call_nothing_is_lost_or_archived_twice(scenario):
    tried = 0
    for index, moment in kills(scenario):
        world, served = scenario()
        world.faults.kill = (len(world.faults.calls) + index, moment)
        with pytest.raises(KilledError):
            world.run()
        world.revive()
        world.until_done()
        prove(world.archive.objects, world.stream.lines, served)
        tried += 1
    assert tried >= 20


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_twice_in_a_row_nothing_is_lost_or_archived_twice(scenario):
    world, _ = scenario()
    for index in range(1, len(calls_of(world)) + 1, 2):
        world, served = scenario()
        for second in (index, index % 7 + 1):
            world.faults.kill = (len(world.faults.calls) + second, MOMENTS[index // 2 % 2])
            try:
                world.run()
            except KilledError:
                world.revive()
            world.faults.kill = None
            world.next_minute()
        world.until_done()
        prove(world.archive.objects, world.stream.lines, served)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_overlapped_by_a_whole_other_run_at_any_call_nothing_is_lost_or_archived_twice(scenario):
    """The run outlives its lease: another one does its work between two of its calls. A batch that is written only
    after the other run dropped its plan stays as an orphan: an object that no entry names and nobody counts."""
    world, _ = scenario()
    calls = calls_of(world)
    for index in range(2, len(calls) + 1):
        world, served = scenario()
        name = calls[index - 1]
        number = world.faults.counts[name] + calls[:index].count(name)
        world.faults.at[name, number] = world.overlap
        run_whatever_comes(world)
        world.revive()
        world.until_done()
        prove(world.committed(), world.stream.lines, served)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_table_lost_after_a_kill_at_any_call_loses_and_repeats_nothing(scenario):
    """Killed with the table gone, there may be an orphan: an object that no entry names and nobody counts."""
    for index, moment in kills(scenario):
        world, served = scenario()
        world.faults.kill = (len(world.faults.calls) + index, moment)
        with pytest.raises(KilledError):
            world.run()
        world.revive()
        world.table.item = Checkpoint()
        world.until_done()
        prove(world.committed(), world.stream.lines, served)


def test_a_plan_is_kept_until_its_entry_stands():
    """Its batch is there already: a run that could not write the entry must leave the plan to the next one."""
    world, served = after_a_kill_with_a_plan()
    world.faults.fail("archive.put_new", world.faults.counts["archive.put_new"] + 1, StorageError("down"))
    with pytest.raises(StorageError):
        world.run()
    assert world.table.item.plan is not None
    world.until_done()
    prove(world.archive.objects, world.stream.lines, served)


def run_whatever_comes(world: World) -> None:
    """The overlapped run may end in any orderly way: by itself, without its lease, or out of time."""
    with suppress(LeaseLostError, CrowdedSecondError):
        world.run()
