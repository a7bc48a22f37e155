"""The benchmark's harness: the AWS at wire speed, the steady history, a small drain that proves itself, the figures."""

import json
from collections import Counter
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from benchmarks.performance import document
from benchmarks.performance.__main__ import choice
from benchmarks.performance.baseline import compare, kept
from benchmarks.performance.figures import Figure, beside_the_loop, figures
from benchmarks.performance.goals import goals
from benchmarks.performance.paced import by_minute
from benchmarks.performance.plan import BARE, Measurement, plan
from benchmarks.performance.processes import started, told
from benchmarks.performance.rounds import FailedError, by_name, measured
from benchmarks.performance.slack import history_of
from benchmarks.performance.tables import changed, tables
from local.slack.history import BEFORE_ALL, Place, Selection


@pytest.fixture(scope="module")
def wire():
    with started("wire") as base:
        yield base


@pytest.fixture
def client(wire, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    session = boto3.Session("test", "test", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=wire)


def test_the_wire_is_an_s3_that_writes_once(client):
    s3 = client("s3")
    s3.put_object(
        Bucket="once",
        Key="log/1",
        Body=b"first",
        IfNoneMatch="*",
        ChecksumSHA256="p5N7ZLjKpY8Dchu2us9ceMsjX+vg5wsbhM2ZVBRhoI4=",
    )
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="once", Key="log/1", Body=b"second", IfNoneMatch="*")
    assert s3.get_object(Bucket="once", Key="log/1")["Body"].read() == b"first"
    assert s3.head_object(Bucket="once", Key="log/1")["ContentLength"] == 5
    for missing in (s3.get_object, s3.head_object):
        with pytest.raises(ClientError, match=r"NoSuchKey|404"):
            missing(Bucket="once", Key="log/2")


def test_the_wire_lists_as_s3_does(client):
    s3 = client("s3")
    for key in ("a", "log/1", "log/2", "log/3", "raw/x/1", "raw/x/2", "raw/y/1", "z"):
        s3.put_object(Bucket="listed", Key=key, Body=key.encode())

    def keys(**asked: Any) -> tuple[list[str], list[str], bool]:
        answer = s3.list_objects_v2(Bucket="listed", **asked)
        folders = [it["Prefix"] for it in answer.get("CommonPrefixes", [])]
        return [it["Key"] for it in answer.get("Contents", [])], folders, answer["IsTruncated"]

    assert keys(Prefix="log/") == (["log/1", "log/2", "log/3"], [], False)
    assert keys(Prefix="log/", StartAfter="log/1", MaxKeys=1) == (["log/2"], [], True)
    assert keys(Prefix="log/", StartAfter="log/2", MaxKeys=1) == (["log/3"], [], False)
    assert keys(Delimiter="/") == (["a", "z"], ["log/", "raw/"], False)
    assert keys(Prefix="raw/", Delimiter="/") == ([], ["raw/x/", "raw/y/"], False)
    assert keys(Prefix="nothing/") == ([], [], False)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="listed", PaginationConfig={"PageSize": 3})
    assert [len(page["Contents"]) for page in pages] == [3, 3, 2]
    s3.delete_objects(Bucket="listed", Delete={"Objects": [{"Key": "a"}, {"Key": "log/2"}]})
    assert keys(Prefix="log/") == (["log/1", "log/3"], [], False)


def test_the_wire_is_a_table_with_conditions(client):
    table = client("dynamodb")
    named = {"TableName": "t", "ExpressionAttributeNames": {"#owner": "owner"}}

    def acquire(owner: str, now: int) -> Any:
        return table.update_item(
            **named,
            Key={"org": {"S": "main"}},
            UpdateExpression="SET #owner = :owner, lease_until = :until",
            ConditionExpression="attribute_not_exists(#owner) OR lease_until < :now OR #owner = :owner",
            ExpressionAttributeValues={":owner": {"S": owner}, ":until": {"N": "100"}, ":now": {"N": str(now)}},
            ReturnValues="ALL_OLD",
        ).get("Attributes")

    assert acquire("one", 5) is None
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        acquire("two", 5)
    assert acquire("two", 101)["owner"] == {"S": "one"}
    mine = {"ConditionExpression": "#owner = :owner", "ExpressionAttributeValues": {":owner": {"S": "one"}}}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.put_item(**named, **mine, Item={"org": {"S": "main"}})
    assert table.get_item(TableName="t", Key={"org": {"S": "main"}})["Item"]["owner"] == {"S": "two"}


