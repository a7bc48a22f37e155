import gzip
import json
from hashlib import sha256

import pytest

from slack_audit.batches import SinkLimits, batch_of, belonging, cut, in_order, records_of, unpack
from slack_audit.events import event_of
from slack_audit.windows import Window
from tests.builders import DAY_START, event, raw_event, record


def test_events_are_ordered_by_second_then_id_and_each_id_stands_once():
    first, again = event(DAY_START + 5, "b", action="first"), event(DAY_START + 5, "b", action="again")
    events = [event(DAY_START + 9), first, event(DAY_START + 5, "a"), again]
    assert in_order(events) == [events[2], first, events[0]]


def test_an_event_belongs_to_the_window_of_its_own_second():
    inside, outside = event(DAY_START + 5), event(DAY_START + 11)
    timeless = event_of(b'{"id":"x"}')
    assert belonging([inside, outside, timeless], Window(DAY_START, DAY_START + 10)) == [inside, timeless]


def test_a_batch_holds_the_lines_and_is_named_by_its_bytes():
    events = [event(DAY_START + 1), event(DAY_START + 2)]
    batch = batch_of("main", Window(DAY_START, DAY_START + 9), 7, events)
    assert gzip.decompress(batch.body) == b"".join(e.raw + b"\n" for e in events)
    assert batch.sha256 == sha256(batch.body).hexdigest()
    name = f"{DAY_START}-{DAY_START + 9}-7-{batch.sha256[:12]}"
    assert batch.key == f"raw/org=main/dt=2026-01-01/{name}.ndjson.gz"
    assert list(unpack(batch.body)) == events


def test_the_same_events_give_the_same_object():
    events = [event(DAY_START + 1, n) for n in range(50)]
    window = Window(DAY_START, DAY_START + 9)
    assert batch_of("main", window, 7, events) == batch_of("main", window, 7, events)
    assert batch_of("main", window, 7, events).body[4:8] == b"\0\0\0\0", "no time stamp in the gzip header"


@pytest.mark.parametrize(
    ("sizes", "limits", "expected"),
    [
        pytest.param([], SinkLimits(), [], id="nothing"),
        pytest.param([10] * 5, SinkLimits(records=2), [2, 2, 1], id="by number"),
        pytest.param([96] * 5, SinkLimits(call_bytes=200), [2, 2, 1], id="by bytes, keys counted"),
        pytest.param([10, 500, 10], SinkLimits(call_bytes=100), [1, 1, 1], id="a large one goes alone"),
    ],
)
def test_calls_are_cut_to_the_limits_of_the_stream(sizes, limits, expected):
    records = [record(number, size) for number, size in enumerate(sizes)]
    calls = list(cut(records, limits))
    assert [len(call) for call in calls] == expected
    assert [r for call in calls for r in call] == records


def test_a_record_is_the_event_with_its_id_as_partition_key():
    some = event(DAY_START)
    assert [(r.key, r.data) for r in records_of([some], "s3://b/k", SinkLimits())] == [(some.id, some.raw)]


def test_an_event_too_large_for_the_stream_goes_out_as_a_pointer_to_its_line():
    small, large = event(DAY_START), event(DAY_START + 1, details={"new_value": "x" * 3_000})
    records = records_of([small, large], "s3://b/k", SinkLimits(record_bytes=1_000))
    assert records[0].data == small.raw
    assert json.loads(records[1].data) == {
        "slack_audit_pointer": {
            "id": large.id,
            "date_create": DAY_START + 1,
            "s3_uri": "s3://b/k",
            "line": 2,
            "bytes": len(large.raw),
            "sha256": sha256(large.raw).hexdigest(),
        }
    }
    assert records[1].key == large.id


def test_a_record_of_just_the_largest_size_is_sent_whole():
    some = event(DAY_START)
    fits = len(some.raw) + len(some.id)
    assert records_of([some], "", SinkLimits(record_bytes=fits))[0].data == some.raw
    assert b"slack_audit_pointer" in records_of([some], "", SinkLimits(record_bytes=fits - 1))[0].data


def test_an_id_too_long_for_a_partition_key_is_replaced_by_its_digest():
    some = event_of(raw_event(DAY_START, id="i" * 300))
    assert records_of([some], "", SinkLimits())[0].key == sha256(b"i" * 300).hexdigest()
