"""Writes what this version leaves in S3 and DynamoDB, in the states that an update may find.

    python -m tests.upgrade.record              into tests/upgrade/<this version>/, at every release
    python -m tests.upgrade.record --into PATH  somewhere else

Made by the real use cases and the real adapter of the table, over an invented history and a clock moved by hand, so
the same code always writes the same files. README.md tells how an older version's were made with its own code: this
file uses nothing but what every version since 0.1.0 has.
"""

import argparse
import base64
import json
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from slack_audit import __version__
from slack_audit.adapters.dynamodb import DynamoDBCheckpoints
from slack_audit.errors import RateLimitedError
from slack_audit.parts import Parts
from tests import builders
from tests.builders import raw_event
from tests.fakes import Faults, KilledError, World

HERE = Path(__file__).resolve().parent
LAGS = getattr(builders, "ALL_LAGS", {"live": 60})  # 0.1.0 has the live pass only

type Item = dict[str, Any]


class Table:
    """The one item of a table as DynamoDB gives it, behind the two calls that the collector makes."""

    def __init__(self, faults: Faults, item: Item | None = None) -> None:
        self.item: Item = item or {}
        self._faults = faults

    def update_item(self, **call: Any) -> dict[str, Item]:
        """Takes the lease, if it is free, has expired or is this run's already."""
        self._faults.before("checkpoints.acquire")
        new = call["ExpressionAttributeValues"]
        ours = self.item.get("owner", new[":owner"]) == new[":owner"]
        if not ours and self.lease_until >= int(new[":now"]["N"]):
            raise _refused("UpdateItem")
        before = dict(self.item)
        self.item = {**call["Key"], **self.item, "owner": new[":owner"], "lease_until": new[":until"]}
        self._faults.after()
        return {"Attributes": dict(self.item) if call["ReturnValues"] == "ALL_NEW" else before}

    def put_item(self, **call: Any) -> dict[str, Any]:
        """Replaces the item, if the lease is this run's."""
        self._faults.before("checkpoints.save")
        if self.item.get("owner") != call["ExpressionAttributeValues"][":owner"]:
            raise _refused("PutItem")
        self.item = dict(call["Item"])
        self._faults.after()
        return {}

    @property
    def lease_until(self) -> int:
        """Epoch seconds; 0 where nobody holds it."""
        return int(self.item["lease_until"]["N"]) if "owner" in self.item else 0


