"""A replay from its plan to its report, in memory: who gets what, and what is never believed."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slack_audit.batches import Record, SinkLimits
from slack_audit.deadline import Deadline
from slack_audit.errors import (
    ArchiveDamagedError,
    CollectorError,
    ReplayError,
    SettingsError,
    SinkRefusedError,
    SinkUnavailableError,
)
from slack_audit.events import event_of
from slack_audit.log import LogEntry
from slack_audit.replay import TRIES, Place, Progress, Replay, result_key
from slack_audit.replay_plan import Item, Plan, Stack, first_wanted, last_wanted, plan, request_of
from slack_audit.replay_report import Checking, Report, compare, conclude
from slack_audit.selection import Selection
from tests.builders import DAY_START, raw_event
from tests.fakes import Archive, Clock, Faults, KilledError, Stream, World
from tests.verify.archives import Forge, Memory, altered, collected

STACK = Stack("archive", "live")
ELSEWHERE = {"stream": "investigation"}


def passes_and_late() -> dict[str, bytes]:
    """What all passes and a backfill made, with a late find."""
    world = World(lags={"live": 60, "late": 600, "final": 3_000, "backfill": 3_000})
    world.clock.time = DAY_START + 7_200
    world.slack.add(
        raw_event(DAY_START + 3_700 + at, at, action="user_login" if at % 2 else "file_downloaded")
        for at in range(0, 3_000, 25)
    )
    world.until_done()
    world.slack.add([raw_event(DAY_START + 6_900, "late")], visible_at=world.clock.time + 60)
    for _ in range(12):
        world.next_minute()
        world.slack.add([raw_event(world.slack.now - 70, "new")])
        world.until_done()
    world.slack.add(raw_event(DAY_START - 3_000 + at, at) for at in range(0, 2_000, 100))
    world.order(from_="2025-12-31", to="2025-12-31")
    world.until_done()
    return dict(world.archive.objects)


WHOLE = passes_and_late()
SMALL = collected(4)


@pytest.fixture
def objects() -> dict[str, bytes]:
    return dict(WHOLE)


class Replayed:
    """One replay of an archive, turn after turn as the state machine does it, and what its target got."""

    def __init__(self, objects: Mapping[str, bytes], selection: Mapping[str, Any] | None = None) -> None:
        self.faults = Faults()
        self.clock = Clock()
        self.archive = Archive(self.faults)
        self.archive.objects = dict(objects)
        self.target = Stream(self.faults)
        self.selection = dict(selection or {})
        self.turns = 0

    def plan(self, target: Mapping[str, str] = ELSEWHERE, name: str = "case-17") -> Plan:
        return plan(request_of({"target": target, "selection": self.selection}, STACK), "main", name, self.archive)

    def turn(self, planned: Plan, progress: Progress, seconds: float = 900.0) -> Progress:
        self.clock.new_run(seconds)
        self.turns += 1
        replay = Replay(
            planned,
            vault=Memory(self.archive.objects),
            archive=self.archive,
            target=lambda _batch: self.target,
            deadline=Deadline(self.clock),
        )
        return over_the_wire(replay.go_on(progress))

    def item(self, planned: Plan, item: Item, seconds: float = 900.0) -> None:
        progress = Progress(done=False, item=item)
        while not progress.done:
            assert self.turns < 2_000
            progress = self.turn(planned, progress, seconds)

    def report(self, planned: Plan, seconds: float = 900.0) -> Report:
        checking = Checking()
        while not checking.done:
            self.clock.new_run(seconds)
            before = checking.items
            checking = compare(
                planned,
                over_the_wire(checking),
                vault=Memory(self.archive.objects),
                deadline=Deadline(self.clock),
            )
            assert checking.items > before
        return conclude(planned, checking, self.archive)

    def all(self, seconds: float = 900.0) -> Report:
        planned = self.plan()
        for item in planned.items():
            self.item(planned, item, seconds)
        return self.report(planned, seconds)

    @property
    def lines(self) -> list[bytes]:
        return self.target.lines

    def wanted(self, is_wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> list[bytes]:
        """By the log alone, read the plain way."""
        forge = Forge(self.archive.objects)
        lines = [line for entry in forge.entries if entry["key"] for line in forge.lines(entry["number"])]
        return [line for line in lines if is_wanted(json.loads(line))]


def over_the_wire[T](value: T) -> T:
    """As the state machine carries it."""
    return msgspec.json.decode(msgspec.json.encode(value), type=type(value))


# ---- what goes out ----


def test_without_a_selection_every_committed_event_goes_out_once_in_the_order_of_the_log(objects):
    replayed = Replayed({**objects, "raw/org=main/dt=2026-01-01/1-2-3-000000000000.ndjson.gz": b"an orphan"})
    report = replayed.all()
    assert replayed.lines == replayed.wanted()
    assert [record.key for record in replayed.target.records] == [json.loads(it)["id"] for it in replayed.lines]
    assert report.clean
    assert report.totals.read == report.totals.selected == report.totals.sent == len(replayed.lines) > 150
    assert report.totals.entries == report.last + 1 == len(Forge(objects).entries)


@pytest.mark.parametrize(
    ("selection", "is_wanted"),
    [
        ({"actions": ["file_*"]}, lambda it: it["action"] == "file_downloaded"),
        ({"since": DAY_START + 5_000}, lambda it: it["date_create"] >= DAY_START + 5_000),
        (
            {"since": DAY_START + 4_000, "until": DAY_START + 4_100},
            lambda it: DAY_START + 4_000 <= it["date_create"] <= DAY_START + 4_100,
        ),
        ({"passes": ["backfill"]}, lambda it: it["date_create"] <= DAY_START),
        ({"passes": ["late"]}, lambda it: "late" in it["id"]),
        ({"where": "ends_with(id, '-100')"}, lambda it: it["id"].endswith("-100")),
        ({"actors": ["nobody@example.com"]}, lambda it: False),
    ],
)
def test_what_is_wanted_goes_out_and_nothing_else(objects, selection, is_wanted):
    replayed = Replayed(objects, selection)
    report = replayed.all()
    assert replayed.lines == replayed.wanted(is_wanted)
    assert (report.clean, report.totals.sent) == (True, len(replayed.lines))
    assert bool(replayed.lines) == ("actors" not in selection)


def test_the_result_names_each_batch_with_what_was_read_and_the_digest_of_what_was_sent(objects):
    replayed = Replayed(objects, {"actions": ["file_*"]})
    planned = replayed.plan()
    replayed.item(planned, Item(planned.first, planned.last))
    result = json.loads(replayed.archive.objects[result_key(planned, Item(planned.first, planned.last))])
    entries = Forge(objects).entries
    assert [it["number"] for it in result["sent"]] == [it["number"] for it in entries if it["key"]]
    assert [(it["key"], it["sha256"], it["read"]) for it in result["sent"]] == [
        (it["key"], it["sha256"], it["count"]) for it in entries if it["key"]
    ]
    first = next(it for it in result["sent"] if it["sent"])
    sent = b"".join(line + b"\n" for line in replayed.lines[: first["sent"]])
    assert first["digest"] == sha256(sent).hexdigest()
    assert (result["previous"], result["head"]) == (None, planned.head)


def test_a_pointer_names_the_line_in_the_whole_batch(objects):
    replayed = Replayed(objects, {"actions": ["file_*"]})
    replayed.target.limits = SinkLimits(record_bytes=60)
    replayed.all()
    pointers = [json.loads(line)["slack_audit_pointer"] for line in replayed.lines]
    forge = Forge(objects)
    lines = {f"s3://archive/{it['key']}": forge.lines(it["number"]) for it in forge.entries if it["key"]}
    assert [lines[it["s3_uri"]][it["line"] - 1] for it in pointers] == replayed.wanted(
        lambda it: it["action"] == "file_downloaded"
    )


# ---- kills, short runs, a target that takes a part ----


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), actions=st.sampled_from([[], ["user_login"], ["*download*"]]))
def test_whatever_is_killed_refused_or_cut_short_every_wanted_event_arrives_and_the_report_is_clean(seed, actions):
    chance = random.Random(seed)
    replayed = Replayed(SMALL, {"actions": actions})
    replayed.target.limits = SinkLimits(records=chance.randint(1, 40))
    replayed.target.refuse = lambda records: [it for it in records if chance.random() < 0.2]
    planned = replayed.plan()
    items = list(partition(chance, planned.last))
    for item in items:
        carried_out_somehow(replayed, planned, item, chance)
        if chance.random() < 0.3:
            replayed.item(planned, item)  # once more, as a resumed replay may
    wanted = [it for it in replayed.wanted() if planned.selection.wants(event_of(it))]
    assert set(replayed.lines) == set(wanted)
    assert {it.key for it in replayed.target.records} == {json.loads(it)["id"] for it in wanted}
    with mock.patch.object(Plan, "items", return_value=items):
        report = replayed.report(planned, chance.choice([1.0, 900.0]))
    assert (report.clean, report.totals.sent) == (True, len(wanted))


def carried_out_somehow(replayed: Replayed, planned: Plan, item: Item, chance: random.Random) -> None:
    """Turn after turn, some of them too short for much, some killed at some call; a turn that failed comes again."""
    progress = Progress(done=False, item=item)
    while not progress.done:
        if chance.random() < 0.3:
            at = len(replayed.faults.calls) + chance.randint(1, 8)
            replayed.faults.kill = (at, chance.choice(["before", "after"]))
        try:
            progress = replayed.turn(planned, progress, chance.choice([1.0, 10.2, 12.0, 900.0]))
        except (KilledError, SinkUnavailableError):
            replayed.faults.dead = False
        replayed.faults.kill = None


def partition(chance: random.Random, last: int) -> Iterator[Item]:
    first = 0
    while first <= last:
        end = chance.randint(first, last)
        yield Item(first, end)
        first = end + 1


@pytest.mark.parametrize("seconds", [0.0, 10.5, 11.0, 900.0])
def test_a_run_that_ends_anywhere_is_gone_on_with_and_the_results_are_the_same_bytes(objects, seconds):
    whole, cut = Replayed(objects), Replayed(objects)
    cut.target.limits = whole.target.limits = SinkLimits(records=10)
    slow(cut)
    assert whole.all() == cut.all(seconds)
    assert cut.lines == whole.lines
    assert cut.archive.objects == whole.archive.objects
    assert (cut.turns > whole.turns) == (seconds < 900)


def slow(replayed: Replayed) -> None:
    """Each call takes a second."""

    def taken(_records: Any) -> list[Record]:
        replayed.clock.time += 1
        return []

    replayed.target.refuse = taken


def test_a_repeated_item_sends_the_same_again_and_its_result_stands(objects):
    replayed = Replayed(objects)
    planned = replayed.plan()
    item = planned.items()[0]
    replayed.item(planned, item)
    once, before = list(replayed.lines), dict(replayed.archive.objects)
    replayed.item(planned, item)
    assert replayed.lines == once * 2
    assert replayed.archive.objects == before


def test_a_replay_that_is_resumed_keeps_its_plan_though_the_log_went_on(objects):
    replayed = Replayed(objects)
    planned = replayed.plan()
    forge = Forge(replayed.archive.objects)
    replayed.archive.objects |= {
        f"log/org=main/{len(forge.entries):012}.json": replayed.archive.objects[f"log/org=main/{planned.last:012}.json"]
    }
    assert replayed.plan() == planned
    replayed.selection = {"actions": ["user_login"]}
    with pytest.raises(SettingsError, match="another replay case-17"):
        replayed.plan()


# ---- a target that does not take ----


def test_a_target_that_takes_nothing_fails_the_item_after_a_bounded_number_of_tries(objects):
    replayed = Replayed(objects)
    replayed.target.refuse = list
    planned = replayed.plan()
    with pytest.raises(SinkUnavailableError, match="took nothing in 12 tries"):
        replayed.item(planned, Item(0, planned.last))
    assert len(replayed.target.calls) == TRIES
    assert 20 < sum(replayed.clock.slept) < 120


def test_a_target_that_takes_nothing_while_there_is_time_fails_the_item_and_does_not_loop(objects):
    replayed = Replayed(objects)
    replayed.target.refuse = list
    planned = replayed.plan()
    with pytest.raises(SinkUnavailableError, match="for as long as there was time"):
        replayed.turn(planned, Progress(done=False, item=Item(1, planned.last), at=Place(1)), 11.0)


def test_a_target_that_refuses_ends_the_item_at_once(objects):
    replayed = Replayed(objects)
    replayed.faults.fail("stream.put", 2, SinkRefusedError("no"))
    replayed.target.limits = SinkLimits(records=5)
    planned = replayed.plan()
    with pytest.raises(SinkRefusedError):
        replayed.item(planned, Item(0, planned.last))
    assert replayed.clock.slept == []


def test_a_target_that_does_not_answer_once_is_asked_again(objects):
    replayed = Replayed(objects)
    replayed.faults.fail("stream.put", 1, SinkUnavailableError("no answer"))
    assert replayed.all().clean
    assert replayed.lines == replayed.wanted()


# ---- an archive that is not what the log says ----


def a_batch(objects: Mapping[str, bytes]) -> str:
    return next(str(it["key"]) for it in Forge(objects).entries if it["key"])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda it: altered(it, a_batch(it), 20), "has other bytes than its log entry says"),
        (lambda it: {key: body for key, body in it.items() if key != a_batch(it)}, "is missing"),
        (lambda it: altered(it, "log/org=main/000000000002.json", -3), r"does not seal|is not a log entry"),
        (lambda it: {k: v for k, v in it.items() if k != "log/org=main/000000000002.json"}, "is missing"),
        (
            lambda it: {**it, "log/org=main/000000000002.json": it["log/org=main/000000000003.json"]},
            "says that it is entry 3",
        ),
    ],
)
def test_an_item_of_an_archive_that_was_changed_fails_and_names_the_place(harm, said):
    replayed = Replayed(SMALL)
    planned = replayed.plan()
    replayed.archive.objects = {**harm(SMALL), **{k: v for k, v in replayed.archive.objects.items() if "replay/" in k}}
    with pytest.raises(ArchiveDamagedError, match=said):
        replayed.item(planned, Item(0, planned.last))


def done(selection: Mapping[str, Any] | None = None) -> tuple[Replayed, Plan]:
    replayed = Replayed(SMALL, selection)
    planned = replayed.plan()
    for item in planned.items():
        replayed.item(planned, item)
    return replayed, planned


def change(replayed: Replayed, key: str, edit: Callable[[Any], object]) -> None:
    value = json.loads(replayed.archive.objects[key])
    edit(value)
    replayed.archive.objects[key] = json.dumps(value, separators=(",", ":")).encode()


RESULTS = "replay/org=main/case-17/results/"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda it: it["sent"][0].update(sha256="0" * 64), r"events with SHA-256 0000.* were read; the log says"),
        (lambda it: it["sent"][0].update(read=1, selected=1, sent=1), "Of entry 1, 1 events with"),
        (lambda it: it["sent"][0].update(sent=0), "events were wanted and 0 sent"),
        (lambda it: it["sent"].clear(), "entry 1 was not replayed"),
        (lambda it: it["sent"].append(it["sent"][0]), "lines twice, or of other entries"),
        (lambda it: it.update(head="0" * 64), "are not those that were replayed"),
        (lambda it: it.update(previous="0" * 64), "are not those that were replayed"),
        (lambda it: it.pop("sent"), "is no result of an item"),
    ],
)
def test_a_result_that_is_not_what_the_log_says_fails_the_report(edit, said):
    replayed, planned = done()
    change(replayed, f"{RESULTS}000000000001.json", edit)
    with pytest.raises(ReplayError, match=said):
        replayed.report(planned)
    (key,) = [it for it in replayed.archive.objects if "case-17/report" in it]
    assert key != "replay/org=main/case-17/report.json", "a clean one may still follow"
    assert json.loads(replayed.archive.objects[key])["clean"] is False


def test_a_missing_result_fails_the_report_and_a_clean_one_follows_once_it_is_there():
    replayed, planned = done()
    kept = replayed.archive.objects.pop(f"{RESULTS}000000000001.json")
    with pytest.raises(ReplayError, match=r"is no result of an item \(missing\)"):
        replayed.report(planned)
    replayed.archive.objects[f"{RESULTS}000000000001.json"] = kept
    assert replayed.report(planned).clean
    assert "replay/org=main/case-17/report.json" in replayed.archive.objects


def test_a_log_that_was_sealed_anew_after_the_replay_is_another_one():
    replayed, planned = done()
    forge = Forge({key: body for key, body in replayed.archive.objects.items() if not key.startswith("replay/")})
    replayed.archive.objects |= forge.changed(1, calls=77).sealed()
    with pytest.raises(ReplayError, match=r"are not those that were replayed"):
        replayed.report(planned)


def test_an_entry_that_is_gone_fails_the_report():
    replayed, planned = done()
    del replayed.archive.objects["log/org=main/000000000002.json"]
    with pytest.raises(ReplayError, match=r"000000000002.json is missing"):
        replayed.report(planned)


# ---- the plan ----


def test_the_items_are_every_entry_once_in_order(objects):
    planned = Replayed(objects).plan()
    numbers = [number for item in planned.items() for number in range(item.first, item.last + 1)]
    assert numbers == list(range(planned.first, planned.last + 1))
    (long,) = {it.last - it.first + 1 for it in msgspec.structs.replace(planned, first=0, last=99_999).items()}
    assert long == 100
    assert len(msgspec.structs.replace(planned, first=0, last=319, concurrency=8).items()) == 32


def test_the_items_stand_in_the_archive_as_the_map_reads_them(objects):
    replayed = Replayed(objects)
    planned = replayed.plan()
    found = json.loads(replayed.archive.objects["replay/org=main/case-17/items.json"])
    assert found == [{"first": it.first, "last": it.last} for it in planned.items()]


@settings(max_examples=60, deadline=None)
@given(
    since=st.none() | st.integers(DAY_START - 5_000, DAY_START + 9_000),
    length=st.none() | st.integers(0, 6_000),
    passes=st.sets(st.sampled_from(["live", "late", "final", "backfill"])),
)
def test_no_entry_that_may_hold_what_is_wanted_lies_outside_of_the_plan(since, length, passes):
    archive = Archive(Faults())
    archive.objects = WHOLE
    until = None if since is None or length is None else since + length
    selection = Selection(since=since, until=until, passes=tuple(sorted(passes)))
    entries = Forge(WHOLE).entries
    newest = len(entries) - 1
    first, last = (look("main", selection, newest, archive) for look in (first_wanted, last_wanted))
    decoded = [msgspec.convert(it, LogEntry) for it in entries]
    assert all(first <= it.number <= last for it in decoded if selection.wants_entry(it))


def test_a_short_time_of_a_standing_pass_costs_few_entries(objects):
    at = DAY_START + 7_200
    planned = Replayed(objects, {"since": at, "until": at + 60, "passes": ["live"]}).plan()
    assert planned.last - planned.first < 15 < len(Forge(objects).entries)


def test_a_time_that_was_not_collected_yet_is_one_item_and_sends_nothing(objects):
    replayed = Replayed(objects, {"since": DAY_START + 86_400})
    report = replayed.all()
    assert (report.clean, report.items, report.totals.sent) == (True, 1, 0)


def test_an_org_without_a_log_has_nothing_to_replay():
    with pytest.raises(SettingsError, match="nothing was collected yet"):
        Replayed({}).plan()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "target"),
        ({"target": {}}, "names nothing"),
        ({"target": {"stream": "a", "queue": "b"}}, "must name one of"),
        ({"target": {"stream": "a", "prefix": "x/"}}, "a prefix without a bucket"),
        ({"target": {"stream": "a b"}}, "say the name of a Kinesis stream"),
        ({"target": {"bucket": "archive"}}, "the archive's own bucket"),
        ({"target": {"bucket": "elsewhere", "prefix": "no-slash"}}, "folders that end with a slash"),
        ({"target": {"bucket": "UPPER"}}, "say the name of a bucket"),
        ({"target": {"queue": "not-a-url"}}, "say its URL"),
        ({"target": {"queue": "https://sqs.eu-central-1.amazonaws.com/123456789012/x.fifo"}}, "FIFO queue"),
        ({"target": {"stream": "live"}}, "say it twice"),
        ({"target": {"stream": "arn:aws:kinesis:eu-central-1:123456789012:stream/live"}}, "say it twice"),
        ({"target": {"stream": "live"}, "into_the_live_stream": "other"}, "say it twice"),
        ({"target": {"stream": "other"}, "into_the_live_stream": "other"}, "not the live stream"),
        ({"target": {"stream": "a"}, "concurrency": 0}, "1 to 1000"),
        ({"target": {"stream": "a"}, "concurency": 8}, "concurency"),
        ([], "cannot be read"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_with_what_would_be_right(asked, said):
    with pytest.raises(SettingsError, match=said):
        request_of(asked, STACK)


@pytest.mark.parametrize(
    "asked",
    [
        {"target": {"stream": "live"}, "into_the_live_stream": "live"},
        {"target": {"stream": "arn:aws:kinesis:eu-central-1:123456789012:stream/investigation"}},
        {"target": {"bucket": "investigations.example.com"}},
        {"target": {"bucket": "investigations", "prefix": "case-17/replays/"}, "concurrency": 1_000},
        {"target": {"queue": "https://sqs.eu-central-1.amazonaws.com/123456789012/investigation"}},
        {"target": {"queue": "http://127.0.0.1:4566/000000000000/investigation"}, "org": "lab"},
    ],
)
def test_a_request_that_may_be_done(asked):
    assert request_of(asked, STACK).target


def test_a_selection_that_cannot_be_meant_is_refused_before_anything_is_written(objects):
    replayed = Replayed(objects, {"passes": ["nightly"]})
    with pytest.raises(CollectorError, match="no pass 'nightly'"):
        replayed.plan()
    assert replayed.archive.objects == objects
