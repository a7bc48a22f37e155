import json
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from slack_audit import publish
from slack_audit.batches import Record, SinkLimits
from slack_audit.deadline import Deadline
from slack_audit.errors import ArchiveDamagedError, SinkRefusedError, SinkUnavailableError
from slack_audit.publish import CALLS_AT_ONCE, TRIES, Publisher
from tests.builders import raw_event
from tests.fakes import World, at_once
from tests.proof import archived


def an_archive(counts: Iterable[int]) -> World:
    """A world whose log has the genesis and an entry for each count, none of them published."""
    world = World(lookback_hours=0)
    world.run()
    now = int(world.clock.time)
    put, world.stream.put = world.stream.put, not_yet
    for number, count in enumerate(counts):
        world.slack.add(raw_event(now + 100 * number + 10, f"{number}.{n}") for n in range(count))
        world.clock.time += 100
        with pytest.raises(SinkRefusedError):
            world.run()
    world.stream.put = put
    return world


def not_yet(_records):
    raise SinkRefusedError("not yet")


def a_publisher(world: World) -> Publisher:
    return Publisher("main", world.archive, world.stream, at_once, Deadline(world.clock))


def newest(world: World) -> int:
    return len(world.entries()) - 1


def yes() -> bool:
    return True


def no() -> bool:
    return False


def test_everything_up_to_the_newest_entry_goes_out_in_order():
    world = an_archive([3, 700, 2])
    mark = a_publisher(world).publish(0, newest(world), patient=True, goes_on=yes)
    assert mark == newest(world) + 1
    assert world.stream.lines == archived(world.archive.objects)
    assert [len(call) for call in world.stream.calls] == [3, 500, 200, 2]


def test_at_most_so_many_entries_as_are_asked_for():
    world = an_archive([3, 4, 5])
    assert a_publisher(world).publish(1, newest(world), patient=False, goes_on=yes, most=2) == 3
    assert len(world.stream.records) == 7


def test_when_it_may_not_go_on_it_stops_after_the_calls_under_way_and_goes_on_there_later():
    world = an_archive([4_200])
    publisher = a_publisher(world)
    assert publisher.publish(1, newest(world), patient=False, goes_on=no) == 1
    assert [len(call) for call in world.stream.calls] == [500] * CALLS_AT_ONCE
    assert publisher.publish(1, newest(world), patient=False, goes_on=no) == 1
    assert publisher.publish(1, newest(world), patient=False, goes_on=no) == 2
    assert world.stream.lines == archived(world.archive.objects), "nothing went out twice"


def test_calls_of_one_entry_are_made_at_once_and_entries_one_after_another():
    world = an_archive([1_700, 600])
    under_way, most, waiting = 0, [], threading.Barrier(CALLS_AT_ONCE, timeout=10)
    lock, real = threading.Lock(), world.stream.put

    def put(records):
        nonlocal under_way
        with lock:
            under_way += 1
            most.append(under_way)
        if not world.stream.calls:
            waiting.wait()  # goes on only when all calls of the first entry are here
        with lock:
            under_way -= 1
            return real(records)

    world.stream.put = put
    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        publisher = Publisher("main", world.archive, world.stream, pool.submit, Deadline(world.clock))
        assert publisher.publish(1, newest(world), patient=True, goes_on=yes) == 3
    assert max(most) == CALLS_AT_ONCE
    assert sorted(len(call) for call in world.stream.calls[:CALLS_AT_ONCE]) == [200, 500, 500, 500]
    assert [len(call) for call in world.stream.calls[CALLS_AT_ONCE:]] in ([500, 100], [100, 500])


def test_of_calls_made_at_once_only_what_was_refused_is_sent_again():
    world = an_archive([1_700])
    publisher = a_publisher(world)
    world.stream.refuse = refusing(2)
    assert publisher.publish(1, newest(world), patient=True, goes_on=yes) == 2
    assert sorted(world.stream.lines) == sorted(archived(world.archive.objects))
    assert len(world.stream.lines) == 1_700, "nothing went out twice"


def test_a_call_that_never_ends_is_made_again(monkeypatch):
    monkeypatch.setattr(publish, "LONGEST_CALL", 0.01)
    world = an_archive([10])
    never: list[Future[list[Record]]] = [Future()]

    def sending(call):
        return never.pop() if never else at_once(call)

    publisher = Publisher("main", world.archive, world.stream, sending, Deadline(world.clock))
    assert publisher.publish(1, newest(world), patient=True, goes_on=yes) == 2
    assert (publisher.failed_records, len(world.stream.lines)) == (10, 10)


