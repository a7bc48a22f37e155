"""What can be seen of the collector from outside, as values: its log, its stream, its checkpoint, its calls to Slack.

Everything is followed, not listed: each log entry and each record is fetched once.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from local.demo.stage import CALLS_PER_MINUTE, ORG, Stage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

MINUTE = 60  # seconds; also between two runs
LIVE = "live"  # the pass whose watermark says how far the collection is
MOST_RECORDS = 10_000  # in one answer of Kinesis
MOST_ENTRIES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the collector's log; without a window it opens the log or a pass."""

    number: int
    pass_name: str | None
    window: tuple[int, int] | None
    events: int
    size: int  # bytes of the object, 0 where the window had no new events
    watermark: int

    @classmethod
    def read(cls, body: bytes) -> Self:
        """From its JSON."""
        found: dict[str, Any] = json.loads(body)
        window = found["window"]
        return cls(
            number=found["number"],
            pass_name=found["pass"],
            window=None if window is None else (window["lo"], window["hi"]),
            events=found["count"],
            size=found["bytes"],
            watermark=found["passes"][LIVE]["watermark"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All figures of one moment. Times are seconds since 1970, by Slack's clock."""

    now: float
    shown: int = 0  # events that Slack shows
    entries: tuple[Entry, ...] = ()  # the newest of the log, newest first
    logged: int = 0  # entries of the log
    published: int = 0  # the first of them that is not in the stream in full
    archived: int = 0
    objects: int = 0
    stored: int = 0  # bytes
    streamed: int = 0  # distinct events
    repeats: int = 0
    drained: bool = False  # nothing was left to read in the stream
    calls: int = 0
    calls_last_minute: int = 0
    calls_allowed: int = CALLS_PER_MINUTE
    faults: int = 0  # calls that Slack answered badly
    running_since: float | None = None
    next_run: float | None = None

    @property
    def watermark(self) -> int | None:
        """All events up to this second are archived; None before the first run."""
        return self.entries[0].watermark if self.entries else None

    @property
    def lag(self) -> int | None:
        """Seconds between the watermark and Slack's clock."""
        return None if self.watermark is None else int(self.now) - self.watermark

    def has_settled(self, last_second: int) -> bool:
        """Is everything up to this second archived, marked as published, and the stream read to its end?"""
        if self.watermark is None or self.watermark < last_second:
            return False
        return self.published >= self.logged and self.drained


class LogFollower:
    """The log, followed by its numbers."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self.entries: list[Entry] = []

    def advance(self) -> None:
        """Reads what is new."""
        while (body := self._get(f"log/org={ORG}/{len(self.entries):012}.json")) is not None:
            self.entries.append(Entry.read(body))

    def _get(self, key: str) -> bytes | None:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None


class StreamFollower:
    """The stream's records, and how often each came."""

    def __init__(self, kinesis: "KinesisClient", stream: str) -> None:
        self._kinesis = kinesis
        self._iterators = {
            shard["ShardId"]: kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            for shard in kinesis.list_shards(StreamName=stream)["Shards"]
        }
        self.lines: Counter[bytes] = Counter()
        self.records = 0
        self.drained = False

    def advance(self) -> None:
        """Reads what is new, at most one answer of each shard."""
        self.drained = True
        for shard, iterator in list(self._iterators.items()):
            page = self._kinesis.get_records(ShardIterator=iterator, Limit=MOST_RECORDS)
            self.lines.update(record["Data"] for record in page["Records"])
            self.records += len(page["Records"])
            self.drained = self.drained and not page["Records"]
            if following := page.get("NextShardIterator"):
                self._iterators[shard] = following
            else:  # the shard was closed, and all of it was read
                del self._iterators[shard]


class Runs:
    """The runs, as the lease in the checkpoint shows them."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._owner: str | None = None
        self._started = 0.0
        self.published = 0
        self.running_since: float | None = None
        self.next = time.time() + MINUTE

    def advance(self) -> None:
        """Looks at the checkpoint."""
        item: Mapping[str, Any] = self._dynamodb.get_item(TableName=self._table, Key={"org": {"S": ORG}}).get(
            "Item", {}
        )
        self.published = int(item.get("published", {}).get("N", 0))
        owner = item.get("owner", {}).get("S")
        if owner is not None and owner != self._owner:
            self._owner, self._started = owner, time.time()
            self.next = self._started + MINUTE
        self.running_since = self._started if owner is not None else None


class Watcher:
    """Looks at everything, again and again."""

    def __init__(self, stage: Stage) -> None:
        aws, outputs = stage.aws, stage.outputs
        self._slack = stage.slack
        self._runs = Runs(aws.client("dynamodb"), outputs["CheckpointTableName"])
        self._log = LogFollower(aws.client("s3"), outputs["ArchiveBucketName"])
        self.stream = StreamFollower(aws.client("kinesis"), outputs["EventStreamName"])

    def look(self) -> Snapshot:
        """What there is now. The checkpoint first, the stream last: what counts as published has been read then."""
        self._runs.advance()
        self._log.advance()
        self.stream.advance()
        status, calls, entries = self._slack.status(), self._slack.calls(), self._log.entries
        return Snapshot(
            now=status["slack_time"],
            shown=status["visible_events"],
            entries=tuple(reversed(entries[-MOST_ENTRIES_SHOWN:])),
            logged=len(entries),
            published=self._runs.published,
            archived=sum(entry.events for entry in entries),
            objects=sum(entry.size > 0 for entry in entries),
            stored=sum(entry.size for entry in entries),
            streamed=len(self.stream.lines),
            repeats=self.stream.records - len(self.stream.lines),
            drained=self.stream.drained,
            calls=len(calls),
            calls_last_minute=sum(call.time > status["slack_time"] - MINUTE for call in calls),
            faults=status["faults_spoiled"],
            running_since=self._runs.running_since,
            next_run=self._runs.next,
        )
