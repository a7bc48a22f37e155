"""Where a run may find the world when something goes wrong in it."""

from functools import cache

from tests.faults.world import World


def history(world: World, *, seconds: int = 3_300, events: int = 24) -> None:
    """So many events until a minute ago, some seconds with several, in an order that looks like chance."""
    newest = world.slack.now - 90
    for number in range(events):
        second = newest - number * 1_237 % seconds
        world.slack.add(second, (f"{number}.{twin}" for twin in range(1 + number % 3 // 2)))


@cache
def first_run() -> World:
    """No table, no log: genesis, then what happened in the last hour."""
    world = World()
    history(world)
    return world


@cache
def live_run() -> World:
    """A run in the middle of the collector's life."""
    world = first_run().copy()
    world.until_idle()
    world.pass_time(1_200)
    history(world, seconds=1_000, events=14)
    return world


@cache
def publish_backlog() -> World:
    """A run that finds what earlier runs could not publish, beside what is new."""
    world = first_run().copy()
    world.cloud.kinesis.down = True
    assert world.run().report.publishing == "stream_unavailable"
    world.cloud.kinesis.down = False
    world.pass_time(300)
    history(world, seconds=200, events=6)
    return world


SCENARIOS = {scenario.__name__: scenario for scenario in (first_run, live_run, publish_backlog)}
