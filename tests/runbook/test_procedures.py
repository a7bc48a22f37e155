"""Each procedure of the page, done as it is written: what went wrong before is right after it, and nothing is lost.

All of them on one stack, one after the other; the last one removes it.
"""

import gzip
import json
import re
import shutil
import time
from datetime import UTC, datetime
from typing import Any
from zipfile import ZipFile

import pytest

from tests.proof import log_of
from tests.runbook import page
from tests.runbook.living import HOUR, Living
from tests.stored import records_in

DAY = 24 * HOUR
ANOTHER_TOKEN = "xoxp-another-that-is-not-real"


@pytest.fixture
def table(stack):
    return Table(stack)


class Table:
    """The checkpoint, as somebody with an editor changes it."""

    def __init__(self, stack: Living) -> None:
        self._client = stack.aws.client("dynamodb")
        self.name = stack.outputs["CheckpointTableName"]

    def item(self) -> dict[str, Any]:
        return self._client.get_item(TableName=self.name, Key={"org": {"S": "main"}}).get("Item", {})

    def put(self, item: dict[str, Any]) -> None:
        self._client.put_item(TableName=self.name, Item=item)

    def move(self, seconds: int, *passes: str) -> None:
        """The watermarks."""
        item = self.item()
        for name in passes:
            place = item["passes"]["M"][name]["M"]["watermark"]
            place["N"] = str(int(place["N"]) + seconds)
        self.put(item)


