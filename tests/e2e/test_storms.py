"""The deployed stack while AWS and Slack misbehave: whatever a run reports, in the end all is archived and streamed.

One deployment for all of them; every test empties it first. Those with the same timeout stand together.
"""

from collections import Counter
from itertools import pairwise
from typing import Any

from tests.e2e.stack import settled
from tests.e2e.storms import ALL_TRIES, HOUR, LONG, SHORT, prove, prove_order, runs_until_done
from tests.e2e.weather import Weather
from tests.proof import archived, log_of

THROTTLED: dict[str, Any] = {"service": "dynamodb", "error": {"code": "ProvisionedThroughputExceededException"}}
SLOW_DOWN = {"service": "s3", "error": {"code": "SlowDown", "status": 503}}
SLACK_FAULTS: list[dict[str, Any]] = [
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "status", "status": 503},
    {"kind": "html"},
    {"kind": "truncated"},
    {"kind": "reset"},
    {"kind": "no_entries"},
]


def test_s3_slows_down_and_its_answers_are_lost(weather: Weather) -> None:
    stack = weather.stack
    weather.configure(LONG)
    stack.slack.change(page_limit=400)
    stack.slack.generate(3_000, start=settled(20 * HOUR), end=settled())
    weather.injector.inject(
        {**SLOW_DOWN, "operation": "PutObject", "sequence": {"fail": 2, "pass": 3}, "times": 2},
        {**SLOW_DOWN, "operation": "GetObject", "sequence": {"fail": 1, "pass": 1}, "times": 2},
        {**SLOW_DOWN, "operation": "ListObjectsV2", "times": 1},
    )
    for operation, path in (("PutObject", "/raw/"), ("PutObject", "/log/"), ("GetObject", "/raw/")):
        weather.stores.spoil("lose", operation, path=path, after=1, times=1)
    first = stack.invoke()
    assert (first["stopped"], first["publishing"], first["events"]) == ("nothing_due", "done", 3_000)
    assert weather.injector.fired() == {
        ("PutObject", "error:SlowDown"): 2,
        ("GetObject", "error:SlowDown"): 2,
        ("ListObjectsV2", "error:SlowDown"): 1,
    }
    assert len(weather.stores.seen(outcome="lose")) == 3
    prove(weather)
    prove_order(weather)


def test_writes_to_s3_whose_every_answer_is_lost_fail_runs_and_the_next_ones_go_on(weather: Weather) -> None:
    stack = weather.stack
    weather.configure(LONG)
    stack.slack.change(page_limit=400)
    stack.slack.generate(2_000, start=settled(20 * HOUR), end=settled())
    for path in ("/raw/", "/log/"):
        weather.stores.spoil("lose", "PutObject", path=path, after=2, times=ALL_TRIES)
        message = stack.fail()["errorMessage"]
        assert f"{path}org=main/" in message
        assert "Nothing is lost" in message
    runs_until_done(weather)
    assert len(weather.stores.seen(outcome="lose")) == 2 * ALL_TRIES
    prove(weather)


def test_a_throttled_table_fails_runs_and_the_next_ones_go_on(weather: Weather) -> None:
    stack = weather.stack
    weather.configure(LONG)
    stack.slack.change(page_limit=400)
    stack.slack.generate(2_000, start=settled(20 * HOUR), end=settled())
    weather.injector.inject({**THROTTLED, "operation": "UpdateItem", "times": ALL_TRIES})
    assert "Could not take the lease of org main" in stack.fail()["errorMessage"]

    weather.injector.inject({**THROTTLED, "operation": "PutItem", "times": 2 * ALL_TRIES})
    assert "Could not save the checkpoint of org main" in stack.fail()["errorMessage"]
    assert stack.invoke()["stopped"] == "lease_busy", "it could not give it back either"
    weather.let_the_lease_expire()

    assert sum(run["events"] for run in runs_until_done(weather)) == 2_000
    assert Counter({name: count for (name, _), count in weather.injector.fired().items()}) == {
        "UpdateItem": ALL_TRIES,
        "PutItem": 2 * ALL_TRIES,
    }
    prove(weather)


