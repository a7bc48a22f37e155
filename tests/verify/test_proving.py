"""What the collector made is proven, and its figures are told."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from slack_audit.batches import unpack
from slack_audit.events import event_of as collected_event_of
from slack_audit.verify.evidence import event_of
from slack_audit.verify.prove import Head, prove
from tests.builders import DAY_START, raw_event
from tests.fakes import World
from tests.verify.archives import Forge, Memory, collected, found, proof_of

OBJECTS = collected()


def test_what_the_collector_made_is_proven():
    proof = proof_of(OBJECTS)
    assert (proof.proven, proof.totals, proof.findings) == (True, {}, [])
    assert (proof.faults, proof.warnings) == (0, 0)


def test_the_figures_are_those_of_the_archive():
    coverage = proof_of(OBJECTS).coverage
    logs = {key: body for key, body in OBJECTS.items() if key.startswith("log/")}
    batches = {key: body for key, body in OBJECTS.items() if key.startswith("raw/")}
    lines = [event.raw for body in batches.values() for event in unpack(body)]
    assert (coverage.entries, coverage.objects) == (len(logs), len(batches))
    assert (coverage.stored, coverage.unpacked) == (sum(map(len, batches.values())), sum(len(it) + 1 for it in lines))
    assert (coverage.events, coverage.exempt, sum(coverage.days.values())) == (len(lines), 0, len(lines))
    assert coverage.calls == sum(json.loads(body)["calls"] for body in logs.values())


def test_each_pass_tells_what_it_read():
    entries = [json.loads(OBJECTS[key]) for key in sorted(OBJECTS) if key.startswith("log/")]
    live, *others = proof_of(OBJECTS).coverage.passes
    start = entries[0]["passes"]["live"]["watermark"] + 1
    assert (live.name, live.state, live.first, live.last) == ("live", "running", start, live.watermark)
    assert (live.seconds, live.gaps, live.windows) == (live.watermark - start + 1, 0, len(entries) - 1)
    assert [(it.name, it.first, it.windows) for it in others] == [("late", None, 0), ("final", None, 0)]


def test_the_lag_is_the_distance_to_the_newest_entry():
    coverage = proof_of(OBJECTS).coverage
    assert coverage.newest_time is not None
    assert coverage.lag("live") == coverage.newest_time.timestamp() - coverage.passes[0].watermark == 60
    assert coverage.lag("backfill-1-2") is None


def test_the_head_seals_everything_and_can_be_kept():
    proof = proof_of(OBJECTS)
    assert proof.head is not None
    assert found(OBJECTS, head=proof.head) == {}
    (other,) = found(OBJECTS, head=Head(proof.head.number, "0" * 64))["head"]
    assert "000000000009.json: has another digest" in other
    (gone,) = found(OBJECTS, head=Head(99, "0" * 64))["head"]
    assert "000000000099.json: is missing" in gone


def test_filters_and_versions_are_told_with_the_entry_they_hold_from():
    forge = Forge(OBJECTS)
    for number in range(4, 10):
        forge.changed(number, filters={"action": "user_login", "actor": "", "entity": ""}, version="0.2.0")
    told = [(it.entry, it.filters.action, it.version) for it in proof_of(forge.sealed()).coverage.in_force]
    assert told == [(0, "", "0.1.0"), (4, "user_login", "0.2.0")]


def test_odd_events_are_archived_as_they_came_and_proven():
    world = World()
    at = world.slack.now - 500
    odd = [
        raw_event(at, "same"),
        raw_event(at, ""),
        raw_event(at, 7, id=7),
        raw_event(at, 8, id=None),
        raw_event(at * 1_000, "milliseconds"),
        raw_event("yesterday", "text"),
        raw_event(0, "none"),
        rb'{"id":"\ud83d?","date_create":%d}' % at,
        rb'{"id":"plain","date_create":%d,"name":"\ud83d"}' % at,
        rb'{"id":"what?","date_create":%d,"name":"\ud83d"}' % at,
        rb'{"id":"back\\slash","date_create":%d,"name":"\\ud83d \ud83d"}' % at,
        b'{"id":"\xc3\xa9\xe2\x82\xac","date_create":%d}' % at,
        b"[]",
        b"7",
    ]
    for raw in odd:
        world.slack.show(raw, at)
    world.until_done()
    proof = proof_of(world.archive.objects)
    assert (proof.totals, proof.coverage.events, proof.coverage.exempt) == ({}, len(odd), 5)


@pytest.mark.parametrize(
    "line",
    [
        raw_event(DAY_START, 1),
        b'{"id":"a","id":"b","date_create":1519862399}',
        b'{"id":"a","date_create":99999999999}',
        b'{"id":"a","date_create":100000000000}',
        b'{"id":"a","date_create":true}',
        b'{"id":"a","date_create":1767225600.0}',
        b'{"id":"a","date_create":1e9}',
        b'{"id":"a","date_create":123456789012345678901234567890}',
        rb'{"id":"a?","date_create":1767225600,"x":"\ud800"}',
        rb'{"id":"\ud83d\ude00","date_create":1767225600,"x":"\ud800"}',
        rb'{"id":"\ud83d\ude00","date_create":1767225600}',
        rb'{"id":"a","date_create":1767225600,"x":"\\ud800 \ud800"}',
        rb'{"id":"a","date_create":"\ud800"}',
        b'{"id":"\xff","date_create":1767225600}',
        b'{"id":"a","date_create":1767225600',
        b"null",
        b"",
        b"[" * 5_000,
    ],
)
def test_reader_and_writer_agree_on_what_an_event_is(line):
    theirs, ours = collected_event_of(line), event_of(line)
    assert (ours.id, ours.second) == (theirs.id, theirs.date_create)


def test_a_backfill_is_followed_from_its_creation_to_its_end():
    forge = Forge(OBJECTS)
    name, start, end = f"backfill-{DAY_START - 10_000}-{DAY_START - 9_001}", DAY_START - 10_000, DAY_START - 9_001
    with_backfill(forge, name, start, end)
    forge.append(name, start, start + 499, [raw_event(start, n) for n in range(2)])
    forge.append(name)["passes"][name]["paused"] = True
    forge.append(name)["passes"][name]["paused"] = False
    forge.append(name, start + 500, end)
    del forge.append(name)["passes"][name]
    proof = proof_of(forge.sealed())
    assert proof.totals == {}
    read = proof.coverage.passes[-1]
    assert (read.name, read.state, read.first, read.last, read.events) == (name, "ended", start, end, 2)


def test_a_backfill_may_be_cancelled_and_made_again():
    forge = Forge(OBJECTS)
    name, start, end = f"backfill-{DAY_START - 10_000}-{DAY_START - 9_001}", DAY_START - 10_000, DAY_START - 9_001
    with_backfill(forge, name, start, end)
    forge.append(name, start, start + 99)
    del forge.append(name)["passes"][name]
    with_backfill(forge, name, start, end)
    proof = proof_of(forge.sealed())
    assert proof.totals == {}
    assert [(it.name, it.state, it.seconds) for it in proof.coverage.passes[3:]] == [
        (name, "cancelled", 100),
        (name, "running", 0),
    ]


def with_backfill(forge: Forge, name: str, start: int, end: int) -> None:
    state = {"watermark": start - 1, "end": end, "publish": False, "paused": False}
    forge.append(name)["passes"][name] = state


# ---- part of it ----


def minute(number: int) -> datetime:
    """The time of an entry."""
    return datetime.fromisoformat(json.loads(OBJECTS[f"log/org=main/{number:012}.json"])["time"])


def test_since_a_time_only_what_was_written_from_then_on_is_read():
    vault = Memory(OBJECTS)
    proof = prove("main", vault, since=minute(6))
    assert (proof.proven, proof.scope.first, proof.scope.last, proof.coverage.entries) == (True, 6, 9, 4)
    assert proof.scope.days == ["2025-12-31"]
    assert "log/org=main/000000000005.json" in vault.read
    assert vault.listed == ["log/org=main/", "raw/org=main/dt=2025-12-31/"]


def test_since_before_the_first_entry_is_the_whole_log():
    proof = proof_of(OBJECTS, since=minute(0) - timedelta(days=1))
    assert (proof.scope.first, proof.scope.last, proof.scope.days) == (0, 9, None)


def test_since_after_the_newest_entry_proves_nothing_and_says_so():
    proof = proof_of(OBJECTS, since=datetime(2030, 1, 1, tzinfo=UTC))
    assert (proof.proven, proof.head) == (False, None)
    assert proof.findings[0].kind == "silent"
    assert proof.findings[0].where == "log/org=main/000000000009.json"


def test_the_entry_before_the_scope_is_sealed_by_the_scope():
    objects = {**OBJECTS, "log/org=main/000000000005.json": OBJECTS["log/org=main/000000000005.json"] + b" "}
    assert list(found(objects, since=minute(6))) == ["chain"]
    assert found(objects, since=minute(7)) == {}


def test_a_repeat_of_an_event_from_before_the_scope_is_found():
    """A late pass reads the same seconds days later; what it brings again must be found by reading its neighbours."""
    forge = Forge(OBJECTS)
    start = forge.entries[0]["passes"]["late"]["watermark"] + 1
    again = forge.lines(1)[0]
    forge.append("late", start, start + 59, [raw_event(start + 1, "late"), again])
    forge.changed(-1, time="2026-01-02T00:00:00+00:00")
    proof = proof_of(forge.sealed(), since=datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert (proof.scope.first, proof.scope.neighbours) == (10, 1)
    assert proof.scope.consulted == sum(1 for key in OBJECTS if "dt=2025-12-31" in key)
    (repeat,) = [it for it in proof.findings if it.kind == "repeated"]
    assert repeat.where == f"event {json.loads(again)['id']}"
    assert repeat.what == "is archived by entry 1 and again by entry 10"


def test_an_orphan_of_an_entry_before_the_scope_is_found_by_reading_that_entry():
    orphan = next(key for key in OBJECTS if "-6-" in key).replace("-6-", "-3-")
    found_there = found({**OBJECTS, orphan: b"x"}, since=minute(6))
    assert list(found_there) == ["orphan"]
    assert "entry 3 names another batch" in found_there["orphan"][0]


def test_the_progress_is_told_by_entries():
    told: list[tuple[int, int]] = []
    prove("main", Memory(OBJECTS), progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 10) for number in range(1, 11)]


# ---- while the collector runs ----


class Moving(Memory):
    """A bucket that is being written to: its listing of the log is older than what is read of it."""

    def keys(self, prefix, after=""):
        return (key for key in super().keys(prefix, after) if key != "log/org=main/000000000009.json")


def test_what_is_committed_during_the_proof_is_no_orphan():
    proof = prove("main", Moving(OBJECTS))
    assert (proof.proven, proof.totals, proof.scope.last) == (True, {}, 8)


class Shrinking(Memory):
    """A bucket of which an entry goes away between its listing and its reading."""

    def get_many(self, keys):
        return (None if key.endswith("000000000004.json") else self.get(key) for key in keys)


def test_an_entry_that_goes_away_during_the_proof_is_a_gap():
    assert dict(prove("main", Shrinking(OBJECTS)).totals) == {"gap": 1, "orphan": 1}