def day(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d")


def batches_of(stack: Living) -> list[dict[str, Any]]:
    """The log's entries that name a batch."""
    return [entry for entry in log_of(stack.objects()) if entry["key"]]


def prove(stack, shell) -> None:
    """Nothing lost, nothing twice, everything streamed, and the command says the same."""
    stack.prove()
    assert "PROVEN" in shell.run('slack-audit verify --bucket "$BUCKET" --org "$ORG"')


def test_rotate_the_token(stack, shell):
    stack.collect()
    stack.slack.token(ANOTHER_TOKEN)
    stack.happen()
    assert "the token is not accepted" in stack.fail()["errorMessage"]
    said = shell.run(*page.blocks("Rotate the token"), typed=f"{ANOTHER_TOKEN}\n")
    assert '"events": 40' in said
    assert ANOTHER_TOKEN not in said
    stack.prove()


def test_backfill(stack, shell):
    begin, look, pause = page.blocks("Backfill")
    stack.collect()
    now = int(stack.clock())
    stack.slack.generate(60, start=now - 4 * DAY, end=now - 3 * DAY, seed=99)
    values = {"FROM": day(now - 4 * DAY), "TO": day(now - 3 * DAY), "PUBLISH": "true"}
    name = json.JSONDecoder().raw_decode(shell.run(begin, **values))[0]["backfills"][0]["name"]
    assert '"paused": true' in shell.run(pause, NAME=name)
    stack.collect()
    assert name in shell.run(look)
    shell.run(pause.replace('\\"pause\\"', '\\"resume\\"'), NAME=name)
    assert stack.invoke()["found"] == {"backfill": 60}
    assert '"backfills": []' in shell.run(look)
    stack.prove()


def test_replay(stack, shell):
    elsewhere, live = page.blocks("Replay")
    stack.collect()
    days = sorted({day(json.loads(event)["date_create"]) for event in stack.served()})
    times = {"FROM": days[0], "TO": days[-1]}
    stream = f"{stack.name}-other"
    kinesis = stack.aws.client("kinesis")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    said = shell.run(elsewhere, TARGET=stream, **times)
    assert "CLEAN" in said
    assert f"events sent {len(stack.served()):,}" in " ".join(said.split())
    again = records_in(kinesis, stream)
    assert sorted(again) == sorted(set(stack.records())), "each once, under the same partition key"
    shell.run(live, **times)
    assert len(stack.records()) == 2 * len(again)
    prove(stack, shell)


def test_a_replay_of_a_batch_that_is_not_what_its_entry_says_fails_and_goes_on_once_it_is(stack, shell):
    s3, bucket = stack.aws.client("s3"), stack.outputs["ArchiveBucketName"]
    batch = batches_of(stack)[-1]["key"]
    whole, before = stack.objects()[batch], len(stack.records())
    s3.put_object(Bucket=bucket, Key=batch, Body=gzip.compress(b'{"id":"made up"}\n'))
    _, live = page.blocks("Replay")
    result = shell.try_to_run(live, FROM=batch.partition("dt=")[2][:10], TO=batch.partition("dt=")[2][:10])
    assert result.returncode == 1
    assert f"{batch} has other bytes than its log entry says" in result.stderr
    s3.put_object(Bucket=bucket, Key=batch, Body=whole)
    execution = shell.run(*page.blocks("ReplayFailedAlarm")[:1]).splitlines()[0].split()[-1]
    assert "CLEAN" in shell.run(f"slack-audit replay --redrive {execution}")
    assert b"made up" not in b"".join(data for _, data in stack.records()[before:])


def test_a_lease_that_never_ends_is_freed(stack, shell, table):
    look, free = page.blocks("Stuck lease")
    stack.collect()
    stack.happen()
    table.put(
        table.item() | {"owner": {"S": "a-run-of-next-year"}, "lease_until": {"N": str(int(time.time()) + 365 * DAY)}}
    )
    assert stack.invoke()["stopped"] == "lease_busy"
    assert "a-run-of-next-year" in shell.run(look)
    assert '"events": 40' in shell.run(free)
    stack.prove()


def test_a_lost_item_needs_nobody_and_an_old_one_does_no_harm(stack, shell, table):
    stack.collect()
    old = table.item()
    stack.happen()
    stack.collect()
    stack.aws.client("dynamodb").delete_item(TableName=table.name, Key={"org": {"S": "main"}})
    stack.happen()
    assert stack.invoke()["events"] == 40
    stack.prove()
    table.put(old)
    stack.happen()
    assert stack.invoke()["events"] == 40
    prove(stack, shell)


def test_a_lost_table_is_made_again(stack, shell, table):
    stack.collect()
    client = stack.aws.client("dynamodb")
    client.update_table(TableName=table.name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=table.name)
    assert "Could not take the lease" in stack.fail()["errorMessage"]
    stack.clock.ahead += 600
    stack.slack.generate(40, start=int(stack.clock() - 500), end=int(stack.clock() - 100), seed=77)
    assert '"events": 40' in shell.run(*page.blocks("Lost table"))
    made = client.describe_table(TableName=table.name)["Table"]
    assert (made["DeletionProtectionEnabled"], made["SSEDescription"]["SSEType"]) == (True, "KMS")
    (line,) = shell.run("orgs").splitlines()
    assert int(line.split("\t")[4]) == len(log_of(stack.objects()))
    prove(stack, shell)


def test_an_object_is_restored(stack, shell):
    who, versions, let, restore, close = page.blocks("Restore an object")
    stack.collect()
    s3, bucket = stack.aws.client("s3"), stack.outputs["ArchiveBucketName"]
    objects = stack.objects()
    sealed = batches_of(stack)[0]
    batch = sealed["key"]
    entry = "log/org=main/000000000001.json"
    s3.put_object(Bucket=bucket, Key=batch, Body=gzip.compress(b'{"id":"made up"}\n'))
    s3.delete_object(Bucket=bucket, Key=entry)
    found = shell.try_to_run('slack-audit verify --bucket "$BUCKET"').stdout
    assert batch in "".join(found.split())
    assert entry in "".join(found.split())
    shell.run(who.splitlines()[0])
    shell.run(let, GLASS="arn:aws:iam::000000000000:role/break-glass")
    assert "role/break-glass" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    for key, digest in ((batch, sealed["sha256"]), (entry, log_of(objects)[2]["previous"])):
        digests = [line.split() for line in shell.run(versions, OBJECT=key).splitlines() if "  versions/" in line]
        (right,) = {name.removeprefix("versions/") for found, name in digests if found == digest}
        shell.run(f"OBJECT={key}\n{restore}", RIGHT=right)
        shutil.rmtree(shell.folder / "versions")
    assert "PROVEN" in shell.run(close)
    assert "role/break-glass" not in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert stack.objects() == objects
    stack.happen()
    assert stack.invoke()["events"] == 40
    stack.prove()


def test_evidence_is_handed_over_and_the_receiver_finds_what_was_altered_on_the_way(stack, shell):
    make, check = page.blocks("Hand evidence over")
    stack.collect()
    stack.happen()
    stack.collect()
    window = batches_of(stack)[-1]["window"]
    since, until = (datetime.fromtimestamp(window[end], UTC).isoformat() for end in ("lo", "hi"))
    printed = shell.run(make, CASE="case-7", FROM=since, TO=until)
    (head,) = re.findall(r"^head +(\d+:[0-9a-f]{64})", printed, re.MULTILINE)
    package = shell.folder / "case-7.zip"
    with ZipFile(package) as found:
        contents = {name: found.read(name) for name in found.namelist()}
    assert len(contents["events.ndjson"].splitlines()) >= batches_of(stack)[-1]["count"]
    assert batches_of(stack)[-1]["key"] in contents
    values = "CASE=case-7"
    assert "WHOLE" in shell.run(values, check, HEAD=head)
    with ZipFile(package, "w") as out:
        for name, body in contents.items():
            out.writestr(name, body[:-2] + b"!" if name == "events.ndjson" else body)
    assert shell.try_to_run(values, check, HEAD=head).returncode != 0
    last = check.splitlines()[-1]
    assert shell.try_to_run(values, f"HEAD={head}\n{last}").returncode == 1


def test_a_pause_loses_nothing(stack, shell):
    pause, resume = page.blocks("Pause and resume")

    def states() -> set[str]:
        return {
            it["State"]
            for it in stack.aws.client("scheduler").list_schedules()["Schedules"]
            if stack.name in it["Target"]["Arn"]
        }

    shell.run(resume)
    assert states() == {"ENABLED"}
    shell.run(pause)
    assert states() == {"DISABLED"}
    stack.happen()
    stack.collect()
    stack.prove()


def test_a_new_organisation_is_collected_apart(stack, shell):
    grow, name = page.blocks("New organisation")
    put, *_ = page.blocks("Rotate the token")
    stack.collect()
    shell.run(grow)
    targets = stack.aws.client("scheduler").list_schedules()["Schedules"]
    assert len([it for it in targets if ":live" in it["Target"]["Arn"] and stack.name in it["Target"]["Arn"]]) == 3
    assert "gives no token" in stack.fail({"org": "research"})["errorMessage"]
    before = stack.objects()
    assert '"org": "research"' in shell.run(name, put, typed=f"{ANOTHER_TOKEN}\n")
    archived = [entry["count"] for entry in log_of(stack.objects("research"))]
    assert sum(archived) > 200
    assert stack.objects() == before
    assert {line.split("\t")[0] for line in shell.run("orgs").splitlines()} == {"main", "research"}
    assert "PROVEN" in shell.run('slack-audit verify --bucket "$BUCKET" --org research')


def test_a_watermark_that_was_moved_before_any_run_took_it(stack, shell, table):
    stack.collect()
    stack.happen()
    table.move(300, "live")
    assert '"events": 40' in shell.run(page.blocks("Moved watermark")[0])
    prove(stack, shell)


def test_a_watermark_that_a_run_took_loses_nothing_and_is_named_for_ever(stack, shell, table):
    """`late` brings what live left out. From here on the archive is not proven any more."""
    stack.collect()
    stack.happen()
    table.move(300, "live")
    assert stack.invoke()["events"] < 40
    result = shell.try_to_run(page.blocks("Moved watermark")[0])
    assert result.returncode == 1
    assert "window" in result.stdout
    for _ in range(5):
        stack.happen(0)
    stack.collect()
    objects = stack.objects()
    lines = [line for entry in batches_of(stack) for line in gzip.decompress(objects[entry["key"]]).splitlines()]
    assert sorted(lines) == sorted(stack.served())


def test_after_the_stack_is_removed_the_archive_is_there(stack, shell):
    kept, proof, stream = page.blocks("After the stack is removed")
    before = stack.objects()
    client = stack.aws.client("cloudformation")
    client.delete_stack(StackName=stack.name)
    client.get_waiter("stack_delete_complete").wait(StackName=stack.name, WaiterConfig={"Delay": 1})
    said = shell.run(kept)
    for name in ("ArchiveBucketName", "CheckpointTableName", "EventStreamName"):
        assert stack.outputs[name] in said
    assert stack.objects() == before
    assert "NOT PROVEN: 1 finding" in shell.try_to_run(proof).stdout, "the watermark that was moved above"
    shell.run(stream)
    assert stack.outputs["EventStreamName"] not in stack.aws.client("kinesis").list_streams()["StreamNames"]
