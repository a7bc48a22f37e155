"""Greps everything that the tests make anybody write for a token: every log record, what goes to stdout and stderr, and
at the end of a worker's session whatever the embedded AWS holds.

Tests' tokens look like Slack's, and their other secrets say `nobody-may-see`, so that they are found by their form.
Where a test writes one on purpose it says so: `@pytest.mark.writes_secrets("why")`.
"""

import gzip
import json
import logging
import re
import traceback
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from local.aws import EmbeddedAws
from tests.stored import objects_in, records_in

SECRET = re.compile(r"(?:xox[a-z]-\w|xapp-\w|nobody-may-see)[\w.=-]*")
HINTS = ("xox", "xapp-", "nobody-may-see")  # looked for first: a hundred times as fast
AROUND = 60  # characters shown before a secret

found: list[str] = []  # what was written by the test that runs now
_handle = logging.Logger.handle
_readouterr = pytest.CaptureFixture.readouterr


def secrets_in(text: str, where: str) -> list[str]:
    """Where secrets stand in a text: what is before them, and none of them."""
    if not any(hint in text for hint in HINTS):
        return []
    pieces = SECRET.split(text)[:-1]
    return [f"{where}: …{before[-AROUND:]!r}" for before in pieces]


def record_as_text(record: logging.LogRecord) -> str:
    """All that a handler could write of a record: its message, its fields, its exception and what led to it."""
    trace = traceback.format_exception(record.exc_info[1]) if record.exc_info and record.exc_info[1] else []
    return "".join([record.getMessage(), repr(vars(record)), *trace])


def _checked_handle(logger: logging.Logger, record: logging.LogRecord) -> None:
    found.extend(secrets_in(record_as_text(record), f"a record of the logger {record.name}"))
    _handle(logger, record)


def _checked_readouterr(fixture: pytest.CaptureFixture[Any]) -> Any:
    captured = _readouterr(fixture)
    for name, text in (("stdout", captured.out), ("stderr", captured.err)):
        found.extend(secrets_in(text if isinstance(text, str) else text.decode(errors="replace"), name))
    return captured


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "writes_secrets(why): this test writes what looks like a token, on purpose")
    logging.Logger.handle = _checked_handle
    pytest.CaptureFixture.readouterr = _checked_readouterr


def pytest_unconfigure() -> None:
    logging.Logger.handle = _handle
    pytest.CaptureFixture.readouterr = _readouterr


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fails a test, its setup or its teardown, by what was written in it."""
    report = yield
    seen = [*found]
    found.clear()
    for name, text in report.sections:
        if name.endswith(call.when):
            seen += secrets_in(text, name)
    if seen and report.outcome != "failed" and item.get_closest_marker("writes_secrets") is None:
        report.outcome = "failed"
        report.longrepr = "\n".join(["A secret was written by this test, in", *dict.fromkeys(seen)])
    return report


# What the embedded AWS holds


def sweep(aws: EmbeddedAws) -> None:
    """Fails if a secret stands anywhere in it but where secrets belong, in Secrets Manager."""
    seen = [where for look in LOOKS for place, text in look(aws) for where in secrets_in(text, place)]
    assert not seen, "\n".join(["A secret was written into the embedded AWS, in", *dict.fromkeys(seen)])


type Places = Iterator[tuple[str, str]]


def _own_log(aws: EmbeddedAws) -> Places:
    yield "its own log", aws.log_file.read_text(errors="replace")


def _logs(aws: EmbeddedAws) -> Places:
    logs = aws.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield f"the log group {name}", "\n".join(it["message"] for it in events["events"])


def _metrics(aws: EmbeddedAws) -> Places:
    for page in aws.client("cloudwatch").get_paginator("list_metrics").paginate():
        yield "the metrics", json.dumps(page["Metrics"], default=str)


def _queues(aws: EmbeddedAws) -> Places:
    sqs = aws.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", []):
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            yield f"the queue {url}", json.dumps(messages)


def _functions(aws: EmbeddedAws) -> Places:
    for page in aws.client("lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            yield f"the configuration of {function['FunctionName']}", json.dumps(function, default=str)


def _stacks(aws: EmbeddedAws) -> Places:
    cloudformation = aws.client("cloudformation")
    for stack in cloudformation.describe_stacks()["Stacks"]:
        yield f"the stack {stack['StackName']}", json.dumps(stack, default=str)


def _schedules(aws: EmbeddedAws) -> Places:
    scheduler = aws.client("scheduler")
    for it in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=it["Name"], GroupName=it["GroupName"])
        yield f"the schedule {it['Name']}", json.dumps(schedule, default=str)


def _tables(aws: EmbeddedAws) -> Places:
    dynamodb = aws.client("dynamodb")
    for page in dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            for items in dynamodb.get_paginator("scan").paginate(TableName=name):
                yield f"the table {name}", json.dumps(items["Items"], default=str)


def _objects(aws: EmbeddedAws) -> Places:
    """Keys and bodies, batches unpacked. The zip files of deployments are the build's, and not a run's."""
    s3 = aws.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for key, body in objects_in(s3, bucket["Name"]).items():
            unpacked = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            if body[:2] != b"PK":
                yield f"the object {bucket['Name']}/{key}", f"{key}\n{unpacked.decode(errors='replace')}"


def _records(aws: EmbeddedAws) -> Places:
    kinesis = aws.client("kinesis")
    for page in kinesis.get_paginator("list_streams").paginate():
        for name in page["StreamNames"]:
            for key, data in records_in(kinesis, name):
                yield f"the stream {name}", f"{key} {data.decode(errors='replace')}"


LOOKS: tuple[Callable[[EmbeddedAws], Places], ...] = (
    _own_log, _logs, _metrics, _queues, _functions, _stacks, _schedules, _tables, _objects, _records,
)  # fmt: skip
