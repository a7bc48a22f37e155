"""Where a run may find the world when something goes wrong in it."""

from functools import cache

from tests.faults.faults import ALL
from tests.faults.world import World

PLAN_AND_BATCH = ["dynamodb.PutItem", "s3.PutObject"]


def history(world: World, *, seconds: int = 3_300, events: int = 18) -> None:
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
    world.run()
    assert not world.cloud.kinesis.records
    world.cloud.kinesis.down = False
    world.pass_time(300)
    history(world, seconds=200, events=6)
    return world


@cache
def plan_left() -> World:
    """A run that finds a plan whose batch an earlier one had written when it was killed."""
    world = live_run().copy()
    calls = world.calls_of_the_next_run()
    batch = next(number for number, call in enumerate(calls) if calls[number - 1 : number + 1] == PLAN_AND_BATCH)
    world.border.faults = {batch + 1: ALL["killed after its effect"]}
    world.run()
    world.clock.time = world.cloud.dynamodb.lease_until + 1
    return world


@cache
def late_find() -> World:
    """A run in which live, late and final are due, and the last two find what Slack showed late."""
    world = first_run().copy()
    world.until_idle()
    world.slack.add(world.slack.now - 1_500, ["for final", "for final too"], late=3_500)
    world.pass_time(2_000)
    world.until_idle()
    world.slack.add(world.slack.now - 300, ["for late", "for late too"], late=450)
    world.pass_time(600)
    history(world, seconds=500, events=5)
    return world


@cache
def backfill() -> World:
    """A run with a backfill that reaches from before the collection's start into what is archived."""
    world = first_run().copy()
    world.until_idle()
    start = world.slack.now - 3_600
    for number in range(7):
        world.slack.add(start - 200 - 311 * number, [f"old{number}"])
    world.pass_time(4_500)
    world.until_idle()
    world.wanted = {"from": start - 2_400, "to": start + 900, "publish": True}
    world.order()
    world.pass_time(200)
    world.slack.add(world.slack.now - 100, ["meanwhile"])
    return world


@cache
def backfill_order() -> World:
    """The order itself, of a person who sends it again until it is answered."""
    world = backfill().copy()
    world.until_idle()
    lo = world.slack.now - 20_000
    world.slack.add(lo + 10, ["older", "still older"])
    world.wanted = {"from": lo, "to": lo + 5_000, "publish": False}
    return world


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (first_run, live_run, publish_backlog, plan_left, late_find, backfill, backfill_order)
}
