"""The deployed state machine of replays: what it sends, where to, and what it says of it in the end.

On the deployment that the storms have, too: a deployment takes longer than all of this.
"""

import json
import time
import zlib
from typing import Any

from tests.e2e.stack import settled
from tests.e2e.storms import HOUR, LONG
from tests.e2e.weather import Weather
from tests.proof import archived
from tests.stored import objects_in, records_in

PATIENCE = 60  # seconds


class Replays:
    """The state machine of a stack, as anybody with an AWS client sees it."""

    def __init__(self, weather: Weather) -> None:
        self.aws = weather.stack.aws
        self.machine = weather.stack.outputs["ReplayStateMachineArn"]
        self.states = self.aws.client("stepfunctions")

    def start(self, name: str, **request: Any) -> str:
        asked = json.dumps({"org": "main", "concurrency": 1, **request})
        started: str = self.states.start_execution(stateMachineArn=self.machine, name=name, input=asked)["executionArn"]
        return started

    def end(self, execution: str) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            told: dict[str, Any] = dict(self.states.describe_execution(executionArn=execution))
            if told["status"] != "RUNNING":
                return told
            time.sleep(0.1)
        raise AssertionError(f"{execution} still runs after {PATIENCE} s")


def test_a_replay_brings_what_is_wanted_to_a_stream_and_a_bucket_and_a_failed_one_is_redriven(weather: Weather) -> None:
    stack = weather.stack
    weather.configure(LONG)
    stack.slack.generate(400, start=settled(3 * HOUR), end=settled())
    stack.invoke()
    live = stack.records()
    events = archived(stack.objects())
    kinesis, s3 = stack.aws.client("kinesis"), stack.aws.client("s3")
    replays = Replays(weather)
    bucket, stream = f"investigations-{settled()}", f"investigation-{settled()}"
    s3.create_bucket(Bucket=bucket)
    action = json.loads(events[0])["action"]
    wanted = [line for line in events if json.loads(line)["action"] == action]

    # a stream that is not there yet: the replay fails, and is redriven once it is
    failed = replays.start("to-a-stream", selection={"actions": [action]}, target={"stream": stream})
    assert "ExceedToleratedFailureThreshold" in replays.end(failed)["error"]
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    replays.states.redrive_execution(executionArn=failed)
    report = json.loads(replays.end(failed)["output"])
    assert (report["clean"], report["totals"]["selected"], report["totals"]["sent"]) == (True, len(wanted), len(wanted))
    assert report["totals"]["read"] == 400
    records = records_in(kinesis, stream)
    assert sorted(data for _, data in records) == sorted(wanted)
    assert [key for key, _ in records] == [json.loads(data)["id"] for _, data in records]

    to_bucket = replays.start("to-a-bucket", concurrency=2, target={"bucket": bucket, "prefix": "case-17/"})
    report = json.loads(replays.end(to_bucket)["output"])
    assert report["clean"] is True
    stored = objects_in(s3, bucket)
    assert all(key.startswith("case-17/replay=to-a-bucket/org=main/dt=") for key in stored)
    lines = [line for body in stored.values() for line in zlib.decompress(body, 31).split(b"\n")[:-1]]
    assert sorted(lines) == sorted(events)

    refused = replays.end(replays.start("to-itself", target={"stream": stack.outputs["EventStreamName"]}))
    assert "say it twice" in refused["cause"]
    assert stack.records() == live, "the live stream got nothing of it"
