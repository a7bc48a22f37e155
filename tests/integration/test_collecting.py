"""The function from Slack's socket to the bytes in S3 and Kinesis: whatever was served is archived and streamed."""

import json

import pytest

from slack_audit.parts import Report
from tests import proof
from tests.builders import raw_event
from tests.integration.conftest import Deployment, Log


def test_the_first_run_collects_the_backlog(stack):
    stack.backlog(3_000)
    result = stack.run()
    assert (result["stopped"], result["events"], result["published"]) == ("nothing_due", 3_000, 3_000)
    stack.prove()


def test_the_result_is_the_whole_report(stack):
    stack.backlog(10)
    result = stack.run()
    assert set(result) == set(Report.__struct_fields__)
    assert result["calls_by_status"] == {"200": result["calls"]}
    varying = {"windows": 0, "batches": 0, "calls": 0, "calls_by_status": {}, "held": 0}
    varying |= {"watermark": 0, "lag": 0, "publish_lag": 0}
    assert result | varying == {
        "org": "main",
        "stopped": "nothing_due",
        "windows": 0,
        "batches": 0,
        "events": 10,
        "found": {"live": 10, "late": 0},
        "longest_delay": {},
        "held": 0,
        "repeats": 0,
        "out_of_range": 0,
        "calls": 0,
        "calls_by_status": {},
        "rate_limited": 0,
        "rate_limit_wait": 0,
        "published": 10,
        "failed_records": 0,
        "pointers": 0,
        "publishing": "done",
        "backlog": 0,
        "watermark": 0,
        "lag": 0,
        "publish_lag": 0,
        "backfill_remaining": 0,
    }
    assert stack.slack.now - result["watermark"] == pytest.approx(60, abs=5)
    assert result["lag"] == result["publish_lag"] == pytest.approx(60, abs=5)


def test_every_event_keeps_its_bytes(stack):
    second = stack.past[0]
    odd = [
        raw_event(second, "slash", url="https://example.com/a/b"),
        raw_event(second, "escaped", name="\u2603 Zo\u00eb \U0001f600"),
        raw_event(second, "spaces").replace(b",", b" , "),
        raw_event(second, "number", big=10**30, small=1e-7),
        raw_event(second, "twice").replace(b"{", b'{"x":1,"x":2,', 1),
        raw_event(second, "surrogate").replace(b"Ada", b"\\ud83d"),
        raw_event(second, "utf-8").replace(b"Ada", "Åda ☃".encode()),
        raw_event(second, "new", never_seen={"before": [None, True]}),
        b'{"date_create":%d,"action":"no_id"}' % second,
    ]
    stack.slack.add(*odd)
    assert stack.run()["events"] == len(odd)
    stack.prove()


def test_a_run_right_after_has_nothing_to_do(stack):
    stack.backlog(500)
    stack.run()
    calls, entries = len(stack.slack.calls()), len(proof.log_of(stack.cloud.objects()))
    again = stack.run()
    assert (again["stopped"], again["events"], again["calls"], again["published"]) == ("nothing_due", 0, 0, 0)
    assert (len(stack.slack.calls()), len(proof.log_of(stack.cloud.objects()))) == (calls, entries)
    stack.prove()


def test_seconds_without_events_are_read_and_logged_too(stack):
    stack.run()
    stack.later(120)
    result = stack.run()
    assert (result["windows"], result["batches"], result["events"]) == (2, 0, 0), "live's and late's"
    assert stack.cloud.streamed() == []
    stack.prove()


def test_what_happens_between_two_runs_comes_with_the_next(stack):
    stack.backlog(200)
    first = stack.run()
    now = int(stack.slack.now)
    stack.slack.generate(300, start=first["watermark"] + 1, end=now)
    stack.later(120)
    second = stack.run()
    assert second["events"] == 300
    assert second["watermark"] >= now
    stack.prove()


def test_an_event_that_slack_shows_late_but_within_the_lag_is_not_missed(stack):
    stack.set(LIVE_LAG_SECONDS="600")
    stack.run()
    second = int(stack.slack.now) - 550
    stack.slack.add(raw_event(second, "late"), visible_at=stack.slack.now + 500)
    stack.later(510)
    assert stack.run()["events"] == 1
    stack.prove()


def test_minute_after_minute(stack):
    stack.slack.traffic(20)
    stack.run()
    for _ in range(5):
        now = int(stack.slack.now)
        stack.slack.generate(100, start=now - 59, end=now)
        stack.later(60)
        stack.run()
    stack.slack.traffic(0)
    stack.later(120)
    stack.run()
    assert len(stack.archived()) >= 500
    stack.prove()


@pytest.mark.parametrize(
    "habits",
    [
        pytest.param({"page_limit": 40}, id="small pages"),
        pytest.param({"page_limit": 40, "over_deliver": True}, id="seconds are never cut"),
        pytest.param({"page_limit": 60, "short_pages": 0.5}, id="pages that are short"),
        pytest.param({"page_limit": 60, "empty_pages": 0.4}, id="pages that are empty"),
        pytest.param({"dangling_cursors": 0.5}, id="cursors behind which nothing is"),
        pytest.param({"duplicates": 0.3}, id="events that come twice"),
        pytest.param({"last_page": "rotate", "page_limit": 80}, id="every way to say the end"),
        pytest.param(
            {
                "page_limit": 50,
                "short_pages": 0.2,
                "empty_pages": 0.2,
                "dangling_cursors": 0.2,
                "duplicates": 0.1,
                "over_deliver": True,
                "last_page": "rotate",
            },
            id="all of it",
        ),
    ],
)
def test_whatever_slacks_pages_are_like(stack, habits):
    stack.slack.change(**habits)
    start, end = stack.past
    stack.slack.generate(400, start=start, end=end, bursts=0.3, burst_size=30)
    stack.until_done()
    assert len(stack.archived()) == 400
    stack.prove()


