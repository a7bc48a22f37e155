"""What must be true of an archive and a stream, checked from their bytes alone and without the collector's code."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Committed:
    """What one entry of the log brought into the archive, and whether the stream must have it."""

    number: int
    lines: list[bytes]
    publish: bool


def committed(objects: Mapping[str, bytes]) -> list[Committed]:
    """What every entry committed; fails unless objects, log and windows agree."""
    found: list[Committed] = []
    passes: dict[str, Any] = {}
    named: set[str] = set()
    for entry in log_of(objects):
        before, passes = passes, entry["passes"]
        if entry["window"] is None:
            _check_order(entry, before)
            continue
        _check_window(entry, before)
        found.append(Committed(entry["number"], _lines_of(objects, entry, named), before[entry["pass"]]["publish"]))
    orphans = {key for key in objects if key.startswith("raw/")} - named
    assert not orphans, f"no log entry names {orphans}"
    return found


def archived(objects: Mapping[str, bytes]) -> list[bytes]:
    """Every archived line in the log's order."""
    return [line for entry in committed(objects) for line in entry.lines]


def _check_window(entry: dict[str, Any], before: dict[str, Any]) -> None:
    """A window follows its pass's watermark, and moves it and nothing else."""
    lo, hi, state = entry["window"]["lo"], entry["window"]["hi"], before[entry["pass"]]
    assert lo == state["watermark"] + 1, f"a gap or an overlap before {entry['number']}"
    assert lo // 86_400 == hi // 86_400, "a window crosses midnight"
    assert not state["paused"], f"{entry['pass']} is paused"
    assert state["end"] is None or hi <= state["end"], f"{entry['pass']} went past its end"
    assert entry["passes"] == {**before, entry["pass"]: {**state, "watermark": hi}}


def _check_order(entry: dict[str, Any], before: dict[str, Any]) -> None:
    """The genesis starts the standing passes; another entry without a window starts, changes or ends one backfill."""
    name, after = entry["pass"], entry["passes"]
    assert (entry["key"], entry["count"], entry["bytes"], entry["sha256"]) == (None, 0, 0, None)
    if entry["number"] == 0:
        assert name is None
        assert len({state["watermark"] for state in after.values()}) == 1, "the passes start at different seconds"
        return
    assert name not in {None, "live", "late", "final"}
    assert {**after, name: None} == {**before, name: None}, f"entry {entry['number']} touches other passes than {name}"
    assert name in {*after, *before}, f"entry {entry['number']} ends what there is not"
    if name in after and name in before:
        assert after[name] == {**before[name], "paused": not before[name]["paused"]}


def covered(objects: Mapping[str, bytes], *, kinds: Sequence[str]) -> list[tuple[int, int]]:
    """The stretches of seconds, both ends inclusive, that passes whose names begin so have read."""
    return [
        (entry["window"]["lo"], entry["window"]["hi"])
        for entry in log_of(objects)
        if entry["window"] is not None and entry["pass"].startswith(tuple(kinds))
    ]


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
    """Served and archived are the same events, byte for byte, each once; streamed are those that were to be."""
    found = committed(objects)
    lines = [line for entry in found for line in entry.lines]
    assert sorted(lines) == sorted(served), _difference(lines, served)
    to_stream = [line for entry in found if entry.publish for line in entry.lines]
    assert set(streamed) == set(to_stream), _difference(list(set(streamed)), to_stream)


def prove_so_far(objects: Mapping[str, bytes], streamed: Sequence[bytes], published: int) -> None:
    """What holds at any time: no id twice in the archive, and below the mark everything was accepted by the stream."""
    found = committed(objects)
    ids = Counter(json.loads(line)["id"] for entry in found for line in entry.lines)
    assert not ids or max(ids.values()) == 1, f"archived twice: {[name for name, times in ids.items() if times > 1]}"
    mark = max([published, *(entry["published"] for entry in log_of(objects)[-1:])])
    accepted = set(streamed)
    for entry in found:
        if entry.number < mark and entry.publish:
            assert accepted.issuperset(entry.lines), (
                f"the mark {mark} is past {entry.number}, which is not in the stream"
            )


def _difference(there: Sequence[bytes], wanted: Sequence[bytes]) -> str:
    missing, extra = sorted(set(wanted) - set(there)), sorted(set(there) - set(wanted))
    said = f"{len(missing)} missing, {len(extra)} not wanted, {len(there) - len(set(there))} repeated"
    return f"{said}; the first ones: {[*missing[:2], *extra[:2]]}"
