"""The daily check on the embedded AWS: what the collect function archived, whole and tampered with."""

import json
from typing import Any

import pytest

from slack_audit.errors import SettingsError, StorageError
from tests.integration.conftest import Deployment


def metrics_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What CloudWatch reads of the one line that is a metric."""
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "SlackAuditCollector"
    assert described["Dimensions"] == [["service"]]
    assert line["service"] == "slack-audit-collector"
    return {metric["Name"]: line[metric["Name"]] for metric in described["Metrics"]}


@pytest.fixture
def collected(stack: Deployment, capsys) -> Deployment:
    stack.backlog(300)
    stack.until_done()
    capsys.readouterr()
    return stack


def test_what_was_collected_is_proven_and_counted(collected, log, capsys):
    result = collected.verify()
    assert (result["proven"], result["faults"], result["warnings"], result["totals"]) == (True, 0, 0, {})
    assert result["events"] == 300
    assert result["head"].startswith(f"{result['last']}:")
    assert metrics_of(capsys) == {"VerifyFindings": [0.0], "VerifiedEvents": [300.0]}
    assert log.lines[-1]["message"] == "verified"
    assert log.lines[-1]["head"] == result["head"]


def test_a_batch_that_is_gone_is_named_in_the_log_and_counted(collected, log, capsys):
    key = next(key for key in collected.cloud.objects() if key.startswith("raw/"))
    collected.cloud.clients.s3.delete_object(Bucket=collected.cloud.name, Key=key)
    result = collected.verify()
    assert (result["proven"], result["faults"], result["totals"]) == (False, 1, {"missing": 1})
    assert metrics_of(capsys)["VerifyFindings"] == [1.0]
    (line,) = [line for line in log.lines if line["message"] == "finding"]
    assert (line["level"], line["kind"], line["where"]) == ("ERROR", "missing", key)
    assert line["advice"].startswith("Restore it")


def test_an_orphan_is_a_warning_in_the_log_and_no_alarm(collected, log, capsys):
    key = next(key for key in collected.cloud.objects() if key.startswith("raw/"))
    orphan = f"{key[:-22]}{'0' * 12}.ndjson.gz"
    collected.cloud.clients.s3.put_object(Bucket=collected.cloud.name, Key=orphan, Body=b"")
    result = collected.verify()
    assert (result["proven"], result["faults"], result["warnings"]) == (True, 0, 1)
    assert metrics_of(capsys)["VerifyFindings"] == [0.0]
    (line,) = [line for line in log.lines if line["message"] == "finding"]
    assert (line["level"], line["where"]) == ("WARNING", orphan)


def test_an_empty_archive_is_not_proven(stack, capsys):
    assert stack.verify()["totals"] == {"no_log": 1}
    assert metrics_of(capsys) == {"VerifyFindings": [1.0], "VerifiedEvents": [0.0]}


def test_a_bucket_that_cannot_be_read_fails_the_run_and_counts_nothing(stack, capsys):
    stack.set(ARCHIVE_BUCKET="nobody-has-this-bucket")
    assert "Check the bucket's name" in stack.fails(StorageError, {"org": "main", "days": 2}, function=stack.verify)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("days", [0, 4_000, "2", 2.5, True, None])
def test_days_that_are_none_are_refused(stack, days):
    said = stack.fails(SettingsError, {"org": "main", "days": days}, function=stack.verify)
    assert f"days is {days!r}" in said


def test_another_org_and_a_missing_variable_are_refused(stack):
    assert "'other' was never collected" in stack.fails(
        SettingsError, {"org": "other", "days": 2}, function=stack.verify
    )
    stack.set(ARCHIVE_BUCKET="")
    assert "ARCHIVE_BUCKET is missing" in stack.fails(SettingsError, {"org": "main", "days": 2}, function=stack.verify)
