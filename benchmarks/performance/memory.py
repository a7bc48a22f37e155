"""What a run takes and costs by the function's memory, computed from what was measured of it.

    python -m benchmarks.performance --read build/performance/results.json       shows it with the other tables

Lambda gives a function a share of a processor by its memory: 1,769 MB is one whole processor, and a run of Python's
uses no more than one (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). So a run takes what it
waits for Slack and AWS, and its CPU time divided by that share.
"""

from collections.abc import Mapping

from benchmarks.costs import AWS_ANSWERS, CORE_MEMORY, MINUTES, SLACK_ANSWERS, usd
from benchmarks.performance.drain import PAGE
from benchmarks.performance.figures import Figure
from benchmarks.performance.paced import SINKS
from slack_audit.spans import FILL

SIZES = (128, 256, 512, 1_024, 1_769, 2_048)  # MB
RATES = (10, 100)  # events a second
MINUTE = 60
NEEDED = {"steady-0", "drain-all", "drain-kinesis"}
COLUMNS = [
    "MB",
    "nothing new, s",
    "USD a month",
    *(text for rate in RATES for text in (f"{rate} events/s, s", "USD a month")),
    "a page of a backlog, s",
]


def rows(figures: Mapping[str, Figure]) -> list[list[str]]:
    """A row for each size; none where not all that is needed was measured."""
    return [_row(size, figures) for size in SIZES] if figures.keys() >= NEEDED else []


def _row(size: int, figures: Mapping[str, Figure]) -> list[str]:
    shown = [f"{size:,}"]
    for rate in (0, *RATES):
        seconds = run_seconds(size, rate * MINUTE, figures)
        shown += [f"{seconds:.1f}", f"{month(size, seconds):.2f}"]
    return [*shown, f"{page_seconds(size, figures):.1f}"]


def run_seconds(size: int, events: int, figures: Mapping[str, Figure]) -> float:
    """Of a run of all three passes with so many new events."""
    idle, event = figures["steady-0"], figures["drain-all"].cpu / figures["drain-all"].events
    aws = sum(calls for service, calls in idle.calls.items() if service != "slack")
    waiting = idle.calls["slack"] * SLACK_ANSWERS + (aws + 2 * bool(events) + events / 500) * AWS_ANSWERS
    return waiting + (idle.cpu + events * event) / share(size)


def page_seconds(size: int, figures: Mapping[str, Figure]) -> float:
    """Of one page of a backlog, beside Slack's answers, which are under way meanwhile: three writes one after another,
    and the stream's calls, four at once."""
    drain = figures["drain-kinesis"]
    events = FILL * PAGE
    waiting = (3 + events / 500 / 4) * SINKS
    return waiting + drain.cpu / drain.events * events / share(size)


def share(size: int) -> float:
    """Of a processor."""
    return min(1.0, size / CORE_MEMORY)


def month(size: int, seconds: float) -> float:
    """USD, of a run a minute."""
    return usd("Lambda arm64", MINUTES * seconds * size / 1_024)
