"""What was to be reached, and whether it was, by what was measured."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.performance.figures import Figure
from benchmarks.performance.plan import QUEUE, READERS, SMALL

PEERS = ("dlt", "airbyte")
TIMES_A_PEER = 10.0
TIMES_THE_LOOP = 1.5
MOST_MB = 160.0
LEAST_SHARE = 0.95
LEAST_FILL = 0.85
TIMES_AN_EMPTY_FUNCTION = 1.3
MOST_OF_A_RUN = 0.060  # CPU seconds
PASSES = 3  # that are due in each of the steady runs
MOST_AWS_CALLS, MOST_SLACK_CALLS = 5, 1  # of a run with nothing new, for each pass that is due
MOST_GROWN = 1.1  # times the memory, for twice the events
FLAT = {"verify", "search", "report", "replay"}  # sql takes what DuckDB may have, and then its disk
A_MINUTE = 1_000_000  # events
AWS = ("s3", "dynamodb", "kinesis", "secretsmanager")


class Goal(NamedTuple):
    """One line: what, how much of it was wanted, and how much there is."""

    what: str
    wanted: str
    found: str
    is_met: bool


def goals(figures: Mapping[str, Figure]) -> list[Goal]:
    """Those that something was measured for."""
    kinds = (_against_peers, _against_the_loop, _memory, _of_slack, _cold, _steady, _reading)
    return [goal for kind in kinds for goal in kind(figures)]


def _against_peers(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    peers = [figures[name] for name in PEERS if name in figures]
    if peers and "drain" in figures:
        fastest = max(peers, key=lambda it: it.per_second)
        times = figures["drain"].per_second / fastest.per_second
        said = f"CPU efficiency, of the fastest peer's ({fastest.name})"
        yield Goal(said, f"at least {TIMES_A_PEER:g} times", f"{times:.1f} times", times >= TIMES_A_PEER)


def _against_the_loop(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    times = figures["drain"].times if "drain" in figures else None
    if times is not None:
        said = "CPU, of the bare loop's that fetches, compresses and puts"
        yield Goal(said, f"at most {TIMES_THE_LOOP:g} times", f"{times:.2f} times", times <= TIMES_THE_LOOP)


def _memory(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    drains = [it for name, it in figures.items() if name.startswith(("drain", "growth")) or name == "paced"]
    if drains:
        worst = max(drains, key=lambda it: it.peak_mb)
        said = f"peak memory at full pages, the most of all drains ({worst.name})"
        yield Goal(said, f"at most {MOST_MB:g} MB", f"{worst.peak_mb:.0f} MB", worst.peak_mb <= MOST_MB)


def _of_slack(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    if "paced" in figures:
        share = figures["paced"].told["share"]
        yield Goal(
            "call budget used, in real time", f"at least {LEAST_SHARE:.0%}", f"{share:.1%}", share >= LEAST_SHARE
        )
    fills = [it for name, it in figures.items() if name.startswith("fill-")]
    if fills:
        least = min(fills, key=lambda it: it.told["fill"])
        fill = least.told["fill"]
        said = f"Slack's page filled on a steady history, the least of all rates ({least.name})"
        yield Goal(said, f"at least {LEAST_FILL:g}", f"{fill:.3f}", fill >= LEAST_FILL)


def _cold(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    if {"cold-collect", "cold-empty"} <= figures.keys():
        times = figures["cold-collect"].cpu / figures["cold-empty"].cpu
        wanted = f"at most {TIMES_AN_EMPTY_FUNCTION:g} times"
        yield Goal(
            "cold start, of that of an empty function with boto3",
            wanted,
            f"{times:.2f} times",
            times <= TIMES_AN_EMPTY_FUNCTION,
        )


def _steady(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    if "steady-0" not in figures:
        return
    run = figures["steady-0"]
    aws, slack = sum(run.calls.get(name, 0) for name in AWS) / PASSES, run.calls["slack"] / PASSES
    wanted = f"at most {MOST_OF_A_RUN * 1e3:g} ms"
    yield Goal("CPU of a warm run with nothing new", wanted, f"{run.cpu * 1e3:.1f} ms", run.cpu <= MOST_OF_A_RUN)
    yield Goal(
        "its calls to AWS and to Slack, for each pass that is due",
        f"at most {MOST_AWS_CALLS} and {MOST_SLACK_CALLS}",
        f"{aws:.2f} and {slack:.2f}",
        aws <= MOST_AWS_CALLS and slack <= MOST_SLACK_CALLS,
    )


def _reading(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    """Of each that reads an archive, the slowest of what it was measured at, and what grew most."""
    for reader in READERS:
        found = [it for name, it in figures.items() if name.startswith((f"{reader}-", f"{reader}{QUEUE}-"))]
        if not found:
            continue
        slowest = min(found, key=lambda it: it.a_minute)
        said = f"events a minute, the fewest of {reader} ({slowest.name})"
        yield Goal(said, f"at least {A_MINUTE:,}", f"{slowest.a_minute:,.0f}", slowest.a_minute >= A_MINUTE)
        grown = {it.name: times for it in found if (times := times_the_small(it, figures)) is not None}
        if grown and reader in FLAT:
            most = max(grown, key=lambda name: grown[name])
            said = f"memory for twice the events, the most of {reader} ({most})"
            yield Goal(said, f"at most {MOST_GROWN:g} times", f"{grown[most]:.2f} times", grown[most] <= MOST_GROWN)


def times_the_small(figure: Figure, figures: Mapping[str, Figure]) -> float | None:
    """How many times the memory it takes that half of the events took, if that was measured."""
    reader, _, row = figure.name.partition("-")
    small = figures.get(f"{reader}{SMALL}-{row}")
    return figure.peak_mb / small.peak_mb if small else None
