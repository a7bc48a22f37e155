"""What of the recipe's events came where: byte for byte, once in the archive, at least once in the stream."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

import msgspec

from benchmarks.load.plan import START
from benchmarks.load.recipe import Recipe
from slack_audit.verify.evidence import Entry, entry_of, lines_of, log_prefix
from slack_audit.verify.vault import Vault

READ = 2_000  # records of one call
MOST = 255  # that is counted of one event


@dataclass
class Seen:
    """How often each event was met in one place: one byte for each, however many there are."""

    recipe: Recipe
    met: int = 0
    strange: list[bytes] = field(default_factory=list)
    times: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.times = bytearray(self.recipe.total)

    def note(self, raw: bytes) -> None:
        """One event as it was found. Strange is one that Slack never showed in these bytes."""
        place = self.recipe.place_of(raw)
        if place is None:
            self.strange.append(raw)
            return
        at = self.recipe.before[place[0] - START] + place[1]
        self.times[at] = min(self.times[at] + 1, MOST)
        self.met += 1

    @property
    def missing(self) -> int:
        """Events that were never met."""
        return self.times.count(0)

    @property
    def repeats(self) -> int:
        """How often one was met that had been met before."""
        return self.met - (len(self.times) - self.missing)


class _Record(msgspec.Struct):
    Data: bytes


class _Records(msgspec.Struct):
    Records: list[_Record]
    NextShardIterator: str


class Consumer:
    """Reads the stream from time to time, and has it made anew: the embedded AWS keeps all of it in memory."""

    def __init__(self, kinesis: Any, stream: str, shards: int, seen: Seen) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._shards = shards
        self.seen = seen

    def make(self) -> None:
        """An empty stream."""
        self._kinesis.create_stream(StreamName=self._stream, ShardCount=self._shards)

    def drain(self) -> None:
        """Everything that is in the stream by now. Nobody may be writing."""
        for shard in self._kinesis.list_shards(StreamName=self._stream)["Shards"]:
            where = {"StreamName": self._stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = self._kinesis.get_shard_iterator(**where)["ShardIterator"]
            while (reply := self._records(iterator)).Records:
                for record in reply.Records:
                    self.seen.note(record.Data)
                iterator = reply.NextShardIterator
        self._kinesis.delete_stream(StreamName=self._stream)
        self.make()

    def _records(self, iterator: str) -> _Records:
        """GetRecords, without what boto3 makes of millions of records."""
        asked = json.dumps({"ShardIterator": iterator, "Limit": READ}).encode()
        headers = {"X-Amz-Target": "Kinesis_20131202.GetRecords", "Content-Type": "application/x-amz-json-1.1"}
        with urlopen(Request(self._kinesis.meta.endpoint_url, asked, headers), timeout=60) as reply:
            return msgspec.json.decode(reply.read(), type=_Records)


def archived(vault: Vault, org: str, seen: Seen) -> None:
    """Notes every event of every batch that the log names."""
    entries = (entry_of(body or b"") for body in vault.get_many(vault.keys(log_prefix(org))))
    keys = (entry.proper_key for entry in entries if isinstance(entry, Entry) and entry.proper_key)
    for body in vault.get_many(keys):
        lines = lines_of(body or b"")
        if not isinstance(lines, list):
            seen.strange.append(body or b"")
            continue
        for line in lines:
            seen.note(line)
