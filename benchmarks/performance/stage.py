"""What stands around a measurement: the servers, an environment in which the collector finds them, a context."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from benchmarks.performance.processes import started, told

MOMENT = 1_772_474_400  # Monday, 2026-03-02T18:00:00Z: when Slack's clock starts
MARGIN = 100  # seconds at both ends without events: for starting, for live's lag, and for what a run leaves to the next
HOUR = 3_600
RATE = 100  # events a second of a history, about
BUCKET, STREAM, TABLE, SECRET = "archive", "events", "checkpoints", "token"
TIMEOUT = 308.0  # seconds; the function's
AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Servers(NamedTuple):
    """Where the servers of a measurement are."""

    aws: str
    slack: str

    @property
    def slack_url(self) -> str:
        """The base of the Audit Logs API."""
        return f"{self.slack}/audit/v1"

    def calls(self) -> dict[str, int]:
        """How often each was called so far; and `records`, those of the stream."""
        outcomes = told(f"{self.slack}/_standin/status")["calls"]
        slack = sum(sum(it.values()) for path, it in outcomes.items() if path.startswith("/audit/"))
        return {"slack": slack, **told(f"{self.aws}/_wire/counts")}


def between(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The calls that were made in between."""
    return {name: number - before[name] for name, number in after.items()}


@contextmanager
def servers(slack: list[str], aws: list[str]) -> Iterator[Servers]:
    """Slack and AWS with these options."""
    with started("wire", *aws) as wire, started("slack", *slack) as standin:
        yield Servers(wire, standin)


def environment(at: Servers, **settings: str) -> dict[str, str]:
    """The function's environment, with the template's defaults but for what costs calls and time only: `settings`."""
    return {
        **AWS,
        "AWS_ENDPOINT_URL": at.aws,
        "ORG": "main",
        "SLACK_API_URL": at.slack_url,
        "SLACK_TOKEN_SECRET_ARN": SECRET,
        "SLACK_TOKEN_SECRETS": "benchmark/",
        "ARCHIVE_BUCKET": BUCKET,
        "EVENT_STREAM": STREAM,
        "CHECKPOINT_TABLE": TABLE,
        "INITIAL_LOOKBACK_HOURS": "1",
        "LIVE_LAG_SECONDS": "60",
        "LATE_PASS_MINUTES": "35",
        "FINAL_PASS_HOURS": "25",
        "SLACK_CALLS_PER_MINUTE": "40",
        "ACTION_FILTER": "",
        "ACTOR_FILTER": "",
        "ENTITY_FILTER": "",
        **settings,
    }


def in_one_heap() -> None:
    """Starts this process over as the template starts the function's: malloc reads that when a process begins."""
    if os.environ.get("MALLOC_ARENA_MAX") != "1":
        os.execve(sys.executable, sys.orig_argv, {**os.environ, "MALLOC_ARENA_MAX": "1"})


def without_a_proxy() -> None:
    """The servers are on this machine: nothing of this process goes by a proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)


class Context:
    """What Lambda gives a handler."""

    function_name = "collect"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:collect:live"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, seconds: float = TIMEOUT) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda's."""
        return int((self._ends - time.monotonic()) * 1000)


def invoked(handler: Any, **event: Any) -> dict[str, Any]:
    """One invocation for the organisation."""
    answer: dict[str, Any] = handler({"org": "main", **event}, Context())
    return answer