def test_only_what_was_refused_is_sent_again():
    world = an_archive([10])
    publisher = a_publisher(world)
    world.stream.refuse = refusing(3)
    assert publisher.publish(1, newest(world), patient=True, goes_on=yes) == 2
    assert [len(call) for call in world.stream.calls] == [10, 3, 2, 1]
    assert sorted(world.stream.lines) == sorted(archived(world.archive.objects))
    assert publisher.failed_records == 6
    assert publisher.events == 10


def refusing(first: int):
    """Refuses so many records of the first call, then one less in each."""
    left = iter(range(first, 0, -1))
    return lambda records: records[: next(left, 0)]


def test_nine_failed_tries_end_publishing_and_the_mark_stays():
    world = an_archive([10])
    world.stream.refuse = list
    publisher = a_publisher(world)
    assert publisher.publish(0, newest(world), patient=True, goes_on=yes) == 1
    assert publisher.ended == "stream_unavailable"
    assert len(world.stream.calls) == TRIES == 9
    assert sum(world.clock.slept) < 30
    assert publisher.publish(1, newest(world), patient=True, goes_on=yes) == 1
    assert len(world.stream.calls) == 9


@pytest.mark.parametrize("patient", [True, False])
def test_a_stream_that_takes_a_part_of_every_call_is_not_given_up(patient):
    world = an_archive([400])
    world.stream.refuse = lambda records: list(records)[20:]
    publisher = a_publisher(world)
    mark = 0
    for _ in range(30):
        mark = publisher.publish(mark, newest(world), patient=patient, goes_on=yes)
    assert publisher.ended is None
    assert mark == newest(world) + 1
    assert len(world.stream.calls) == 20


def test_impatient_it_never_waits():
    world = an_archive([10])
    world.stream.refuse = list
    publisher = a_publisher(world)
    for _ in range(3):
        publisher.publish(1, newest(world), patient=False, goes_on=yes)
    assert world.clock.slept == []
    assert len(world.stream.calls) == 3
    world.stream.refuse = lambda _records: []
    assert publisher.publish(1, newest(world), patient=False, goes_on=yes) == 2


@pytest.mark.parametrize(
    ("error", "ended"),
    [(SinkUnavailableError("timeout"), None), (SinkRefusedError("AccessDenied"), "refused")],
)
def test_a_call_that_fails_whole(error, ended):
    world = an_archive([10])
    world.faults.fail("stream.put", world.faults.counts["stream.put"] + 1, error)
    publisher = a_publisher(world)
    assert publisher.publish(1, newest(world), patient=False, goes_on=yes) == 1
    assert publisher.ended == ended
    assert publisher.refusal is (error if ended else None)


def test_entries_that_are_not_for_the_stream_are_passed_over():
    world = an_archive([3, 4])
    key = "log/org=main/000000000001.json"
    entry = json.loads(world.archive.objects[key])
    entry["passes"]["live"]["publish"] = False
    world.archive.objects[key] = json.dumps(entry).encode()
    assert a_publisher(world).publish(0, newest(world), patient=True, goes_on=yes) == newest(world) + 1
    assert len(world.stream.records) == 4


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda o, key: o.pop(key), "is missing", id="object gone"),
        pytest.param(lambda o, key: o.update({key: o[key] + b"x"}), "has other bytes", id="object altered"),
    ],
)
def test_an_object_that_is_not_what_the_log_says_ends_publishing(damage, message):
    world = an_archive([3])
    damage(world.archive.objects, next(key for key in world.archive.objects if key.startswith("raw/")))
    publisher = a_publisher(world)
    assert publisher.publish(0, newest(world), patient=True, goes_on=yes) == 1
    assert publisher.ended == "damaged"
    assert isinstance(publisher.refusal, ArchiveDamagedError)
    assert message in str(publisher.refusal)


def test_a_missing_entry_ends_publishing():
    world = an_archive([3])
    del world.archive.objects["log/org=main/000000000001.json"]
    publisher = a_publisher(world)
    assert publisher.publish(0, 1, patient=True, goes_on=yes) == 1
    assert "000000000001.json is missing" in str(publisher.refusal)


def test_an_event_too_large_for_the_stream_is_counted_and_pointed_to():
    world = an_archive([3])
    world.stream.limits = SinkLimits(record_bytes=150)
    publisher = a_publisher(world)
    publisher.publish(0, newest(world), patient=True, goes_on=yes)
    assert publisher.pointers == 3
    pointer = json.loads(world.stream.records[1].data)["slack_audit_pointer"]
    assert pointer["s3_uri"] == f"s3://archive/{next(k for k in world.archive.objects if k.startswith('raw/'))}"
    assert pointer["line"] == 2
