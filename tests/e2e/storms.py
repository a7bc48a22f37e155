"""What tests of the stack in bad weather ask of it."""

from itertools import pairwise
from typing import Any

from tests.e2e.stack import TOKEN
from tests.e2e.weather import Weather
from tests.proof import committed

LONG = 40  # seconds; timeout of a function that is to do all its work in one run
SHORT = 13  # seconds; timeout of one that has three to work in, besides a run's reserve of ten
ALL_TRIES = 3  # of one request of the function's AWS client
HOUR = 3_600  # seconds


def prove(weather: Weather) -> None:
    """Nothing is lost or twice in the archive, all of it is in the stream, and no token is in the function's log."""
    weather.stack.prove()
    log = weather.log()
    assert '"message":"collected"' in log
    assert TOKEN not in log


def prove_order(weather: Weather) -> None:
    """The stream got the whole of each batch before anything of the next one."""
    first: dict[bytes, int] = {}
    for place, (_, data) in enumerate(weather.stack.records()):
        first.setdefault(data, place)
    batches = [[first[line] for line in entry.lines] for entry in committed(weather.stack.objects()) if entry.lines]
    assert len(batches) > 1
    assert all(max(before) < min(after) for before, after in pairwise(batches))


def runs_until_done(weather: Weather, most: int = 12) -> list[dict[str, Any]]:
    """What each run returned, up to the one that left nothing to do."""
    runs: list[dict[str, Any]] = []
    while not runs or (runs[-1]["stopped"], runs[-1]["publishing"]) != ("nothing_due", "done"):
        assert len(runs) < most, runs
        runs.append(weather.stack.invoke())
    return runs
