"""How fast archived events are replayed: makes an archive, replays it to each kind of target, and prints the costs.

    python -m benchmarks.replay                                      200,000 events, 2 items at once, AWS at wire speed
    python -m benchmarks.replay --at-once 1 2 4 8 --delay 0.05       every answer of AWS takes 50 ms

It is the replay function's own handler that plans, carries out and reports, called as the state machine calls it. Items
at once are as many processes, as they are functions in AWS; here they share this machine's processors. The archive is
that of benchmarks.archive. It stands, as the targets do, in the AWS of benchmarks.performance, a process whose own work
is not counted. What the processes need to start, in AWS a cold start each, is not counted either.
"""

import argparse
import logging
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from typing import Any

from benchmarks.archive import batches_of, of_size, upload
from benchmarks.cost import Cost, asks_for_json, tell
from benchmarks.performance.measured import peak_mb, used
from benchmarks.performance.processes import started, told
from benchmarks.performance.stage import AWS, BUCKET, STREAM, Context, without_a_proxy

TARGETS: dict[str, dict[str, str]] = {
    "stream": {"stream": "elsewhere"},
    "bucket": {"bucket": "elsewhere", "prefix": "here/"},
    "queue": {"queue": "{aws}/000000000000/elsewhere"},
}
SERVICES = {"stream": "kinesis", "bucket": "s3", "queue": "sqs"}
SECONDS = 900.0  # of a run of the function
LONGEST_START = 120.0  # seconds of a process

type Event = dict[str, Any]


def main() -> None:
    """Reads the arguments, makes, replays, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batches", type=int, help="one for 500 events, if not said")
    parser.add_argument("--at-once", type=int, nargs="+", default=[2], metavar="N", help="items at once (2)")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each answer of AWS takes (0)")
    parser.add_argument("--target", choices=TARGETS, nargs="+", default=list(TARGETS))
    asks_for_json(parser)
    asked = parser.parse_args()
    without_a_proxy()
    folder = of_size(asked.events, asked.batches or batches_of(asked.events))
    with started("wire", "--delay", str(asked.delay)) as aws:
        os.environ.update({**AWS, "AWS_ENDPOINT_URL": aws, "ARCHIVE_BUCKET": BUCKET, "EVENT_STREAM": STREAM})
        os.environ["ORG"] = "main"
        upload(folder, BUCKET)
        tell(_costs(asked, aws), asked.json)


def _costs(asked: argparse.Namespace, aws: str) -> Iterator[Cost]:
    for at_once in asked.at_once:
        for name in asked.target:
            target = {key: value.format(aws=aws) for key, value in TARGETS[name].items()}
            before = told(f"{aws}/_wire/counts")["records"]
            waits = f", {asked.delay * 1_000:g} ms a call" if asked.delay else ""
            title = f"replay to a {name}, {at_once} at once{waits}"
            cost = _replayed(f"{name}-{at_once}", title, target, at_once)
            arrived = told(f"{aws}/_wire/counts")["records"] - before
            if cost.events != asked.events or (name != "bucket" and arrived != asked.events):
                raise SystemExit(f"{cost.events:,} events were sent and {arrived:,} arrived, of {asked.events:,}")
            yield cost


def _replayed(name: str, title: str, target: dict[str, str], at_once: int) -> Cost:
    """One replay, from its plan to its report."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(at_once + 1)
    of_all = {"org": "main", "replay_id": f"to-{name}"}
    service = SERVICES[next(iter(target))]
    with context.Pool(at_once, _start, (ready, service)) as pool:
        _make_ready(service)
        ready.wait(LONGEST_START)
        before = used()
        planned = _answer({**of_all, "action": "plan", "request": {"target": target, "concurrency": at_once}})
        done = pool.map(_item, [{**of_all, "item": it} for it in _items(planned)], chunksize=1)
        answer: Event = {"done": False}
        while not answer["done"]:
            answer = _answer({**of_all, "action": "report", **answer})
        cost = used().since(before)
    cpu = cost.cpu + sum(seconds for seconds, _ in done)
    return Cost(name, title, answer["totals"]["sent"], cost.wall, cpu, max(peak for _, peak in done))


def _items(planned: Event) -> list[Event]:
    import boto3  # noqa: PLC0415 - after the environment
    import msgspec  # noqa: PLC0415

    body = boto3.client("s3").get_object(Bucket=planned["bucket"], Key=planned["items"])["Body"].read()
    items: list[Event] = msgspec.json.decode(body)
    return items


def _start(ready: Barrier, service: str) -> None:
    """A process that carries out items."""
    _make_ready(service)
    ready.wait(LONGEST_START)


def _make_ready(service: str) -> None:
    """All is imported, and the clients are there."""
    _handler()
    from slack_audit.adapters.vault_s3 import CLIENT  # noqa: PLC0415 - after the environment
    from slack_audit.replaying import TARGET  # noqa: PLC0415
    from slack_audit.wiring import STORES, client  # noqa: PLC0415

    for name, config in (("s3", CLIENT), ("s3", STORES), (service, TARGET)):
        client(name, config)


def _item(event: Event) -> tuple[float, float]:
    """One item, turn after turn: seconds of the processor, and the most MB that its process held so far."""
    before = used()
    answer = {**event, "done": False}
    while not answer["done"]:
        answer = _answer({**event, **answer, "action": "replay"})
    return used().since(before).cpu, peak_mb()


def _answer(event: Event) -> Event:
    answer: Event = _handler()(event, Context(SECONDS))
    return answer


def _handler() -> Any:
    from replay.app import lambda_handler  # noqa: PLC0415 - it reads the environment

    logging.disable(logging.INFO)
    return lambda_handler


if __name__ == "__main__":
    main()
