"""The stand-in for Slack with a steady history, as a process of its own, which ends when its standard input does.

    python -m benchmarks.performance.slack --events 1000000 --hours 3

Its clock starts at a fixed moment, whatever the day: the same options always show the same events in the same seconds.
The history is of the `--hours` before that moment, less a margin for the collector to start in; with `--older`, of so
many hours before that.
"""

import argparse
import asyncio
import gc
import time

from benchmarks.performance.history import SteadyHistory
from benchmarks.performance.processes import until_left_alone
from benchmarks.performance.stage import HOUR, MARGIN, MOMENT
from local.slack.director import Director
from local.slack.organisation import Organisation
from local.slack.server import serving
from local.slack.settings import Settings


def history_of(events: int, hours: int, older: int = 0, seed: int = 1) -> SteadyHistory:
    """The history that a server with these options shows."""
    end = MOMENT - older * HOUR
    return SteadyHistory(events, end - hours * HOUR + MARGIN, end - MARGIN, seed)


async def _serve(asked: argparse.Namespace) -> None:
    began = time.monotonic()
    settings = Settings(
        seed=asked.seed,
        latency=tuple(asked.delay) if len(asked.delay) == 2 else asked.delay[0],
        calls_per_minute=asked.calls_per_minute or None,
        gzip=asked.gzip,
    )
    history = history_of(asked.events, asked.hours, asked.older, asked.seed)
    organisation = Organisation(settings, lambda: MOMENT + time.monotonic() - began, history)
    gc.freeze()
    async with serving([organisation], Director(organisation), "127.0.0.1", 0) as port:
        await until_left_alone(port)


def main() -> None:
    """Serves until its standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, required=True, help="that the history has")
    parser.add_argument("--hours", type=int, default=1, help="over which they are spread (1)")
    parser.add_argument("--older", type=int, default=0, help="hours by which all of them are older (0)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--delay", type=float, nargs="+", default=[0.0], help="seconds an answer takes, or two: from, to"
    )
    parser.add_argument("--calls-per-minute", type=int, default=0, help="Slack's own limit (0: none)")
    parser.add_argument("--gzip", action="store_true", help="compress answers where the client accepts that")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
