"""The stand-in for Slack with a clock that whoever measures moves, as a process of its own.

    python -m benchmarks.performance.minutes CLOCK --rate 10       so many events a minute, around the clock's time

It ends when its standard input does. The history begins some hours before the clock's time and goes on for some.
"""

import argparse
import asyncio
import gc
from pathlib import Path

from benchmarks.load.clock import SharedClock
from benchmarks.performance.history import SteadyHistory
from benchmarks.performance.processes import until_left_alone
from benchmarks.performance.stage import HOUR
from local.slack.director import Director
from local.slack.organisation import Organisation
from local.slack.server import serving
from local.slack.settings import Settings

BEFORE, AFTER = 3, 12  # hours


async def _serve(path: Path, rate: float) -> None:
    clock = SharedClock(path)
    start, end = int(clock.now()) - BEFORE * HOUR, int(clock.now()) + AFTER * HOUR
    history = SteadyHistory(round(rate * (end - start) / 60), start, end, seed=1)
    organisation = Organisation(Settings(seed=1, calls_per_minute=None), clock.now, history)
    gc.freeze()
    async with serving([organisation], Director(organisation), "127.0.0.1", 0) as port:
        await until_left_alone(port)


def main() -> None:
    """Serves until its standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clock", type=Path, help="the file of a SharedClock")
    parser.add_argument("--rate", type=float, required=True, help="events a minute")
    asked = parser.parse_args()
    asyncio.run(_serve(asked.clock, asked.rate))


if __name__ == "__main__":
    main()
