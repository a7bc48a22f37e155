"""A scenario with faults at chosen exchanges, and what must be true afterwards."""

import random
from collections.abc import Iterator
from functools import cache

from tests.faults.faults import ALL, EACH
from tests.faults.scenarios import SCENARIOS
from tests.faults.world import World

LEAVES_ORPHANS = {"timeout, lands later", "overtaken", "a second stack"}
RUNS = 4  # in which the faults may happen; one that has found no call that it fits by then is dropped
Planned = tuple[int, str]  # the how-manieth exchange of the run, and the fault's name


@cache
def calls_of(scenario: str) -> tuple[str, ...]:
    """The exchanges of the scenario's run, where nothing goes wrong."""
    return tuple(SCENARIOS[scenario]().calls_of_the_next_run())


def cases(scenario: str) -> Iterator[Planned]:
    """Every exchange of the scenario's run, with each fault that fits it."""
    for number, call in enumerate(calls_of(scenario), 1):
        yield from ((number, name) for name, kind in EACH.items() if kind.fits(call))


def sweep(scenario: str) -> int:
    """All of them, one after the other; how many there were."""
    happened = [suffer(scenario, case).border.happened for case in cases(scenario)]
    return sum(map(bool, happened))


def suffer(scenario: str, *planned: Planned) -> World:
    """Runs the scenario with these faults, then without, and proves what came out."""
    try:
        return _suffer(scenario, *planned)
    except BaseException as error:
        error.add_note(f"suffer({scenario!r}, {', '.join(map(repr, planned))})")
        raise


def _suffer(scenario: str, *planned: Planned) -> World:
    world = SCENARIOS[scenario]().copy()
    random.seed(f"{scenario} {planned}")  # of the back-offs
    world.border.faults = {number: ALL[name] for number, name in planned}
    for _ in range(RUNS):
        world.next()
        world.pass_time(200)
        if not world.border.faults:
            break
    world.settle()
    world.prove(orphans=bool(LEAVES_ORPHANS & {name for _, name in planned}))
    return world


def sampled_pairs(count: int, seed: int) -> list[tuple[str, Planned, Planned]]:
    """Two faults each: the second comes within the run of the first, or in one that follows."""
    chance = random.Random(seed)
    return [_pair(chance) for _ in range(count)]


def _pair(chance: random.Random) -> tuple[str, Planned, Planned]:
    scenario = chance.choice(sorted(SCENARIOS))
    calls = calls_of(scenario)
    first = chance.randint(1, len(calls))
    second = first + chance.randint(1, len(calls))
    fitting = sorted(name for name, kind in ALL.items() if kind.fits(calls[first - 1]))
    return scenario, (first, chance.choice(fitting)), (second, chance.choice(sorted(ALL)))
