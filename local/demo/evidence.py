"""Fetches what the proof is made of, and what explains a failure."""

from datetime import UTC, datetime

from local.aws import EmbeddedAws
from local.demo.proof import Evidence
from local.demo.stage import STACK, Stage
from local.demo.watch import StreamFollower

LOG_GROUP = f"/aws/lambda/{STACK}-collect"
LONGEST_LINE = 400  # characters of a function's log line in a message


def gather(stage: Stage, stream: StreamFollower) -> Evidence:
    """Every object of the bucket, each once; the stream's records as they were followed; Slack's own list."""
    s3, bucket = stage.aws.client("s3"), stage.outputs["ArchiveBucketName"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    objects = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    return Evidence(stage.slack.events(), objects, stream.lines)


def function_log(aws: EmbeddedAws) -> list[str]:
    """The function's own log, oldest line first."""
    pages = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=LOG_GROUP)
    events = [event for page in pages for event in page["events"]]
    return [f"{_clock(event['timestamp'])} {event['message'].strip()[:LONGEST_LINE]}" for event in events]


def count_runs(log: list[str]) -> int:
    """How often the function was started."""
    return sum(" START RequestId: " in line for line in log)


def _clock(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%H:%M:%S}"
