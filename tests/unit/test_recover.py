import json
from typing import Any

import pytest

from slack_audit.batches import batch_of
from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import LogEntry, decode, digest, encode, log_key
from slack_audit.passes import standing_passes
from slack_audit.recover import newest_number, roll_forward, valid_plan
from slack_audit.windows import Window
from tests.builders import DAY_START, NO_FILTERS, event
from tests.fakes import Archive, Faults, World


def entry(number: int, previous: str | None, **changes: object) -> LogEntry:
    values: dict[str, Any] = {
        "org": "main",
        "number": number,
        "previous": previous,
        "pass_": "live",
        "window": Window(DAY_START + number, DAY_START + number),
        "filters": NO_FILTERS,
        "calls": 1,
        "version": "0.1.0",
        "time": "2026-01-01T00:00:00+00:00",
        "passes": standing_passes(DAY_START + number + 1),
        "published": 0,
    }
    return LogEntry(**values | changes)


def an_archive(entries: int) -> tuple[Archive, list[bytes]]:
    archive, bodies = Archive(Faults()), []
    for number in range(entries):
        bodies.append(encode(entry(number, digest(bodies[-1]) if bodies else None, published=number // 2)))
        archive.objects[log_key("main", number)] = bodies[-1]
    return archive, bodies


@pytest.mark.parametrize("entries", [0, 1, 2, 3, 4, 7, 8, 9, 1_000, 1_023, 525_600])
def test_the_newest_number_is_found_in_few_looks(entries):
    looks = []
    assert newest_number(lambda number: looks.append(number) or number < entries) == (entries - 1 if entries else None)
    assert len(looks) <= 2 * entries.bit_length() + 2


@pytest.mark.parametrize("entries", [1, 2, 9])
def test_an_empty_table_is_rebuilt_from_the_newest_entry_alone(entries):
    archive, bodies = an_archive(entries)
    checkpoint = roll_forward("main", Checkpoint(clock=-3), archive)
    newest = decode(bodies[-1], "")
    assert (checkpoint.next, checkpoint.head) == (entries, digest(bodies[-1]))
    assert (checkpoint.passes, checkpoint.published, checkpoint.clock) == (newest.passes, newest.published, -3)


def test_no_log_at_all_is_a_checkpoint_without_passes():
    archive, _ = an_archive(0)
    assert roll_forward("main", Checkpoint(published=7), archive) == Checkpoint()


def test_a_table_behind_the_log_follows_it_and_keeps_the_larger_mark():
    archive, bodies = an_archive(9)
    behind = roll_forward("main", Checkpoint(), an_archive(4)[0])
    assert roll_forward("main", behind.delivered(4), archive).published == 4
    assert roll_forward("main", behind.delivered(0), archive).published == 4
    assert roll_forward("main", behind, archive).head == digest(bodies[-1])


def test_a_table_far_behind_costs_a_few_looks_and_not_one_for_each_entry():
    archive, bodies = an_archive(3_000)
    behind = roll_forward("main", Checkpoint(), an_archive(2)[0])
    archive.faults.calls.clear()
    checkpoint = roll_forward("main", behind.delivered(2_999), archive)
    assert (checkpoint.next, checkpoint.head, checkpoint.published) == (3_000, digest(bodies[-1]), 2_999)
    assert len(archive.faults.calls) < 40


def test_an_entry_that_does_not_follow_the_head_is_refused_by_name():
    archive, _ = an_archive(5)
    behind = roll_forward("main", Checkpoint(), an_archive(4)[0])
    archive.objects[log_key("main", 4)] = encode(entry(4, "0" * 64))
    with pytest.raises(ArchiveDamagedError, match=r"000000000004.json does not follow entry 3"):
        roll_forward("main", behind, archive)


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[1]"])
def test_an_object_that_is_no_entry_is_refused_by_name(body):
    with pytest.raises(ArchiveDamagedError, match="is not a log entry"):
        decode(body, "log/x.json")


def test_an_entry_of_a_newer_format_is_refused():
    newer = json.dumps(json.loads(encode(entry(0, None))) | {"format": 2}).encode()
    with pytest.raises(ArchiveDamagedError, match="Deploy the version that wrote it"):
        decode(newer, "log/x.json")


def planned(number: int = 3, previous: str = "a" * 64) -> tuple[LogEntry, Archive, Checkpoint]:
    batch = batch_of("main", Window(DAY_START, DAY_START), number, [event(DAY_START)])
    plan = entry(number, previous, key=batch.key, sha256=batch.sha256, count=1, bytes=len(batch.body))
    archive = Archive(Faults())
    archive.objects[batch.key] = batch.body
    return plan, archive, Checkpoint(next=3, head="a" * 64, plan=encode(plan))


def test_a_plan_counts_whose_batch_is_written():
    plan, archive, checkpoint = planned()
    assert valid_plan("main", checkpoint, archive) == plan


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda a, _c: a.objects.clear(), id="its batch was never written"),
        pytest.param(
            lambda a, _c: a.objects.update(dict.fromkeys(a.objects, b"other")), id="its batch has other bytes"
        ),
    ],
)
def test_a_plan_without_its_batch_is_dropped(changed):
    _, archive, checkpoint = planned()
    changed(archive, checkpoint)
    assert valid_plan("main", checkpoint, archive) is None


def test_a_plan_of_another_number_or_another_past_is_dropped():
    for plan, archive, checkpoint in (planned(number=2), planned(previous="b" * 64)):
        assert plan.key in archive.objects
        assert valid_plan("main", checkpoint, archive) is None


def test_no_plan_and_an_unreadable_plan_are_none():
    _, archive, checkpoint = planned()
    assert valid_plan("main", checkpoint.planning(None), archive) is None
    assert valid_plan("main", checkpoint.planning(b"{"), archive) is None


def test_a_newest_entry_that_vanishes_is_said():
    world = World()
    world.run()
    world.archive.get = lambda _key: None
    for checkpoint in (Checkpoint(), Checkpoint(next=1)):
        with pytest.raises(ArchiveDamagedError, match="is gone"):
            roll_forward("main", checkpoint, world.archive)
