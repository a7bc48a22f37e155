"""What must be true of an archive and a stream, checked from their bytes alone and without the collector's code."""

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def log_of(objects: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The log's entries; fails unless they are numbered without a gap and each seals the one before."""
    keys = sorted(key for key in objects if key.startswith("log/"))
    entries, previous = [], None
    for number, key in enumerate(keys):
        assert key.endswith(f"/{number:012}.json"), f"the log has a gap before {key}"
        entry = json.loads(objects[key])
        assert entry["number"] == number
        assert entry["previous"] == previous, f"{key} does not follow the entry before it"
        previous = digest(objects[key])
        entries.append(entry)
    return entries


def archived(objects: Mapping[str, bytes]) -> list[bytes]:
    """Every archived line in the log's order; fails unless objects, log and windows agree."""
    return [line for lines in archived_by_entry(objects) for line in lines]


def archived_by_entry(objects: Mapping[str, bytes]) -> list[list[bytes]]:
    """The archived lines of every entry but the genesis; fails unless objects, log and windows agree."""
    lines: list[list[bytes]] = []
    watermark: dict[str, int] = {}
    named: set[str] = set()
    for entry in log_of(objects):
        if entry["window"] is None:
            watermark = _without_a_window(entry, watermark)
            continue
        lo, hi = entry["window"]["lo"], entry["window"]["hi"]
        assert lo == watermark[entry["pass"]] + 1, f"a gap or an overlap before {entry['number']}"
        assert lo // 86_400 == hi // 86_400, "a window crosses midnight"
        watermark[entry["pass"]] = hi
        assert {name: state["watermark"] for name, state in entry["passes"].items()} == watermark
        lines.append(_lines_of(objects, entry, named))
    orphans = {key for key in objects if key.startswith("raw/")} - named
    assert not orphans, f"no log entry names {orphans}"
    return lines


def _without_a_window(entry: dict[str, Any], before: dict[str, int]) -> dict[str, int]:
    """The watermarks after the genesis, or after a backfill was started, changed, cancelled or ended."""
    after = {name: int(state["watermark"]) for name, state in entry["passes"].items()}
    assert (entry["key"], entry["count"], entry["bytes"], entry["sha256"]) == (None, 0, 0, None)
    if entry["number"] == 0:
        return after
    name = entry["pass"]
    assert name not in {"live", "late", "final"}
    assert {**before, **after} == {**after, **before}, "a watermark moved without a window"
    assert set(before) ^ set(after) <= {name}, "another pass than the entry's came or went"
    return after


def _lines_of(objects: Mapping[str, bytes], entry: dict[str, Any], named: set[str]) -> list[bytes]:
    if entry["key"] is None:
        assert (entry["count"], entry["bytes"], entry["sha256"]) == (0, 0, None)
        return []
    body = objects[entry["key"]]
    named.add(entry["key"])
    assert digest(body) == entry["sha256"]
    assert entry["sha256"][:12] in entry["key"]
    assert len(body) == entry["bytes"]
    lines = gzip.decompress(body).split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == entry["count"] > 0
    return lines


def prove(objects: Mapping[str, bytes], streamed: Sequence[bytes], served: Sequence[bytes]) -> None:
    """Served, archived and streamed are the same events, byte for byte; the archive holds each once."""
    lines = archived(objects)
    assert sorted(lines) == sorted(served), _difference(lines, served)
    assert set(streamed) == set(served), _difference(list(set(streamed)), served)


def _difference(there: Sequence[bytes], wanted: Sequence[bytes]) -> str:
    missing, extra = set(wanted) - set(there), set(there) - set(wanted)
    return f"{len(missing)} missing, {len(extra)} not wanted, {len(there) - len(set(there))} repeated"
