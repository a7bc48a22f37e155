"""How far live falls behind while ten backfills and a publishing backlog want their turns, too.

python -m benchmarks.lag            a table by how long a call to Slack takes

The real use cases on the tests' fakes and a clock that only calls move: a month of history, ten backfills over it at
once, all published, 40 calls a minute, a run each minute. Live's distance is 60 s and a schedule period another 60 s.
"""

from rich.console import Console
from rich.table import Table

from slack_audit.backfill import MOST_AT_ONCE
from slack_audit.passes import LIVE
from slack_audit.ports import Answer, Query
from slack_audit.windows import DAY
from tests.builders import ALL_LAGS, DAY_START, raw_event
from tests.fakes import World

MINUTES = 60


def measure(seconds_a_call: float) -> tuple[list[int], int]:
    """Live's lag whenever a call is made, and how many calls were made."""
    world = World(lags=ALL_LAGS)
    world.slack.seconds_a_call = seconds_a_call
    world.slack.page = 50
    world.slack.add(
        raw_event(DAY_START - day * DAY + at * (DAY // 200), f"old{day}.{at}")
        for day in range(1, 31)
        for at in range(200)
    )
    world.until_done(runs=100)
    for number in range(MOST_AT_ONCE):
        world.order(from_="2025-12-02", to=DAY_START - 1 - number, publish=True)
    lags: list[int] = []
    real = world.slack.read

    def noting(query: Query, timeout: float) -> Answer:
        lags.append(world.slack.now - world.table.item.passes[LIVE].watermark)
        return real(query, timeout)

    world.slack.read = noting  # type: ignore[method-assign]
    end = world.clock.time + 60 * MINUTES
    while world.clock.time < end and world.table.item.passes.keys() - ALL_LAGS.keys():
        started = world.clock.time
        world.run()
        world.clock.time = max(world.clock.time, started + 60)
    return lags, len(lags)


def _show() -> None:
    table = Table(title="Live's lag beside ten backfills, in seconds")
    for name in ("seconds a call", "calls", "median", "95 of 100", "most"):
        table.add_column(name, justify="right")
    for seconds in (0.2, 1.5, 4.0):
        lags, calls = measure(seconds)
        lags.sort()
        table.add_row(
            f"{seconds}", f"{calls:,}", f"{lags[len(lags) // 2]}", f"{lags[len(lags) * 95 // 100]}", f"{lags[-1]}"
        )
    Console().print(table)


if __name__ == "__main__":
    _show()