def test_the_wire_counts_calls_and_records(client, wire):
    before = Counter(told(f"{wire}/_wire/counts"))
    assert json.loads(client("secretsmanager").get_secret_value(SecretId="x")["SecretString"])["token"]
    record = {"Data": b"data", "PartitionKey": "key"}
    answer = client("kinesis").put_records(StreamName="s", Records=[record] * 500)
    assert (answer["FailedRecordCount"], len(answer["Records"])) == (0, 500)
    with pytest.raises(ClientError, match="InvalidArgument"):
        client("kinesis").put_records(StreamName="s", Records=[record] * 501)
    after = Counter(told(f"{wire}/_wire/counts"))
    assert after - before == Counter(kinesis=2, secretsmanager=1, records=500)


def test_the_wire_is_a_queue(client, wire):
    sqs, url = client("sqs"), f"{wire}/000000000000/queue"
    assert sqs.get_queue_attributes(QueueUrl=url)["Attributes"] == {"MaximumMessageSize": "1048576"}
    said = {"event_id": {"DataType": "String", "StringValue": "id"}}
    messages = [{"Id": str(number), "MessageBody": "{}", "MessageAttributes": said} for number in range(11)]
    before = Counter(told(f"{wire}/_wire/counts"))
    assert len(sqs.send_message_batch(QueueUrl=url, Entries=messages[:10])["Successful"]) == 10
    with pytest.raises(ClientError, match="TooManyEntries"):
        sqs.send_message_batch(QueueUrl=url, Entries=messages)
    assert Counter(told(f"{wire}/_wire/counts")) - before == Counter(sqs=2, records=10)


def test_a_steady_history_has_its_events_in_walks_of_any_page_size():
    history = history_of(5_000, 1)
    newest, selection = Place(history.newest, BEFORE_ALL, 77), Selection()
    seen, place, more = [], newest, True
    while more:
        cut = history.page(selection, place, 999)
        seen, place, more = seen + cut.events, cut.place, cut.more
    assert [it.second for it in seen] == sorted((it.second for it in seen), reverse=True)
    assert len({json.loads(it.raw)["id"] for it in seen}) == len(seen) == 5_000
    assert sorted(seen) == sorted(history_of(5_000, 1).page(selection, newest, 5_000).events)
    assert 600 < sum(len(it.raw) for it in seen) / 5_000 < 900


@pytest.mark.parametrize("kinesis", [True, False])
def test_a_drain_proves_what_it_did(kinesis):
    options = ("--events=2000", "--kinesis" if kinesis else "--no-kinesis")
    said = measured(Measurement("drain", "", "drain", options))
    assert said["events"] == 2_000
    assert said["cpu"] > 0
    assert said["peak_mb"] > 30
    assert (said["calls"]["kinesis"] >= 4) is kinesis
    assert said["calls"]["slack"] >= 1


def test_a_measurement_that_fails_says_what_it_wrote():
    with pytest.raises(FailedError, match="without Kinesis it is a backfill"):
        measured(Measurement("drain", "", "drain", ("--no-kinesis", "--passes=all")))


def line(cpu: float, events: int = 1_000, **more: Any) -> dict[str, Any]:
    calls = {"slack": 10, "s3": 20, "dynamodb": 20, "kinesis": 0}
    return {"events": events, "cpu": cpu, "wall": 2 * cpu, "peak_mb": 100.0, "calls": calls, **more}


RESULTS: dict[str, list[dict[str, Any]]] = {
    BARE: [line(1.0), line(2.0), line(1.5)],
    "drain": [line(1.2), line(2.4), line(3.0)],
    "dlt": [line(1.8, events=100), line(3.0, events=100)],
    "fill-1": [line(1.0, fill=0.9)],
}


def figures_of(results: dict[str, list[dict[str, Any]]]) -> dict[str, Figure]:
    return figures(beside_the_loop(results))


def test_costs_are_told_as_multiples_of_the_bare_loop_of_the_same_round():
    found = figures_of(RESULTS)
    assert found["drain"].times == pytest.approx(1.2)  # of 1.2, 1.2 and 2.0
    assert found["dlt"].times == pytest.approx((18 + 15) / 2)
    assert found["drain"].per_second == pytest.approx(1_000 / 2.4)
    assert figures({"drain": [line(1.0)]})["drain"].times is None


