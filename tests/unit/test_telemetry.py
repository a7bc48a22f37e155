"""A run's metrics, as CloudWatch reads them from the log, and the log itself."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from slack_audit import telemetry
from slack_audit.drift import Drift
from slack_audit.errors import (
    CrowdedSecondError,
    RateLimitedError,
    RefusedError,
    SettingsError,
    SinkRefusedError,
    StorageError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.parts import Report

DONE = Report(
    org="main",
    stopped="nothing_due",
    windows=3,
    batches=2,
    events=1_000,
    repeats=4,
    out_of_range=5,
    calls=6,
    rate_limited=1,
    published=900,
    failed_records=7,
    pointers=8,
    publishing="behind",
    backlog=9,
    watermark=1_767_225_600,
    lag=61,
    backfill_remaining=3_600,
)


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> Iterator["Emitted"]:
    telemetry.metrics.clear_metrics()
    yield Emitted(capsys)
    telemetry.metrics.clear_metrics()


class Emitted:
    """What `record` makes CloudWatch see: one line of the embedded metric format."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def line(self, report: Report, failure: BaseException | None = None) -> dict[str, Any]:
        telemetry.record(report, failure)
        telemetry.metrics.flush_metrics()
        (line,) = self._capsys.readouterr().out.splitlines()
        return dict(json.loads(line))

    def metrics(self, report: Report, failure: BaseException | None = None) -> dict[str, float]:
        """Each metric's value, by name."""
        line = self.line(report, failure)
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        values = {}
        for metric in directive["Metrics"]:
            (values[metric["Name"]],) = line[metric["Name"]]
        return values


def test_what_the_later_passes_found_has_the_pass_as_a_dimension(capsys):
    report = Report(org="main", found={"live": 9, "late": 3, "final": 0}, longest_delay={"live": 75, "late": 2_130})
    telemetry.record(report, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    telemetry.metrics.clear_metrics()
    assert [(line["pass"], line.get("LateEvents"), line.get("VisibilityDelay")) for line in lines] == [
        ("late", [3], None),
        ("final", [0], None),
        ("live", None, [75]),
        ("late", None, [2_130]),
    ]
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], sorted(directive["Dimensions"][0])) == (
            "SlackAuditCollector",
            ["org", "pass", "service"],
        )
        assert (line["org"], line["service"]) == ("main", "slack-audit-collector")


def test_a_run_that_did_its_work(emitted):
    assert emitted.metrics(DONE) == {
        "RunSuccess": 1,
        "LeaseBusy": 0,
        "AuthFailures": 0,
        "EventsCollected": 1_000,
        "EventsPublished": 900,
        "PublishBacklog": 9,
        "RepeatsDropped": 4,
        "OutOfRangeEvents": 5,
        "SlackCalls": 6,
        "RateLimited": 1,
        "StreamFailedRecords": 7,
        "OversizeRecords": 8,
        "LiveLag": 61,
        "BackfillRemaining": 3_600,
    }


def test_a_run_that_found_the_lease_busy_says_only_that(emitted):
    report = Report(org="main", stopped="lease_busy")
    assert emitted.metrics(report) == {"LeaseBusy": 1, "AuthFailures": 0}


def test_a_run_that_failed_before_it_knew_the_lag_says_none(emitted):
    metrics = emitted.metrics(Report(org="main"), StorageError("no table"))
    assert "LiveLag" not in metrics
    assert metrics["RunSuccess"] == 0


def test_a_run_that_failed_says_what_it_did_until_then(emitted):
    metrics = emitted.metrics(DONE, UnavailableError("no answer"))
    assert (metrics["RunSuccess"], metrics["EventsCollected"], metrics["LiveLag"]) == (0, 1_000, 61)


@pytest.mark.parametrize(
    ("failure", "number"),
    [
        (None, 0),
        (TokenRefusedError("no token"), 1),
        (RefusedError("not allowed"), 1),
        (RateLimitedError("too fast"), 0),
        (UnavailableError("no answer"), 0),
        (SinkRefusedError("no stream"), 0),
        (StorageError("no table"), 0),
        (CrowdedSecondError("too many"), 0),
        (SettingsError("no url"), 0),
        (ValueError("a bug"), 0),
    ],
)
def test_only_what_slack_refuses_for_good_is_a_failure_of_authorization(emitted, failure, number):
    metrics = emitted.metrics(DONE, failure)
    assert (metrics["AuthFailures"], metrics["RunSuccess"]) == (number, int(failure is None))


def test_metrics_stand_in_our_namespace_by_org_and_service(emitted):
    line = emitted.line(DONE)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "SlackAuditCollector"
    assert [sorted(names) for names in directive["Dimensions"]] == [["org", "service"]]
    assert (line["org"], line["service"]) == ("main", "slack-audit-collector")


def test_what_is_time_is_in_seconds_and_all_else_is_counted(emitted):
    (directive,) = emitted.line(DONE)["_aws"]["CloudWatchMetrics"]
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert (units.pop("LiveLag"), units.pop("BackfillRemaining")) == ("Seconds", "Seconds")
    assert set(units.values()) == {"Count"}


def test_one_runs_metrics_do_not_stay_for_the_next(emitted):
    emitted.metrics(DONE)
    assert "EventsCollected" not in emitted.metrics(Report(org="main", stopped="lease_busy"))


# The drift watch


FOUND = Drift(
    org="main",
    new_actions=["a"],
    gone_actions=["b", "c"],
    unknown_actions={"d": 7, "e": 1, "f": 1},
    unknown_filter_actions=["g"] * 4,
    schema_changes=["h"] * 5,
)


@pytest.mark.parametrize(("failure", "failures"), [(None, 0), (SettingsError("an unknown name"), 1)])
def test_findings_are_counted_by_name_and_a_failure_as_one(emitted, failure, failures):
    telemetry.record_drift(FOUND, failure)
    telemetry.metrics.flush_metrics()
    (line,) = [json.loads(line) for line in emitted._capsys.readouterr().out.splitlines()]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]} == {
        "DriftFailures": [failures],
        "NewActions": [1],
        "GoneActions": [2],
        "UnknownActions": [3],
        "UnknownFilterActions": [4],
        "SchemaChanges": [5],
    }
    assert (line["org"], directive["Namespace"]) == ("main", "SlackAuditCollector")


# The log


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the one logger writes."""
    written = io.StringIO()
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    telemetry.take_over_logging()
    return written


def test_the_packages_plain_loggers_write_as_the_one_logger_does(log):
    logging.getLogger("slack_audit.read").warning("slack limits the rate", extra={"wait": 30})
    line = json.loads(log.getvalue())
    assert (line["level"], line["message"], line["wait"]) == ("WARNING", "slack limits the rate", 30)
    assert line["service"] == "slack-audit-collector"


def test_taking_over_twice_writes_once(log):
    telemetry.take_over_logging()
    logging.getLogger("slack_audit.read").info("once")
    assert len(log.getvalue().splitlines()) == 1


def test_other_packages_do_not_write(log):
    logging.getLogger("urllib3.connectionpool").warning("not ours")
    assert log.getvalue() == ""
