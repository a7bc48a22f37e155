"""The deployed stack while AWS and Slack misbehave: whatever a run reports, in the end all is archived and streamed.

One deployment for all of them; every test empties it first.
"""

from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.stack import settled
from tests.e2e.storms import prove, prove_order, runs_until_done
from tests.proof import archived_by_entry

HOUR = 3_600
THROTTLED: dict[str, Any] = {"service": "dynamodb", "error": {"code": "ProvisionedThroughputExceededException"}}
SLOW_DOWN = {"service": "s3", "error": {"code": "SlowDown", "status": 503}}


def test_a_backlog_goes_out_through_a_shard_that_takes_little_and_capture_does_not_wait_for_it(weather):
    stack = weather.stack
    stack.slack.change(page_limit=400)
    stack.slack.generate(4_000, start=settled(20 * HOUR), end=settled())
    weather.stream.limit(records=400, size=400_000)
    weather.configure(timeout=15)  # of which ten seconds are a reserve
    runs = runs_until_done(weather)
    assert runs[0]["publishing"] == "behind"
    calls = weather.stream.seen("PutRecords")
    assert sum(run["failed_records"] for run in runs) == sum(call.refused for call in calls) > 0
    assert sum(run["published"] for run in runs) == sum(call.taken for call in calls) >= 4_000
    committed = weather.stores.seen("PutObject")[-1].at
    assert sum(call.taken for call in calls if call.at < committed) < 2_000
    prove(weather)
    prove_order(weather)


def test_s3_slows_down_and_its_answers_are_lost(weather):
    stack = weather.stack
    stack.slack.change(page_limit=400)
    stack.slack.generate(3_000, start=settled(20 * HOUR), end=settled())
    weather.injector.inject(
        {**SLOW_DOWN, "operation": "PutObject", "sequence": {"fail": 2, "pass": 1}, "times": 4},
        {**SLOW_DOWN, "operation": "GetObject", "sequence": {"fail": 1, "pass": 1}, "times": 2},
        {**SLOW_DOWN, "operation": "ListObjectsV2", "times": 1},
    )
    for operation, path in (("PutObject", "/raw/"), ("PutObject", "/log/"), ("GetObject", "/raw/")):
        weather.stores.spoil("lose", operation, path=path, after=1, times=1)
    first = stack.invoke()
    assert (first["stopped"], first["publishing"], first["events"]) == ("nothing_due", "done", 3_000)
    assert weather.injector.fired() == {
        ("PutObject", "error:SlowDown"): 4,
        ("GetObject", "error:SlowDown"): 2,
        ("ListObjectsV2", "error:SlowDown"): 1,
    }
    assert len(weather.stores.seen(outcome="lose")) == 3
    prove(weather)
    prove_order(weather)


@pytest.mark.parametrize("path", [pytest.param("/raw/", id="of a batch"), pytest.param("/log/", id="of a log entry")])
def test_a_write_to_s3_whose_every_answer_is_lost_fails_the_run_and_the_next_goes_on(weather, path):
    stack = weather.stack
    stack.slack.change(page_limit=400)
    stack.slack.generate(1_500, start=settled(20 * HOUR), end=settled())
    weather.stores.spoil("lose", "PutObject", path=path, after=2, times=3)
    assert f"{path}org=main/" in (message := stack.fail()["errorMessage"])
    assert "Nothing is lost" in message
    runs_until_done(weather)
    assert len(weather.stores.seen(outcome="lose")) == 3
    prove(weather)


def test_a_throttled_table_fails_runs_and_the_next_ones_go_on(weather):
    stack = weather.stack
    stack.slack.change(page_limit=400)
    stack.slack.generate(2_000, start=settled(20 * HOUR), end=settled())
    weather.injector.inject({**THROTTLED, "operation": "UpdateItem", "times": 3})
    assert "Could not take the lease of org main" in stack.fail()["errorMessage"]
    weather.injector.inject({**THROTTLED, "operation": "UpdateItem", "times": 1})
    weather.injector.inject({**THROTTLED, "operation": "PutItem", "sequence": {"fail": 1, "pass": 2}, "times": 2})
    weather.stores.spoil("lose", "PutItem", after=6)
    weather.stores.spoil("lose", "UpdateItem")
    runs = runs_until_done(weather)
    assert sum(run["events"] for run in runs) == 2_000
    action = f"error:{THROTTLED['error']['code']}"
    assert weather.injector.fired() == {("UpdateItem", action): 4, ("PutItem", action): 2}
    assert len(weather.stores.seen(outcome="lose")) == 2
    prove(weather)


def test_a_run_that_can_save_nothing_keeps_the_lease_until_it_expires(weather):
    stack = weather.stack
    stack.slack.generate(500, start=settled(20 * HOUR), end=settled())
    weather.injector.inject({**THROTTLED, "operation": "PutItem", "times": 6})
    assert "Could not save the checkpoint of org main" in stack.fail()["errorMessage"]
    assert stack.invoke()["stopped"] == "lease_busy"
    weather.let_the_lease_expire()
    assert [run["events"] for run in runs_until_done(weather)] == [500]
    prove(weather)


def test_a_stream_that_is_down_for_many_runs_takes_all_in_order_when_it_is_back(weather):
    stack = weather.stack
    stack.slack.change(page_limit=300, latency=0.2)
    stack.slack.generate(3_000, start=settled(20 * HOUR), end=settled())
    weather.configure(timeout=12)
    weather.stream.down()
    runs = [stack.invoke()]
    while runs[-1]["stopped"] != "nothing_due":
        runs.append(stack.invoke())
    assert sum(run["events"] for run in runs) == 3_000
    assert all((run["published"], run["publishing"]) == (0, "behind") for run in runs)
    assert len(runs) > 1
    assert all(before["backlog"] < after["backlog"] for before, after in pairwise(runs))
    assert stack.records() == []
    weather.stream.up()
    assert sum(run["published"] for run in runs_until_done(weather)) == 3_000
    prove(weather)
    prove_order(weather)


def test_a_stream_that_refuses_fails_the_run_but_not_capture(weather):
    stack = weather.stack
    stack.slack.generate(2_000, start=settled(20 * HOUR), end=settled())
    weather.injector.inject(
        {"service": "kinesis", "operation": "PutRecords", "error": {"code": "KMSAccessDeniedException"}}
    )
    assert "The archive goes on without it" in stack.fail()["errorMessage"]
    assert sum(map(len, archived_by_entry(stack.objects()))) == 2_000
    assert stack.records() == []
    weather.injector.clear()
    assert [(run["events"], run["published"]) for run in runs_until_done(weather)] == [(0, 2_000)]
    prove(weather)
