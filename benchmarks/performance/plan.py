"""What is measured: a module with options for each, in the order in which a round goes through them."""

import re
from typing import NamedTuple

BARE = "bare-put"  # what all others are told in multiples of
RATES = (0.3, 1, 2, 5, 10, 20, 50, 100)  # events a second of the histories on which pages are filled
SIZES = (100, 10, 1)  # of the growth, as parts of the events; and ten times as many
HOUR = 3_600
READERS = {
    "verify": (),
    "search": ("--only", "lines", "csv", "parquet", "where"),
    "report": (),
    "sql": ("--only", "actions", "logins"),
    "replay": ("--target", "stream", "bucket"),
}
SMALL, QUEUE = ".small", ".queue"
PART_READ = 5  # of the events, by what reads an archive
GROWN = 2  # times as many as of what is called small
ROUNDS_OF_READERS = 3
SINKS = 0.05  # seconds a call of what is slow
ROWS = {
    "cold-collect": "collect function, as built",
    "cold-empty": "empty function that imports boto3",
    "cold-collect-source": "collect function without bytecode",
    "cold-empty-source": "empty function without bytecode",
    "steady-0": "nothing new",
    "steady-0-kept": "nothing new, connections kept",
    "steady-10": "10 new events",
    "steady-1000": "1,000 new events",
}


class Measurement(NamedTuple):
    """One process. `group` is the table that it goes to; `rounds` None means as many as are asked for.

    With `has_rows` it tells of several things at once, `<name>-…` each. `package` has the module.
    """

    name: str
    title: str
    module: str
    options: tuple[str, ...] = ()
    group: str = "drain"
    rounds: int | None = None
    has_rows: bool = False
    package: str = "benchmarks.performance"

    @property
    def beginning(self) -> str:
        """The first word of its name, by which it can be chosen, too."""
        return re.split("[-.]", self.name)[0]

    def is_of(self, result: str) -> bool:
        """Is this result one of its own?"""
        return result.startswith(f"{self.name}-") if self.has_rows else result == self.name


def plan(events: int, peer_events: int) -> list[Measurement]:
    """Everything, for drains of so many events."""
    size, of_peers = f"--events={events}", f"--events={peer_events}"
    return [
        Measurement("bare-fetch", "bare loop: fetch, read, throw away", "bare", (size,)),
        Measurement(BARE, "bare loop: fetch, read, gzip, put", "bare", (size, "--put")),
        Measurement("drain", "collector into S3 and DynamoDB", "drain", (size, "--no-kinesis")),
        Measurement("drain-kinesis", "collector into S3, DynamoDB and Kinesis", "drain", (size,)),
        Measurement("dlt", "dlt's REST source to S3", "peers", ("dlt", of_peers)),
        Measurement("airbyte", "Airbyte's low-code CDK, gzip and put", "peers", ("airbyte", of_peers)),
        Measurement("drain-all", "all three passes", "drain", (size, "--passes=all"), "more", 1),
        Measurement(
            "bare-gzip", "bare loop, gzip and put; Slack compresses", "bare", (size, "--put", "--gzip"), "more", 1
        ),
        Measurement("drain-gzip", "collector without Kinesis; Slack compresses", "drain", _compressed(size), "more", 1),
        *_growth(events),
        *(_fill(rate, events) for rate in RATES),
        Measurement("paced", "a backlog in real time", "paced", (), "paced", 1),
        Measurement("cold", "cold starts", "cold", (), "cold", 1, has_rows=True),
        Measurement("steady", "runs with little to do", "steady", (), "steady", 1, has_rows=True),
        *_reading(events // PART_READ),
    ]


def _reading(events: int) -> list[Measurement]:
    """What reads an archive of so many events; of fewer of them; and a replay to what takes more time."""
    fewer = events // GROWN
    return [
        *(_read(module, module, events, *options) for module, options in READERS.items()),
        *(_read(f"{module}{SMALL}", module, fewer, *options) for module, options in READERS.items()),
        _read(f"replay{QUEUE}", "replay", fewer, "--target", "queue"),
        _read("replay.slow", "replay", fewer, f"--delay={SINKS}", "--at-once=8"),
    ]


def _read(name: str, module: str, events: int, *options: str) -> Measurement:
    """A command or a replay; one that is not the main one of its module is measured once."""
    options = f"--events={events}", f"--json={name}", *options
    rounds = ROUNDS_OF_READERS if name == module else 1
    return Measurement(name, name, module, options, "reading", rounds, has_rows=True, package="benchmarks")


def _compressed(size: str) -> tuple[str, ...]:
    return size, "--no-kinesis", "--gzip"


def _growth(events: int) -> list[Measurement]:
    sizes = [*(events // part for part in SIZES), events * 10]
    return [
        Measurement(f"growth-{size}", f"{size:,} events", "drain", (f"--events={size}",), "growth", 1) for size in sizes
    ]


def _fill(rate: float, events: int) -> Measurement:
    """As many events again, in whole hours: a hundred pages of them, where there are a million."""
    hours = max(1, round(events / rate / HOUR))
    options = f"--events={round(hours * HOUR * rate)}", f"--hours={hours}", "--no-kinesis"
    return Measurement(f"fill-{rate:g}", f"{rate:g} events a second", "drain", options, "fill", 1)
