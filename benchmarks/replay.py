"""How a replay's throughput grows with the items at once: `python -m benchmarks.replay`.

In one process: the real items of a real archive, each a turn of the real use case in a thread of its own, which a
semaphore bounds as MaxConcurrency does. The archive is in memory and answers each object after 20 ms, and the target
takes 50 ms for each call of up to 500 records, as S3 and a stream of enough shards do. So it shows what the map and
the items make of waiting, which is most of a replay, and not what one machine's processor can unpack.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from slack_audit.adapters.clock import LambdaClock
from slack_audit.batches import Record, SinkLimits
from slack_audit.deadline import Deadline
from slack_audit.replay import Progress, Replay
from slack_audit.replay_plan import Item, Plan, Stack, plan, request_of
from slack_audit.replay_report import Checking, compare, conclude
from tests.builders import DAY_START, raw_event
from tests.fakes import Archive, Faults, World
from tests.verify.archives import Memory

AT_ONCE = (1, 2, 4, 8)
OBJECT = 0.02  # seconds until an object of the archive is there
AHEAD = 16  # objects that are fetched at once, as the vault in S3 does


class Slow(Archive):
    """An archive in memory that takes its time, for one replay."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__(Faults())
        self.objects = dict(objects)

    def get(self, key: str) -> bytes | None:
        """After a while."""
        time.sleep(OBJECT)
        return self.objects.get(key)


class Ahead(Memory):
    """The same, read some objects ahead."""

    def __init__(self, store: Slow) -> None:
        super().__init__(store.objects)
        self._store = store

    def get_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """As the vault in S3 fetches them."""
        with ThreadPoolExecutor(AHEAD) as pool:
            yield from pool.map(self._store.get, keys)


class Target:
    """Takes every record, and so many seconds for each call."""

    limits = SinkLimits()

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def put(self, _records: Sequence[Record]) -> list[Record]:
        """All of them, after a while."""
        time.sleep(self._seconds)
        return []


def archive(events: int, entries: int) -> dict[str, bytes]:
    """What the collector makes of so many events, in about so many batches."""
    world = World(lookback_hours=24)
    world.clock.time = float(DAY_START + 86_400 - 60)
    seconds = 80_000
    each = max(1, events // seconds)
    step = seconds / (events / each)
    world.slack.page = max(1, events // entries)
    world.slack.add(
        raw_event(DAY_START + 3_000 + int(at * step), n) for at in range(events // each) for n in range(each)
    )
    world.until_done(runs=1_000)
    return dict(world.archive.objects)


def replayed(objects: dict[str, bytes], at_once: int, seconds_a_call: float) -> tuple[int, float]:
    """How many events went out, and in how many seconds, the plan and the report among them."""
    store, target = Slow(objects), Target(seconds_a_call)
    start = time.monotonic()
    request = request_of({"target": {"stream": "elsewhere"}}, Stack("archive", "live"))
    planned = plan(request, "main", "benchmark", store)
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda item: _item(planned, item, store, target), planned.items()))
    checked = compare(planned, Checking(), vault=Ahead(store), deadline=_deadline())
    report = conclude(planned, checked, store)
    return report.totals.sent, time.monotonic() - start


def _item(planned: Plan, item: Item, store: Slow, target: Target) -> None:
    replay = Replay(planned, vault=Ahead(store), archive=store, target=lambda _: target, deadline=_deadline())
    assert replay.go_on(Progress(done=False, item=item)).done


def _deadline() -> Deadline:
    return Deadline(LambdaClock(lambda: 900_000))


def main() -> None:
    """Prints a row for each number of items at once."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description="Throughput of a replay.")
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--entries", type=int, default=200)
    parser.add_argument("--call", type=float, default=0.05, help="seconds that a call to the target takes")
    asked = parser.parse_args()
    objects = archive(asked.events, asked.entries)
    print(f"| items at once | events a second | of {AT_ONCE[0]} |\n|---|---|---|")
    first = 0.0
    for at_once in AT_ONCE:
        sent, seconds = replayed(objects, at_once, asked.call)
        first = first or sent / seconds
        print(f"| {at_once} | {sent / seconds:,.0f} | {sent / seconds / first:.1f} times |", flush=True)


if __name__ == "__main__":
    main()
