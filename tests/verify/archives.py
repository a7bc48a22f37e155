"""Archives that the real collector made, and what somebody may have done to them."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from slack_audit.verify.evidence import Window as Stretch
from slack_audit.verify.evidence import batch_key, log_key
from slack_audit.verify.prove import Head, Proof, prove
from tests.builders import DAY_START, raw_event
from tests.fakes import World

type Json = dict[str, Any]


class Memory:
    """A vault that is a dictionary, and knows what was read."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = objects
        self.read: list[str] = []
        self.listed: list[str] = []

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        self.listed.append(prefix)
        return iter(sorted(key for key in self.objects if key.startswith(prefix) and key > after))

    def get(self, key: str) -> bytes | None:
        self.read.append(key)
        return self.objects.get(key)

    def get_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        return map(self.get, keys)


def proof_of(objects: Mapping[str, bytes], since: datetime | None = None, head: Head | None = None) -> Proof:
    return prove("main", Memory(objects), since=since, head=head)


def found(
    objects: Mapping[str, bytes], since: datetime | None = None, head: Head | None = None
) -> dict[str, list[str]]:
    """What is found, by kind: where and what."""
    kinds: dict[str, list[str]] = {}
    for finding in proof_of(objects, since, head).findings:
        kinds.setdefault(finding.kind.value, []).append(f"{finding.where}: {finding.what}")
    return kinds


def collected(minutes: int = 8, *, start: float = DAY_START - 1_800, events: int = 3) -> dict[str, bytes]:
    """What live runs made, from half an hour before midnight on: a backlog of an hour, then windows of a minute."""
    world = World()
    world.clock.time = start
    world.slack.add(raw_event(int(start) - 3_000 + at, n) for at in range(0, 2_900, 29) for n in range(events))
    world.until_done()
    for _ in range(minutes):
        world.next_minute()
        world.slack.add(raw_event(world.slack.now - 70, n) for n in range(events))
        world.until_done()
    return dict(world.archive.objects)


def pack(lines: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(b"".join(line + b"\n" for line in lines)) + packer.flush()


class Forge:
    """An archive whose entries and batches are changed at will, and sealed anew: a forger who knows the layout."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = dict(objects)
        self.entries: list[Json] = [json.loads(objects[key]) for key in sorted(objects) if key.startswith("log/")]

    def lines(self, number: int) -> list[bytes]:
        return zlib.decompress(self.objects[self.entries[number]["key"]], 31).split(b"\n")[:-1]

    def put(self, number: int, lines: list[bytes]) -> None:
        """Another batch for an entry, with everything that the entry says of it."""
        entry = self.entries[number]
        if entry["key"]:
            del self.objects[entry["key"]]
        body = pack(lines)
        entry |= {"sha256": sha256(body).hexdigest(), "bytes": len(body), "count": len(lines)}
        entry["key"] = batch_key("main", Stretch(**entry["window"]), entry["number"], entry["sha256"])
        self.objects[entry["key"]] = body

    def move(self, number: int, lo: int, hi: int) -> None:
        """Another window, with the key that follows from it and the same batch."""
        lines = self.lines(number) if self.entries[number]["key"] else None
        self.entries[number]["window"] = {"lo": lo, "hi": hi}
        if lines:
            self.put(number, lines)

    def append(self, name: str, lo: int | None = None, hi: int | None = None, lines: Iterable[bytes] = ()) -> Json:
        """One more entry that follows from the newest: a window of a pass, or a step without one."""
        before = self.entries[-1]
        window = None if lo is None else {"lo": lo, "hi": hi}
        blank = {"number": before["number"] + 1, "pass": name, "window": window, "calls": 0}
        blank |= {"key": None, "count": 0, "bytes": 0, "sha256": None}
        self.entries.append(json.loads(json.dumps(before)) | blank)
        if window is not None:
            self.entries[-1]["passes"][name]["watermark"] = hi
        if wanted := list(lines):
            self.put(-1, wanted)
        return self.entries[-1]

    def changed(self, place: int, /, **fields: Any) -> "Forge":
        self.entries[place] |= {name.rstrip("_"): value for name, value in fields.items()}
        return self

    def sealed(self) -> dict[str, bytes]:
        """The archive with a digest chain that holds."""
        objects = {key: body for key, body in self.objects.items() if not key.startswith("log/")}
        previous = None
        for place, entry in enumerate(self.entries):
            body = json.dumps({**entry, "previous": previous}, separators=(",", ":")).encode()
            objects[log_key("main", place)] = body
            previous = sha256(body).hexdigest()
        return objects


def altered(objects: Mapping[str, bytes], key: str, at: int, change: int = 1) -> dict[str, bytes]:
    """With one byte changed."""
    body = bytearray(objects[key])
    body[at] ^= change
    return {**objects, key: bytes(body)}
