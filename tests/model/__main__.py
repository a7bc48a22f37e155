"""Explores more histories than the tests do.

    python -m tests.model --seeds 50000                 on all processors, every third seed with faults of the table
    python -m tests.model --first 4711 --seeds 1        one seed, for instance one that failed
    python -m tests.model --seeds 5000 --table          faults of the table in every seed

Prints how far it is, and every seed that breaks an invariant, with its trace: time, run, call, fate, arguments.
Exit code 1 if there was one.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from itertools import batched

from tests.model.explore import explore
from tests.model.words import ViolationError

PORTION = 50  # seeds
Portion = tuple[tuple[int, bool], ...]  # seed, with faults of the table
Failure = tuple[int, str, list[str]]  # seed, violation, trace


def explore_portion(portion: Portion) -> list[Failure]:
    """Those of the seeds that break an invariant."""
    failures = []
    for seed, table in portion:
        try:
            explore(seed, table=table)
        except ViolationError as violation:
            failures.append((seed, str(violation), trace_of(seed, table=table)))
    return failures


def trace_of(seed: int, *, table: bool) -> list[str]:
    trace: list[str] = []
    with suppress(ViolationError):
        explore(seed, table=table, trace=trace)
    return trace


def portions(first: int, count: int, *, table: bool) -> Iterator[Portion]:
    return batched(((seed, table or seed % 3 == 0) for seed in range(first, first + count)), PORTION, strict=False)


def found(wanted: Iterable[Portion], processes: int) -> Iterator[list[Failure]]:
    if processes == 1:
        yield from map(explore_portion, wanted)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(explore_portion, wanted)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="Explores the model of the protocol.")
    parser.add_argument("--seeds", type=int, default=3_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--table", action="store_true", help="with faults of the table in every seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="how many work at once")
    given = parser.parse_args(arguments)
    wanted = portions(given.first, given.seeds, table=given.table)
    started, done, broken = time.monotonic(), 0, 0
    for failures in found(wanted, given.processes):
        done = min(given.seeds, done + PORTION)
        broken += len(failures)
        for seed, violation, trace in failures:
            sys.stdout.write("\n".join(["", *trace, f"seed {seed}: {violation}", ""]))
        sys.stdout.write(f"\r{done} of {given.seeds} seeds, {broken} broken, {time.monotonic() - started:.0f} s")
        sys.stdout.flush()
    sys.stdout.write("\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