def test_what_is_worse_than_the_baseline_is_a_regression():
    before = kept(figures_of(RESULTS))
    assert [it for it in compare(figures_of(RESULTS), before) if it.share] == []
    worse = figures_of({**RESULTS, "drain": [line(1.4), line(2.8), line(3.0)], "fill-1": [line(1.0, fill=0.85)]})
    found = compare(worse, before)
    assert {(it.name, it.figure) for it in found if it.is_regression} == {("drain", "times"), ("fill-1", "fill")}
    assert [row[:2] for row in changed(found).rows] == [["drain", "times"], ["fill-1", "fill"]]
    other_size = figures_of({**RESULTS, "drain": [line(9.0, events=10)]})
    assert [it for it in compare(other_size, before) if it.name == "drain"] == []


def test_every_measurement_has_a_name_of_its_own_and_can_be_chosen():
    whole = plan(1_000_000, 100_000)
    assert len({it.name for it in whole}) == len(whole)
    assert [it.name for it in choice(whole, ["drain-kinesis"])] == [BARE, "drain-kinesis"]
    assert {it.group for it in choice(whole, ["growth"])} == {"drain", "growth"}
    assert [it.name for it in choice(whole, ["replay"])] == [
        BARE,
        "replay",
        "replay.small",
        "replay.queue",
        "replay.slow",
    ]
    assert choice(whole, ["nothing"]) == []


def test_goals_and_tables_tell_only_what_was_measured():
    found = figures_of(RESULTS)
    assert [it.is_met for it in goals(found)] == [True, True, True, True]
    assert {it.name for it in tables(found, plan(1_000, 100))} == {"drain", "calls", "fill"}
    assert goals({}) == []


def test_a_measurement_of_several_things_is_told_by_their_names():
    rows = [
        {"name": f"steady-{events}", "cpu": 0.03, "wall": 0.1, "peak_mb": 80.0, "events": events, "calls": calls}
        for events, calls in ((0, {"slack": 3, "s3": 2, "dynamodb": 2, "kinesis": 0}), (10, {"slack": 3, "s3": 9}))
    ]
    steady = next(it for it in plan(1_000, 100) if it.name == "steady")
    results = {name: [told] for name, told in by_name(steady, {"name": "steady", "rows": rows})}
    found = figures_of({**RESULTS, **results})
    assert [name for name in found if steady.is_of(name)] == ["steady-0", "steady-10"]
    assert found["steady-10"].times == pytest.approx(0.03 / 1_000 / (1.0 / 1_000))
    assert [it.is_met for it in goals({"steady-0": found["steady-0"]})] == [True, True]


def test_what_reads_an_archive_is_measured_by_its_events_and_by_what_half_of_them_took():
    whole = {it.name: it for it in plan(1_000_000, 100_000)}
    row = {"title": "verify", "cpu": 2.0, "wall": 6.0, "calls": {}, "is_a_run": False}
    large = {**row, "name": "verify-whole", "events": 200_000, "peak_mb": 70.0}
    small = {**row, "name": "verify.small-whole", "events": 100_000, "peak_mb": 50.0}
    said = [*by_name(whole["verify"], {"rows": [large]}), *by_name(whole["verify.small"], {"rows": [small]})]
    found = figures_of({**RESULTS, **{name: [told] for name, told in said}})
    assert found["verify-whole"].times == pytest.approx((2.0 / 200_000) / (1.0 / 1_000))
    reading = next(it for it in tables(found, whole.values()) if it.name == "reading")
    assert reading.rows == [["verify", "200,000", "2,000,000", "10.0", "0.01", "70", "1.40"]]
    met = [it.is_met for it in goals({name: it for name, it in found.items() if name.startswith("verify")})]
    assert met == [True, False]


@pytest.mark.parametrize(("module", "options"), [("verify", ()), ("replay", ("--target=queue", "--at-once=1"))])
def test_what_reads_an_archive_tells_its_rows(module, options):
    asked = ("--events=1000", f"--json={module}", *options)
    said = measured(Measurement(module, "", module, asked, package="benchmarks"))
    assert said["rows"]
    assert all(row["name"].startswith(f"{module}-") and row["events"] == 1_000 for row in said["rows"])
    assert all(row["cpu"] > 0 and row["peak_mb"] > 30 for row in said["rows"])


def test_a_minute_is_whole_when_a_later_call_shows_it():
    assert by_minute([100.0, 101.0, 159.9, 160.0, 219.0, 221.0]) == [3, 2]
    assert by_minute([100.0, 130.0]) == []


def test_tables_go_between_their_markers():
    text = "before\n<!-- drain -->\nold\n<!-- /drain -->\nafter\n"
    assert document.filled(text, "drain", "new") == "before\n<!-- drain -->\nnew\n<!-- /drain -->\nafter\n"
    with pytest.raises(document.NoMarkerError, match="fill"):
        document.filled(text, "fill", "new")
