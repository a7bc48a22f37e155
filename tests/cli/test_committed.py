"""The archive's events: only those that the log commits, whole, and in the order of their time."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slack_audit.errors import ArchiveDamagedError, SelectionError
from slack_audit.selection import Selection, selection_of
from slack_audit.verify.vault import Vault
from slack_audit_cli.committed import Tally, batches, events
from tests.builders import DAY_START, raw_event
from tests.cli.archives import archive_of
from tests.verify.archives import Forge, Memory, collected, pack

DAY = 86_400
T = DAY_START
OBJECTS = collected()
RAW = sorted(key for key in OBJECTS if key.startswith("raw/"))


def ids(objects: dict[str, bytes], selection: Selection = Selection()) -> list[str]:  # noqa: B008 - it is frozen
    return [found.event.id for found in events("main", Memory(objects), selection)]


def lines(*seconds: object) -> list[bytes]:
    return [raw_event(second) for second in seconds]


def test_all_events_of_an_archive_come_in_the_order_of_their_time():
    found = list(events("main", Memory(OBJECTS), Selection()))
    assert len(found) == 324
    assert [it.event.date_create for it in found] == sorted(it.event.date_create or 0 for it in found)


def test_windows_and_passes_that_overlap_are_merged():
    objects = archive_of(
        ("live", T, T + 59, lines(T + 1, T + 50)),
        ("live", T + 60, T + 119, lines(T + 61, T + 100)),
        ("late", T, T + 119, lines(T + 2, T + 60, T + 101)),
        ("final", T + 50, T + 70, lines(T + 51)),
        ("backfill-1-2", T - 100, T - 1, lines(T - 90)),
    )
    expected = [f"{second}-0" for second in (T - 90, T + 1, T + 2, T + 50, T + 51, T + 60, T + 61, T + 100, T + 101)]
    assert ids(objects) == expected


def test_where_each_one_stands_is_told():
    objects = archive_of(("live", T, T + 59, lines(T + 1, T + 50)), ("late", T, T + 59, lines(T + 2)))
    found = list(events("main", Memory(objects), Selection()))
    assert [(it.entry.number, it.line, it.place - T) for it in found] == [(1, 1, 1), (2, 1, 2), (1, 2, 50)]


def test_one_without_a_usable_second_comes_at_the_start_of_its_window():
    objects = archive_of(("live", T, T + 59, lines(None, T)), ("live", T + 60, T + 119, lines("soon", T + 60)))
    assert ids(objects, Selection(since=T + 60)) == [f"{T + 60}-0", "soon-0"]
    assert ids(objects) == [f"{T}-0", "None-0", f"{T + 60}-0", "soon-0"]


# ---- only what the log commits ----


@pytest.mark.parametrize("number", [1, 0, 99, 10**12])
def test_an_orphan_is_never_shown(number):
    """Whatever number it has: one of another batch, of the genesis, one that is not there yet, one that no log has."""
    objects = archive_of(("live", T, T + 59, lines(T + 1)))
    body = pack(lines(T + 2))
    objects[f"raw/org=main/dt=2026-01-01/{T}-{T + 59}-{number}-{sha256(body).hexdigest()[:12]}.ndjson.gz"] = body
    tally = Tally()
    assert [it.event.id for it in events("main", Memory(objects), Selection(), tally=tally)] == [f"{T + 1}-0"]
    assert (tally.orphans, tally.batches, tally.events) == (1, 1, 1)


@pytest.mark.parametrize("key", ["raw/org=main/x", "raw/org=main/dt=2026-01-01/x.ndjson.gz", "raw/org=mainly/x"])
def test_what_is_no_batch_is_passed_over(key):
    assert len(ids(OBJECTS | {key: b"x"})) == 324


def test_a_missing_batch_is_said_only_by_the_verifier_as_nothing_lists_it():
    assert len(ids({key: body for key, body in OBJECTS.items() if key != RAW[2]})) == 321


class Deleting(Memory):
    """Somebody deletes the batches after they were listed."""

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        listed = list(super().keys(prefix, after))
        self.objects = {key: body for key, body in self.objects.items() if not key.startswith(prefix)}
        return iter(listed)


def test_a_batch_that_is_gone_since_it_was_listed_is_damage():
    with pytest.raises(ArchiveDamagedError, match=r"raw/.* is missing\. Run slack-audit verify"):
        list(events("main", Deleting(OBJECTS), Selection()))


def test_an_altered_batch_is_damage():
    with pytest.raises(ArchiveDamagedError, match=f"{RAW[2]} has other bytes than its log entry says"):
        ids(OBJECTS | {RAW[2]: pack([b"{}"])})


@pytest.mark.parametrize("body", [b"no gzip", pack([b"{}"])[:-5], pack([b"{}"]) + b"more"])
def test_a_sealed_batch_that_cannot_be_unpacked_is_damage(body):
    forge = Forge(OBJECTS)
    forge.objects[key := forge.entries[3]["key"]] = body
    forge.changed(3, sha256=sha256(body).hexdigest())
    with pytest.raises(ArchiveDamagedError, match=f"{key} .*as its log entry has it"):
        ids(forge.sealed())


@pytest.mark.parametrize(("field", "value"), [("org", "other"), ("number", 4)])
def test_an_entry_that_says_that_it_is_another_is_damage(field, value):
    with pytest.raises(ArchiveDamagedError, match=r"000000000003\.json says that it is entry . of '\w+'"):
        ids(Forge(OBJECTS).changed(3, **{field: value}).sealed())


def test_an_entry_that_is_none_is_damage():
    with pytest.raises(ArchiveDamagedError, match="is not a log entry"):
        ids(OBJECTS | {"log/org=main/000000000003.json": b"{}"})


def test_an_expression_that_fails_says_on_which_event():
    with pytest.raises(SelectionError, match="cannot be evaluated on event"):
        ids(OBJECTS, selection_of({"where": "length(date_create)"}))


def test_another_org_is_another_archive():
    assert list(events("other", Memory(OBJECTS), Selection())) == []


# ---- only what is needed is read ----


def test_only_the_days_asked_for_are_listed_and_only_their_windows_read():
    objects = archive_of(*[("live", T + day * DAY, T + day * DAY + 59, lines(T + day * DAY)) for day in range(6)])
    listed: list[str] = []

    class Noting(Memory):
        def keys(self, prefix: str, after: str = "") -> Iterator[str]:
            for key in super().keys(prefix, after):
                listed.append(key)
                yield key

    vault = Noting(objects)
    asked = Selection(since=T + 2 * DAY, until=T + 3 * DAY + 59)
    assert [it.event.date_create for it in events("main", vault, asked)] == [T + 2 * DAY, T + 3 * DAY]
    assert {key.split("/")[2] for key in listed} == {"dt=2026-01-03", "dt=2026-01-04", "dt=2026-01-05"}
    assert len(listed) == 3  # the last one is where the listing ended
    assert sorted(key.partition("/")[0] for key in vault.read) == ["log", "log", "raw", "raw"]


@pytest.mark.parametrize("bound", [-1, 0, 5, 10**11, 10**30])
def test_bounds_outside_of_all_time_are_bounds_too(bound):
    assert len(ids(OBJECTS, Selection(since=bound))) == (324 if bound < T else 0)
    assert len(ids(OBJECTS, Selection(until=bound))) == (0 if bound < T else 324)


def test_a_pass_that_is_not_wanted_is_not_read():
    objects = archive_of(("live", T, T + 59, lines(T + 1)), ("late", T, T + 59, lines(T + 2)))
    vault = Memory(objects)
    tally = Tally()
    found = [it.event.id for it in events("main", vault, Selection(passes=("late",)), tally=tally)]
    assert (found, tally.batches, tally.orphans) == ([f"{T + 2}-0"], 1, 0)
    assert len([key for key in vault.read if key.startswith("raw/")]) == 1


def test_batches_are_read_as_they_are_needed():
    windows = [("live", T + at * 60, T + at * 60 + 59, lines(T + at * 60)) for at in range(50)]
    vault = Memory(archive_of(*windows))
    found = events("main", vault, Selection())
    next(found)
    assert len([key for key in vault.read if key.startswith("raw/")]) == 2
    assert len(list(found)) == 49


def test_progress_is_told_to_the_end():
    told: list[tuple[int, int]] = []
    list(events("main", Memory(OBJECTS), Selection(), lambda done, total: told.append((done, total))))
    assert told == [(done, 9) for done in range(10)]


# ---- any archive, any question ----

KINDS = ("live", "late", "final", "backfill-1-2")
seconds = st.integers(T - 40, T + 40)
offsets = st.integers(0, 20)


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, int, int, list[bytes]]:
    lo = draw(seconds)
    hi = lo + draw(offsets)
    if lo < T <= hi:
        hi = T - 1  # no window crosses midnight
    times = draw(st.lists(st.one_of(st.integers(lo, hi), st.none(), st.just("odd")), max_size=5))
    number = draw(st.integers(0, 10**9))
    made = [
        raw_event(
            second,
            f"{number}.{place}",
            action=draw(st.sampled_from(["user_login", "user_logout", "file_shared", 7])),
            actor={"user": {"id": draw(st.sampled_from(["W1", "W2", 1006]))}},
            context={"ip_address": draw(st.sampled_from(["192.0.2.7", "198.51.100.1", "redacted", None]))},
        )
        for place, second in enumerate(times)
    ]
    return draw(st.sampled_from(KINDS)), lo, hi, made


def some(*of: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(of), max_size=2).map(tuple)


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    since, until = sorted((draw(seconds), draw(seconds)))
    return Selection(
        since=draw(st.sampled_from([None, since])),
        until=draw(st.sampled_from([None, until])),
        passes=draw(some("live", "late", "final", "backfill")),
        actions=draw(some("user_*", "file_shared", "*out")),
        actors=draw(some("W1", "1006")),
        ips=draw(some("192.0.2.0/24", "198.51.100.1")),
        where=draw(st.sampled_from(["", "action == 'user_login'"])),
    )


def by_brute_force(told: Iterable[tuple[str, int, int, list[bytes]]], asked: Selection) -> list[tuple[int, str]]:
    """Every event of every window, and then those that are wanted."""
    found = []
    for name, lo, hi, made in told:
        for raw in made:
            said = json.loads(raw)
            second = said["date_create"] if isinstance(said["date_create"], int) else None
            place = lo if second is None else second
            inside = (asked.since is None or (hi if second is None else second) >= asked.since) and (
                asked.until is None or place <= asked.until
            )
            action, who, ip = said["action"], str(said["actor"]["user"]["id"]), said["context"]["ip_address"]
            kinds = {"user_*": ("user_login", "user_logout"), "file_shared": ("file_shared",), "*out": ("user_logout",)}
            nets = {"192.0.2.0/24": "192.0.2.7", "198.51.100.1": "198.51.100.1"}
            if (
                inside
                and (not asked.passes or name.partition("-")[0] in asked.passes)
                and (not asked.actions or any(action in kinds[it] for it in asked.actions))
                and (not asked.actors or who in asked.actors)
                and (not asked.ips or any(ip == nets[it] for it in asked.ips))
                and (not asked.where or action == "user_login")
            ):
                found.append((place, said["id"]))
    return sorted(found)


@settings(max_examples=150, deadline=None)
@given(st.lists(windows(), max_size=8), selections(), st.integers(0, 3))
def test_what_is_found_is_what_brute_force_finds(told, asked, orphans):
    objects = archive_of(*told)
    for number in range(orphans):
        objects[f"raw/org=main/dt=2026-01-01/{T}-{T + 9}-{number}-0123456789ab.ndjson.gz"] = pack(lines(T + number))
    vault: Vault = Memory(objects)
    found = list(events("main", vault, asked))
    assert [(it.place, it.event.id) for it in found] == by_brute_force(told, asked)
    assert all(it.entry in [batch.entry for batch in batches("main", vault, asked)] for it in found)