def test_a_second_that_is_larger_than_a_page(stack):
    second = stack.past[0]
    stack.slack.add(*[raw_event(second, number) for number in range(25_000)])
    stack.slack.add(raw_event(second - 1), raw_event(second + 1))
    result = stack.run()
    assert (result["stopped"], result["events"], result["published"]) == ("nothing_due", 25_002, 25_002)
    stack.prove()


def test_an_event_that_is_too_large_for_the_stream_goes_out_as_a_pointer(stack):
    second = stack.past[0]
    large = raw_event(second, "large", details={"new_value": "x" * 1_100_000})
    stack.slack.add(raw_event(second, "a"), large, raw_event(second, "z"))
    result = stack.run()
    assert (result["events"], result["published"], result["pointers"]) == (3, 3, 1)
    assert large in stack.archived()
    pointer = json.loads(stack.cloud.streamed()[1])["slack_audit_pointer"]
    assert pointer["s3_uri"].startswith(f"s3://{stack.cloud.name}/raw/org=main/")
    assert (pointer["id"], pointer["line"], pointer["sha256"]) == (f"{second}-large", 2, proof.digest(large))


@pytest.mark.parametrize("offset", [7_200, -7_200])
def test_slacks_clock_counts_and_not_the_hosts(stack, offset):
    stack.slack.change(clock_offset=offset)
    stack.backlog(300)
    result = stack.run()
    assert result["events"] == 300
    assert stack.slack.now - result["watermark"] == pytest.approx(60, abs=5)
    assert int(stack.item()["clock"]["N"]) == pytest.approx(offset, abs=3)
    stack.prove()


def test_a_clock_that_jumps_back_between_two_runs_does_no_harm(stack):
    stack.slack.change(clock_offset=3_600)
    stack.backlog(100)
    stack.run()
    stack.slack.change(clock_offset=0)
    stack.set(LIVE_LAG_SECONDS="0")
    stack.run()
    stack.later(3_700)
    assert stack.run()["lag"] < 60
    stack.prove()


def test_midnight_is_in_no_window(stack):
    stack.set(INITIAL_LOOKBACK_HOURS="30")
    now = int(stack.slack.now)
    stack.slack.generate(500, start=now - 29 * 3_600, end=now - 100)
    assert stack.run()["events"] == 500
    days = {key.split("/")[2] for key in stack.cloud.objects() if key.startswith("raw/")}
    assert len(days) in {2, 3}
    stack.prove()


def test_only_what_the_filters_ask_for_is_collected_and_the_log_says_so(stack):
    second = stack.past[0]
    wanted = raw_event(second, 1, action="user_logout")
    stack.slack.add(raw_event(second, 0), wanted, raw_event(second, 2, action="file_shared"))
    stack.set(ACTION_FILTER="user_logout, user_login_failed")
    stack.run()
    assert stack.archived() == stack.cloud.streamed() == [wanted]
    filters = {"action": "user_logout,user_login_failed", "actor": "", "entity": ""}
    assert {json.dumps(entry["filters"]) for entry in proof.log_of(stack.cloud.objects())} == {json.dumps(filters)}


def test_a_cold_start_goes_on_where_a_warm_one_would(stack):
    stack.backlog(100)
    first = stack.run()
    stack.cold()
    stack.slack.generate(100, start=first["watermark"] + 1, end=int(stack.slack.now))
    stack.later(120)
    assert stack.run()["events"] == 100
    stack.prove()


def test_a_lost_table_is_rebuilt_from_the_log(stack):
    stack.backlog(300)
    stack.run()
    stack.cloud.clients.dynamodb.delete_item(TableName=stack.cloud.name, Key={"org": {"S": "main"}})
    result = stack.run()
    assert (result["events"], result["backlog"]) == (0, 0)
    stack.later(120)
    stack.run()
    stack.prove()


# What it says of itself


def test_a_run_emits_its_metrics(stack, capsys):
    stack.backlog(100)
    result = stack.run()
    plain, of_the_org, live, late, status = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (plain["SlackCalls"], plain["EventsPublished"]) == ([result["calls"]], [100])
    assert (of_the_org["RunSuccess"], of_the_org["EventsCollected"], of_the_org["org"]) == ([1], [100], "main")
    assert of_the_org["LiveLag"] == [result["lag"]]
    assert (live["pass"], live["EventsCollected"]) == ("live", [100])
    assert (late["pass"], late["LateEvents"]) == ("late", [0])
    assert (status["status"], status["SlackCalls"]) == ("200", [result["calls"]])


def test_a_run_logs_its_result_and_no_event(stack: Deployment, log: Log):
    stack.slack.add(raw_event(stack.past[0], "one"))
    result = stack.run()
    assert log.messages()[-1] == "collected"
    assert {name: log.lines[-1][name] for name in result} == result
    assert log.lines[-1]["function_request_id"] == "c0ffee00-0000-4000-8000-000000000000"
    assert "ada@example.com" not in log.text


def test_a_run_logs_how_often_each_action_was_archived(stack: Deployment, log: Log):
    stack.slack.add(*[raw_event(stack.past[0], number, action="user_login") for number in range(3)])
    stack.slack.add(raw_event(stack.past[0], "odd", action='a "quoted"\nname'))
    stack.run()
    found = [line for line in log.lines if line["message"] == "events"]
    assert [(it["org"], it["pass"], it["action"], it["events"]) for it in found] == [
        ("main", "live", "user_login", 3),
        ("main", "live", 'a "quoted"\nname', 1),
    ]