def test_all_of_it_at_once(weather: Weather) -> None:
    """Late events and a backfill among it. Slack's clock jumps, so that they need not be waited for."""
    stack, slack = weather.stack, weather.stack.slack
    weather.configure(LONG)
    slack.change(page_limit=400, short_pages=0.05, empty_pages=0.05)
    slack.generate(3_000, start=settled(20 * HOUR), end=settled(), late_fraction=0.2, late_delay=(HOUR, 20 * HOUR))
    slack.generate(300, start=settled(72 * HOUR), end=settled(60 * HOUR))
    for number, rule in enumerate(SLACK_FAULTS):
        slack.fault(**rule, after=4 * number)
    weather.injector.inject({**SLOW_DOWN, "operation": "PutObject", "sequence": {"fail": 1, "pass": 6}, "times": 4})
    weather.stores.spoil("lose", "PutObject", path="/raw/", after=5, times=ALL_TRIES)
    weather.stream.down()
    assert "Could not write s3://" in stack.fail()["errorMessage"]

    slack.change(clock_offset=26 * HOUR)
    weather.injector.inject(
        {**SLOW_DOWN, "operation": "GetObject", "sequence": {"fail": 1, "pass": 2}, "times": 3},
        {**THROTTLED, "operation": "PutItem", "sequence": {"fail": 1, "pass": 20}, "times": 3},
        {"service": "kinesis", "error": {"code": "KMSThrottlingException"}, "sequence": {"fail": 1, "pass": 1}},
    )
    for operation, path in (("PutObject", "/log/"), ("PutItem", ""), ("GetObject", "")):
        weather.stores.spoil("lose", operation, path=path, after=6)
    weather.stores.spoil("lose", "UpdateItem")
    weather.stream.up()
    weather.stream.spoil("lose", "PutRecords", after=1, times=2)
    weather.stream.limit(records=800, size=800_000)
    for _ in range(2):
        weather.let_the_lease_expire()  # a run that is throttled may have been unable to give it back
        stack.try_to_invoke()

    weather.clear_up()
    weather.let_the_lease_expire()
    order = {"from": settled(72 * HOUR), "to": settled(60 * HOUR), "publish": True}
    assert len(stack.invoke({"org": "main", "backfill": order})["backfills"]) == 1
    runs_until_done(weather)
    assert len(weather.stores.seen(outcome="lose")) == 4 + ALL_TRIES
    assert len(weather.stream.seen(outcome="lose")) == 2
    assert {operation for operation, _ in weather.injector.fired()} == {
        "PutObject", "GetObject", "PutItem", "PutRecords",
    }  # fmt: skip
    assert {fault for call in slack.calls() if (fault := call.fault)} == {rule["kind"] for rule in SLACK_FAULTS}
    found = Counter(entry["pass"].partition("-")[0] for entry in log_of(stack.objects()) if entry["count"])
    assert set(found) >= {"live", "late", "backfill"}
    prove(weather)
    prove_order(weather)


def test_a_backlog_goes_out_through_a_shard_that_takes_little_and_capture_does_not_wait_for_it(
    weather: Weather,
) -> None:
    stack = weather.stack
    weather.configure(SHORT)
    stack.slack.change(page_limit=400)
    stack.slack.generate(3_000, start=settled(20 * HOUR), end=settled())
    weather.stream.limit(records=500, size=500_000)
    runs = runs_until_done(weather)
    assert runs[0]["publishing"] != "done"
    calls = weather.stream.seen("PutRecords")
    assert sum(run["failed_records"] for run in runs) == sum(call.refused for call in calls) > 0
    assert sum(run["published"] for run in runs) == sum(call.taken for call in calls) >= 3_000
    committed = weather.stores.seen("PutObject")[-1].at
    assert sum(call.taken for call in calls if call.at < committed) < 3_000, "capture ended first"
    prove(weather)
    prove_order(weather)


def test_a_stream_that_refuses_and_then_is_down_for_many_runs_takes_all_in_order_when_it_is_back(
    weather: Weather,
) -> None:
    stack = weather.stack
    weather.configure(SHORT)
    stack.slack.change(page_limit=300, latency=0.3)
    stack.slack.generate(1_800, start=settled(24 * HOUR - 600), end=settled())  # the first window has some, at any hour
    weather.injector.inject(
        {"service": "kinesis", "operation": "PutRecords", "error": {"code": "KMSAccessDeniedException"}}
    )
    assert "The archive goes on without it" in stack.fail()["errorMessage"]
    captured = len(archived(stack.objects()))
    assert captured > 0
    weather.stream.down()
    runs = [stack.invoke()]
    while runs[-1]["stopped"] != "nothing_due":
        runs.append(stack.invoke())
    assert captured + sum(run["events"] for run in runs) == 1_800
    assert {run["published"] for run in runs} == {0}
    assert {run["publishing"] for run in runs} <= {"behind", "stream_unavailable"}
    assert len(runs) > 1
    assert all(before["backlog"] < after["backlog"] for before, after in pairwise(runs))
    assert stack.records() == []
    weather.injector.clear()
    weather.stream.up()
    assert sum(run["published"] for run in runs_until_done(weather)) == 1_800
    prove(weather)
    prove_order(weather)
