"""The proof: what Slack showed, what lies in S3 and what came through the stream, compared byte for byte.

It believes nothing but bytes. The archive's layout is documented; nothing of the collector's code is used.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

EXAMPLES = 3  # of what is wrong, in a message


@dataclass(frozen=True, slots=True)
class Evidence:
    """All bytes: each event as Slack sends it, every object under log/ and raw/, each record with its number."""

    served: Sequence[bytes]
    objects: Mapping[str, bytes]
    streamed: Counter[bytes]


@dataclass(frozen=True, slots=True)
class Check:
    """One claim: the figure that it is about, and what contradicts it."""

    claim: str
    figure: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The checks and the totals."""

    checks: tuple[Check, ...]
    served: int
    archived: int
    objects: int
    stored: int  # bytes in S3
    unpacked: int  # bytes of the events' lines
    streamed: int  # distinct
    repeats: int

    @property
    def proven(self) -> bool:
        """Is there something, and does nothing contradict?"""
        return self.served > 0 and not any(check.faults for check in self.checks)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of the log: its key, its bytes, and what they say."""

    key: str
    body: bytes
    says: dict[str, Any]


@dataclass(slots=True)
class _Archive:
    """The log and the batches that it names, as far as they can be read, and what is wrong with them."""

    log: list[_Entry] = field(default_factory=list)
    lines: Counter[bytes] = field(default_factory=Counter)
    named: set[str] = field(default_factory=set)
    damages: list[str] = field(default_factory=list)


def prove(evidence: Evidence) -> Proof:
    """Checks everything; never stops at the first thing that is wrong."""
    archive = _read(evidence.objects)
    served = Counter(evidence.served)
    raw = [key for key in evidence.objects if key.startswith("raw/")]
    return Proof(
        checks=(
            *_compare_archive(archive.lines, served),
            *_compare_stream(evidence.streamed, served),
            _log_is_gapless(archive.log),
            _log_is_sealed(archive.log),
            _objects_agree(archive, raw),
            _windows_follow(archive.log),
        ),
        served=served.total(),
        archived=archive.lines.total(),
        objects=len(raw),
        stored=sum(len(evidence.objects[key]) for key in raw),
        unpacked=sum((len(line) + 1) * count for line, count in archive.lines.items()),
        streamed=len(evidence.streamed),
        repeats=evidence.streamed.total() - len(evidence.streamed),
    )


def _read(objects: Mapping[str, bytes]) -> _Archive:
    archive = _Archive()
    for key in sorted(key for key in objects if key.startswith("log/")):
        try:
            archive.log.append(_Entry(key, objects[key], json.loads(objects[key])))
        except ValueError:
            archive.damages.append(f"{key} cannot be read")
    for entry in archive.log:
        key, events = entry.says["key"], entry.says["count"]
        if key is not None:
            archive.named.add(key)
            lines, damages = _open(entry.says, objects.get(key))
            archive.lines.update(lines)
            archive.damages += [f"{key} {damage}" for damage in damages]
        elif events:
            archive.damages.append(f"{entry.key} counts events, but names no object")
    return archive


def _open(entry: Mapping[str, Any], body: bytes | None) -> tuple[list[bytes], list[str]]:
    """The lines of an entry's object, and how it differs from what the entry says."""
    if body is None:
        return [], ["is missing"]
    damages = []
    if sha256(body).hexdigest() != entry["sha256"]:
        damages.append("has another SHA-256 than its log entry says")
    if len(body) != entry["bytes"]:
        damages.append(f"has {len(body)} bytes, not {entry['bytes']}")
    try:
        lines = gzip.decompress(body).removesuffix(b"\n").split(b"\n")
    except (OSError, EOFError, zlib.error) as error:
        return [], [*damages, f"cannot be unpacked ({error})"]
    if len(lines) != entry["count"]:
        damages.append(f"has {len(lines)} events, not {entry['count']}")
    return lines, damages


def _compare_archive(archived: Counter[bytes], served: Counter[bytes]) -> Iterator[Check]:
    missing = {_id(line): line for line in served if line not in archived}
    foreign = {_id(line): line for line in archived if line not in served}
    lost = [line for id_, line in missing.items() if id_ not in foreign]
    twice = [line for line, count in archived.items() if 1 <= served[line] < count]
    yield _check("no event was lost", lost, "is not in the archive", total=served.total())
    yield _check("none was archived twice", twice, "is in the archive more than once", total=archived.total())
    altered, invented = "was altered", "is in the archive, but Slack never showed it"
    faults = [f"{id_} {altered if id_ in missing else invented}" for id_ in foreign]
    yield Check("none was altered or made up", f"{archived.total():,} events", _some(faults))


def _compare_stream(streamed: Counter[bytes], served: Counter[bytes]) -> Iterator[Check]:
    missing = [line for line in served if line not in streamed]
    foreign = [line for line in streamed if line not in served]
    yield _check("every event is in the stream", missing, "is not in the stream", total=len(streamed))
    what = "is in the stream, but Slack never showed it"
    yield _check("nothing else is in the stream", foreign, what, total=len(streamed))


def _log_is_gapless(log: Sequence[_Entry]) -> Check:
    faults = [] if log else ["there is no log"]
    for number, entry in enumerate(log):
        if not entry.key.endswith(f"/{number:012}.json") or entry.says["number"] != number:
            faults.append(f"{entry.key} says number {entry.says['number']} and stands where {number} should")
    return Check("the log has no gap", f"{len(log):,} entries", _some(faults))


def _log_is_sealed(log: Sequence[_Entry]) -> Check:
    seals = [None, *(sha256(entry.body).hexdigest() for entry in log)]
    faults = [
        f"{entry.key} holds another digest of the entry before it"
        for entry, seal in zip(log, seals, strict=False)
        if entry.says["previous"] != seal
    ]
    return Check("each entry seals the one before it", f"{max(0, len(log) - 1):,} digests", _some(faults))


def _objects_agree(archive: _Archive, raw: Sequence[str]) -> Check:
    unnamed = [f"{key} is named by no log entry" for key in raw if key not in archive.named]
    faults = _some([*archive.damages, *unnamed])
    return Check("every object has its entry's SHA-256", f"{len(raw):,} objects", faults)


def _windows_follow(log: Sequence[_Entry]) -> Check:
    """Each pass reads every second once: a window starts where the one before it ended."""
    faults, windows = [], 0
    watermarks: dict[str, int] = {}
    for entry in log:
        window, name = entry.says["window"], entry.says["pass"]
        after = {name: state["watermark"] for name, state in entry.says["passes"].items()}
        if window is None:
            watermarks = after
            continue
        windows += 1
        if window["lo"] != watermarks.get(name, 0) + 1:
            faults.append(f"the window of {entry.key} does not follow the one before it")
        watermarks[name] = window["hi"]
        if after != watermarks:
            faults.append(f"{entry.key} says other watermarks than its window gives")
    return Check("no second was left out or read twice", f"{windows:,} windows", _some(faults))


def _check(claim: str, lines: Sequence[bytes], what: str, *, total: int) -> Check:
    return Check(claim, f"{total:,} events", _some([f"{_id(line)} {what}" for line in lines]))


def _some(faults: Sequence[str]) -> tuple[str, ...]:
    """A few of them, and how many more there are."""
    more = len(faults) - EXAMPLES
    return (*faults[:EXAMPLES], *([f"and {more:,} more"] if more > 0 else []))


def _id(line: bytes) -> str:
    """How to name an event in a message, even one that is no JSON."""
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError, TypeError):
        return repr(line[:40])
