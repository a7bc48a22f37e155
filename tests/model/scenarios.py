"""Worlds in which every outside call is killed once before and once after its effect, and told lies about."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.model import scale
from tests.model.protocol import Run
from tests.model.simulation import WRITES, Simulation
from tests.model.words import (
    Event,
    Pass,
)
from tests.model.world import BEGIN, World

FATES = ("kill before", "kill after", "kill late", "lost", "late", "freeze")  # "refused" is asked again at once
LEASE = scale.RUN_TIME + scale.LEASE_GRACE + 1  # until whoever comes next may take it


class Scenario(NamedTuple):
    """What Slack will show, and the runs."""

    events: list[Event]
    play: Callable[[Simulation], None]
    budget: int = 60
    reads_ahead: int = 1
    begin: int = BEGIN

    def simulation(self, protocol: type[Run] = Run) -> Simulation:
        world = World(self.events, now=self.begin)
        return Simulation(world, protocol, budget=self.budget, reads_ahead=self.reads_ahead)


def shown(*when: tuple[int, int, int]) -> list[Event]:
    """(seconds after the beginning, events in that second, how late they are shown)"""
    return [
        Event(BEGIN + after, f"{after}+{late}.{n}", BEGIN + after + late)
        for after, count, late in when
        for n in range(count)
    ]


def runs(sim: Simulation, *after: int) -> None:
    """A run after each of these times."""
    for seconds in after:
        sim.world.advance(seconds)
        sim.run()


def create(name: str, lo: int, hi: int, *, publish: bool = True) -> tuple[str, str, Pass]:
    return "create", name, Pass(BEGIN + lo - 1, BEGIN + hi, publish)


def play_first_runs(sim: Simulation) -> None:
    runs(sim, 0, 6, LEASE)


def play_all_passes(sim: Simulation) -> None:
    runs(sim, 0, 60, scale.PROMISE, LEASE)


def play_a_crowd(sim: Simulation) -> None:
    sim.world.slack.sizes = [5, 0, 2, 5, 3]
    runs(sim, 20, 6, LEASE)
    sim.world.slack.sizes = [0, 0]
    runs(sim, scale.LATE_LAG, LEASE)


def play_backfills(sim: Simulation) -> None:
    runs(sim, 0)
    sim.run(create("backfill-1", -60, -20))
    sim.world.advance(LEASE)
    sim.run(create("backfill-2", -40, 10, publish=False))
    sim.world.advance(scale.PROMISE)
    sim.run(("pause", "backfill-2", None))
    runs(sim, LEASE)
    sim.run(("resume", "backfill-2", None))
    runs(sim, LEASE)
    sim.run(("cancel", "backfill-1", None))


def play_a_backlog(sim: Simulation) -> None:
    sim.world.stream.down = True
    runs(sim, 0, 12, 12)
    sim.world.stream.down = False
    sim.world.stream.failures = 0.3
    runs(sim, 6, LEASE)
    sim.world.slack.refusing = True
    runs(sim, 6, LEASE)
    sim.world.slack.refusing = False


def play_after_a_death(sim: Simulation) -> None:
    """A run died between its batch and its entry: its plan waits."""
    runs(sim, 0)
    sim.world.advance(60)
    dying, fate = sim.start(), sim.fate
    while not (dying.run.state.plan and sim.world.store.raw.get(dying.run.state.plan.key)):  # type: ignore[arg-type]
        sim.step(dying)
        if dying.pending is None:
            return
    sim.end(dying)
    sim.fate = fate
    runs(sim, LEASE, LEASE)


def play_a_lost_table(sim: Simulation) -> None:
    runs(sim, 0, 60)
    sim.world.table.lose()
    runs(sim, 6, LEASE)


def play_small_budget(sim: Simulation) -> None:
    runs(sim, 0, 6, 6, LEASE, 6, LEASE)


SCENARIOS = {
    "the first runs of an org": Scenario(shown((-25, 3, 0), (-10, 4, 0), (-3, 1, 2)), play_first_runs),
    "all passes, with late events": Scenario(
        shown((-25, 2, 0), (-20, 1, 30), (-10, 2, scale.PROMISE), (5, 1, 100), (5, 2, 0)), play_all_passes
    ),
    "a crowded second and cut answers": Scenario(shown((3, 8, 0), (3, 1, 60), (9, 3, 0)), play_a_crowd),
    "backfills made, paused, resumed, cancelled and ended": Scenario(
        shown((-55, 3, 0), (-45, 2, 100), (-30, 2, 20), (-5, 3, 50), (8, 2, 0)), play_backfills
    ),
    "a backlog, and a Slack that refuses": Scenario(
        shown((-20, 5, 0), (2, 4, 0), (10, 4, 0), (20, 3, 0)), play_a_backlog
    ),
    "a plan that a dead run left": Scenario(
        shown((-20, 2, 0), (10, 4, 0), (40, 4, 0), (45, 1, 10)), play_after_a_death
    ),
    "a table that was lost": Scenario(shown((-20, 4, 0), (-19, 1, 45), (20, 4, 0), (55, 2, 0)), play_a_lost_table),
    "two calls in each run, no reading ahead": Scenario(
        shown((-25, 4, 0), (-22, 4, 3), (-18, 3, 9), (2, 6, 0)), play_small_budget, budget=2, reads_ahead=0
    ),
}


def calls_of(scenario: Scenario) -> list[str]:
    """The kinds of all outside calls of the runs."""
    sim = scenario.simulation()
    calls: list[str] = []
    sim.fate = lambda kind: calls.append(kind) or "ok"
    scenario.play(sim)
    return calls


def mishaps(scenario: Scenario) -> Iterator[tuple[int, str]]:
    """Each call with each fate that it can have."""
    for index, kind in enumerate(calls_of(scenario)):
        for fate in FATES:
            if kind in WRITES or not fate.endswith("late"):
                yield index, fate


def suffer(scenario: Scenario, index: int, fate: str) -> Simulation:
    """The runs, with this fate for that call; then everything settles. Raises ViolationError."""
    sim = scenario.simulation()
    sim.landing = lambda: LEASE + 10
    left = iter(range(index + 1))
    sim.fate = lambda _kind: fate if next(left, None) == index else "ok"
    scenario.play(sim)
    sim.settle()
    return sim
