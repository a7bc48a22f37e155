"""Random histories, page sizes, budgets and mishaps: what is served is archived once and streamed."""

import json
from contextlib import suppress
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import (
    CollectorError,
    LeaseLostError,
    RateLimitedError,
    SinkRefusedError,
    SinkUnavailableError,
    SlowAnswerError,
    StorageError,
)
from slack_audit.pace import MOST_AHEAD, Pace
from slack_audit.passes import FINAL
from tests.builders import ALL_LAGS, raw_event
from tests.fakes import KilledError, World
from tests.proof import prove

MISHAPS = ["fine", "kill before", "kill after", "overlap", "lose table", "roll back table", "fail", "fail"]
ERRORS: dict[str, tuple[Exception, Exception]] = {
    "slack.read": (SlowAnswerError("slow"), RateLimitedError("wait", retry_after=20)),
    "archive.put_new": (StorageError("down"), StorageError("down")),
    "archive.get": (StorageError("down"), StorageError("down")),
    "checkpoints.save": (StorageError("down"), LeaseLostError("taken over")),
    "checkpoints.release": (StorageError("down"), StorageError("down")),
    "stream.put": (SinkUnavailableError("down"), SinkRefusedError("forbidden")),
}
CALLS = list(ERRORS)

histories = st.dictionaries(
    st.integers(0, 5_000), st.tuples(st.integers(1, 30), st.sampled_from([0, 0, 0, 30, 300, 2_900])), max_size=25
)  # seconds after the collection's start: events in that second, and after how many seconds Slack shows them
mishaps = st.lists(st.tuples(st.sampled_from(MISHAPS), st.integers(1, 40), st.sampled_from(CALLS)), max_size=6)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=histories,
    mishaps=mishaps,
    page=st.integers(5, 60),
    per_minute=st.integers(6, 40),
    lookback=st.integers(0, 2),
    offset=st.integers(-5_000, 5_000),
    drift=st.integers(-2, 2),
    ahead=st.sampled_from([1, 1, 2, MOST_AHEAD]),
)
def test_what_is_served_is_archived_once_and_streamed(
    history, mishaps, page, per_minute, lookback, offset, drift, ahead
):
    with mock.patch.object(Pace, "ahead", return_value=ahead):
        collects_all(history, mishaps, page, per_minute, lookback, offset, drift)


def collects_all(
    history: Any, mishaps: Any, page: int, per_minute: int, lookback: int, offset: int, drift: int
) -> None:
    world = World(calls_per_minute=per_minute, lookback_hours=lookback, lags=ALL_LAGS)
    world.slack.page = page
    world.slack.offset = offset
    start = world.slack.now - lookback * 3_600
    served = []
    for at, (count, late) in history.items():
        events = [raw_event(start + at, f"{at}.{n}") for n in range(count)]
        world.slack.add(events, visible_at=start + at + late)
        served += events
    first_run_at = world.slack.now
    for mishap in mishaps:
        suffer(world, *mishap)
        world.next_minute(7)
        world.slack.offset += drift
    while world.slack.now < first_run_at + 5_300 + ALL_LAGS[FINAL]:
        world.next_minute(15)
    world.revive()
    world.until_done(runs=1_500)
    since = json.loads(world.entries()[0])["passes"]["live"]["watermark"]
    prove(world.committed(), world.stream.lines, [raw for raw in served if second_of(raw) > since])


def second_of(raw: bytes) -> int:
    return int(json.loads(raw)["date_create"])


def suffer(world: World, mishap: str, number: int, call: str) -> None:
    """One run with one thing going wrong at its `number`th call, or around it."""
    stored = world.table.item
    if mishap.startswith("kill"):
        world.faults.kill = (len(world.faults.calls) + number, mishap.split()[1])
    elif mishap == "overlap":
        world.faults.at[call, world.faults.counts[call] + number % 6 + 1] = lambda: overlap(world)
    elif mishap == "fail":
        for nth in range(number % 9 + 1):
            world.faults.fail(call, world.faults.counts[call] + number % 4 + nth + 1, ERRORS[call][number % 2])
    with suppress(CollectorError, KilledError):
        world.run()
    world.revive()
    if mishap == "lose table":
        world.table.item = Checkpoint()
    elif mishap == "roll back table":
        world.table.item = stored


def overlap(world: World) -> None:
    with suppress(CollectorError):
        world.overlap()
    world.clock.new_run()