def _refused(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": "refused"}}, operation)


class Deployment(World):
    """One deployment whose table is written by the real adapter."""

    def __init__(self, **policy: object) -> None:
        super().__init__(**{"lags": LAGS, "version": __version__, **policy})
        self.dynamodb = Table(self.faults)
        self.began = self.slack.now

    def parts(self) -> Parts:
        """Of the next run."""
        client: Any = self.dynamodb
        checkpoints = DynamoDBCheckpoints(client, "checkpoints", "main")
        return msgspec.structs.replace(super().parts(), checkpoints=checkpoints)

    def happen(self, name: str, count: int = 3) -> None:
        """Events of a few seconds that live may read by now."""
        self.slack.add(raw_event(self.slack.now - 90 + number, f"{name}.{number}") for number in range(count))

    def minutes(self, count: int) -> None:
        """Runs that end well, each with something to archive."""
        for number in range(count):
            self.happen(f"minute{self.runs}.{number}")
            self.run()
            self.next_minute()

    def killed_at(self, call: str, number: int) -> None:
        """A run that is killed just before its so-manieth call of this name, and keeps its lease."""

        def kill() -> None:
            self.faults.dead = True
            raise KilledError

        self.faults.at[call, self.faults.counts[call] + number] = kill
        try:
            self.run()
        except KilledError:
            self.faults.dead = False
            self.faults.at.clear()
            self.clock.time += 10
            return
        raise AssertionError(f"{call} was not called {number} times")


# ---- the states ----


def genesis() -> Deployment:
    """After the very first run: nothing was due."""
    world = Deployment(lookback_hours=0)
    world.run()
    return world


def steady() -> Deployment:
    """After some minutes, everything done and given back."""
    world = Deployment()
    world.minutes(4)
    return world


def reading() -> Deployment:
    """Killed while it read: the lease was not given back."""
    world = Deployment()
    world.minutes(2)
    world.happen("lost")
    world.killed_at("slack.read", 1)
    return world


def plan_saved() -> Deployment:
    """Killed with the plan saved and its batch not written."""
    world = Deployment()
    world.minutes(2)
    world.happen("planned")
    world.killed_at("archive.put_new", 1)
    return world


def batch_written() -> Deployment:
    """Killed with plan and batch written and no log entry yet: the next run must commit them."""
    world = Deployment()
    world.minutes(2)
    world.happen("written")
    world.killed_at("archive.put_new", 2)
    return world


def entry_written() -> Deployment:
    """Killed with a log entry that the table does not know."""
    world = Deployment()
    world.minutes(2)
    world.happen("committed")
    world.killed_at("stream.put", 1)
    return world


def publish_backlog() -> Deployment:
    """The stream took a part of one entry and then nothing for some runs."""
    world = Deployment()
    world.minutes(2)
    world.stream.refuse = lambda records: list(records[1:])
    world.happen("part")
    world.killed_at("stream.put", 2)
    world.stream.refuse = list
    world.clock.time = world.dynamodb.lease_until + 1
    world.minutes(3)
    return world


def rate_limited() -> Deployment:
    """Slack's clock runs ahead of ours, and Slack has just said to wait for ten minutes."""
    world = Deployment()
    world.slack.offset = 7
    world.minutes(3)
    limited = RateLimitedError("wait", retry_after=600, slack_time=world.slack.now)
    world.faults.fail("slack.read", world.faults.counts["slack.read"] + 1, limited)
    world.happen("waiting")
    world.run()
    world.faults.at.clear()
    return world


def crowded() -> Deployment:
    """Cut answers made the spans short."""
    world = Deployment()
    world.slack.page = 8
    world.slack.add(raw_event(world.slack.now - 600 + second, "crowd") for second in range(0, 60, 3))
    world.minutes(2)
    return world


def late_found() -> Deployment:
    """The late pass has found what Slack showed late, and Slack shows more of it to the final pass."""
    world = Deployment()
    second = world.slack.now - 120
    world.slack.add([raw_event(second, "late")], visible_at=second + 400)
    world.slack.add([raw_event(second, "very late")], visible_at=second + 2_000)
    world.minutes(2)
    world.next_minute(12)
    world.minutes(1)
    return world


def backfills() -> Deployment:
    """One backfill is paused in the middle; another one, which is published, is under way."""
    world = Deployment(calls_per_minute=3)
    world.minutes(2)
    day = 86_400
    start = world.began - 3 * day
    world.slack.add(raw_event(start + number * 9_000, "old") for number in range(20))
    world.order(from_=start, to=start + day, publish=False)
    world.order(from_=start + day // 2, to=start + 2 * day, publish=True)
    world.minutes(2)
    world.order(pause=f"backfill-{start}-{start + day}")
    world.minutes(1)
    return world


STATES: dict[str, Callable[[], Deployment]] = {
    made.__name__: made
    for made in (
        genesis,
        steady,
        reading,
        plan_saved,
        batch_written,
        entry_written,
        publish_backlog,
        rate_limited,
        crowded,
        *((late_found, backfills) if "late" in LAGS else ()),
    )
}


# ---- the files ----


def write(world: Deployment, folder: Path) -> None:
    """`bucket/`; `item.json`; `slack.ndjson`, what Slack shows and from when on; `world.json`, the rest."""
    folder.mkdir(parents=True)
    for key, body in world.archive.objects.items():
        path = folder / "bucket" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    shown = (json.dumps({"visible_at": at, "event": raw.decode()}) for _, raw, at in world.slack.events)
    (folder / "slack.ndjson").write_text("".join(line + "\n" for line in shown))
    streamed = [json.loads(line)["id"] for line in world.stream.lines]
    known = {"version": __version__, "now": world.clock.time, "slack_ahead": world.slack.offset, "streamed": streamed}
    _dump(folder / "item.json", _printable(world.dynamodb.item))
    _dump(folder / "world.json", known)


def _printable(item: Mapping[str, Any]) -> Any:
    """As `aws dynamodb get-item` prints it: binary values in base64."""
    if isinstance(item, Mapping):
        return {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else _printable(value)
            for name, value in sorted(item.items())
        }
    return [_printable(value) for value in item] if isinstance(item, list) else item


def _dump(path: Path, values: Mapping[str, Any]) -> None:
    """JSON with a line for each name."""
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def record(folder: Path) -> None:
    """All states of this version, in a folder of its own; one that is there is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, make in STATES.items():
        random.seed(name)  # of the publisher's back-off
        write(make(), folder / name)


def main() -> None:
    """Reads the argument, and records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=HERE / __version__)
    record(parser.parse_args().into)


if __name__ == "__main__":
    main()
