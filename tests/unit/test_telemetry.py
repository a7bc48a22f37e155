"""A run's metrics, as CloudWatch reads them from the log, and the log itself."""

import io
import json
import logging
import os
import subprocess
import sys
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
from slack_audit.tally import Count
from slack_audit.watch import Standing, summary

LOST = Standing("lost", overdue=True)
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
    rate_limit_wait=12,
    published=900,
    failed_records=7,
    pointers=8,
    publishing="behind",
    backlog=9,
    watermark=1_767_225_600,
    lag=61,
    publish_lag=75,
    backfill_remaining=3_600,
)


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> "Emitted":
    return Emitted(capsys)


Under = frozenset[tuple[str, str]]
PLAIN: Under = frozenset()
MAIN: Under = frozenset({("org", "main")})


class Emitted:
    """What CloudWatch sees in the lines of the embedded metric format: each figure under each of its dimensions."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def taken(self) -> dict[Under, dict[str, float]]:
        """By the dimensions besides `service`, which every figure has and which is the stack's name."""
        found: dict[Under, dict[str, float]] = {}
        for line in self.lines():
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "SlackAuditCollector"
            for names in directive["Dimensions"]:
                assert ("service" in names, line["service"]) == (True, "slack-audit-collector")
                under = found.setdefault(frozenset((name, line[name]) for name in names if name != "service"), {})
                for metric in directive["Metrics"]:
                    assert metric["Name"] not in under, "one figure for each run"
                    (under[metric["Name"]],) = line[metric["Name"]]
        return found

    def metrics(self, report: Report, failure: BaseException | None = None) -> dict[str, float]:
        """What a run says of the whole stack."""
        telemetry.record(report, failure, 2.5)
        return self.taken()[PLAIN]


def test_what_each_pass_found_has_the_pass_as_a_dimension(emitted):
    report = Report(org="main", found={"live": 9, "late": 3, "final": 0}, longest_delay={"live": 75, "late": 2_130})
    telemetry.record(report, None, 1)
    taken = emitted.taken()
    assert {dict(under)["pass"]: found for under, found in taken.items() if "pass" in dict(under)} == {
        "live": {"EventsCollected": 9, "VisibilityDelay": 75},
        "late": {"EventsCollected": 3, "LateEvents": 3, "VisibilityDelay": 2_130},
        "final": {"EventsCollected": 0, "LateEvents": 0},
    }


def test_what_came_of_the_calls_has_the_status_as_a_dimension(emitted):
    telemetry.record(Report(org="main", calls=7, calls_by_status={"200": 5, "429": 1, "none": 1}), None, 1)
    taken = emitted.taken()
    assert taken[PLAIN]["SlackCalls"] == 7
    assert {dict(under)["status"]: found for under, found in taken.items() if "status" in dict(under)} == {
        "200": {"SlackCalls": 5},
        "429": {"SlackCalls": 1},
        "none": {"SlackCalls": 1},
    }


def test_four_figures_stand_for_every_org_and_for_all_of_them(emitted):
    telemetry.record(DONE, None, 1)
    taken = emitted.taken()
    of_main = {"RunSuccess": 1, "EventsCollected": 1_000, "LiveLag": 61, "PublishLag": 75}
    assert taken[MAIN] == of_main
    assert taken[PLAIN].items() >= of_main.items()
    assert [under for under in taken if dict(under).keys() - {"pass", "status"} == {"org"}] == [MAIN]


def test_nothing_of_one_org_stays_for_the_next(emitted):
    telemetry.record(DONE, None, 1)
    telemetry.record(Report(org="lab"), UnavailableError("no answer"), 1)
    taken = [under for line in emitted.lines() for under in [(line.get("org"), line.get("LiveLag"))] if under[0]]
    assert taken == [("main", [61]), ("lab", None)]


@pytest.mark.parametrize("name", [None, "", "prod-stack"])
def test_the_service_is_the_stacks_name(name):
    code = "from slack_audit import telemetry as t; print(t.SERVICE); t._write({'Orgs': 1}); t.logger.info('x')"
    ours = {key: value for key, value in os.environ.items() if key != "POWERTOOLS_SERVICE_NAME"}
    environment = (
        ours | {"PYTHONPATH": "layers/collector"} | ({} if name is None else {"POWERTOOLS_SERVICE_NAME": name})
    )
    run = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    service, *lines = run.stdout.splitlines()
    assert service == (name or "slack-audit-collector")
    assert [json.loads(line)["service"] for line in lines] == [service, service]


def test_a_run_that_did_its_work(emitted):
    metrics = emitted.metrics(DONE)
    assert metrics == {
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
        "RateLimitWait": 12,
        "StreamFailedRecords": 7,
        "OversizeRecords": 8,
        "LiveLag": 61,
        "PublishLag": 75,
        "BackfillRemaining": 3_600,
        "RunDuration": 2.5,
        "PeakMemory": metrics["PeakMemory"],
    }
    assert 20 < metrics["PeakMemory"] < 4_000, "megabytes of this process"


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


def test_what_is_time_is_in_seconds_and_nearly_all_else_is_counted(emitted):
    telemetry.record(DONE, None, 1)
    described = [it for line in emitted.lines() for it in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    units = {metric["Name"]: metric["Unit"] for metric in described}
    times = {name for name, unit in units.items() if unit == "Seconds"}
    assert times == {"LiveLag", "PublishLag", "BackfillRemaining", "RateLimitWait", "RunDuration"}
    assert {name: unit for name, unit in units.items() if unit not in {"Seconds", "Count"}} == {
        "PeakMemory": "Megabytes"
    }


def test_every_action_is_a_line_of_the_log_and_no_metric(emitted, log):
    telemetry.record_actions([Count("live", 'user"login\n', 7), Count("late", "other", 1)])
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(it["message"], it["pass"], it["action"], it["events"]) for it in lines] == [
        ("events", "live", 'user"login\n', 7),
        ("events", "late", "other", 1),
    ]
    assert emitted.lines() == []


# The watch


def test_the_watch_tells_of_every_org_in_the_log_and_of_the_worst_in_metrics(emitted, log):
    found = [Standing("main", False, 30, 61, 75, 5), Standing("lab", True, 1_000, 1_100, None, 90_000), LOST]
    telemetry.record_standings(found, summary(found))
    assert emitted.taken() == {
        PLAIN: {
            "Orgs": 3,
            "OverdueOrgs": 2,
            "LongestLiveLag": 1_100,
            "LongestPublishLag": 75,
            "LongestSilence": 90_000,
        }
    }
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(it["level"], it["message"], it["org"]) for it in lines] == [
        ("INFO", "on time", "main"),
        ("WARNING", "overdue", "lab"),
        ("WARNING", "overdue", "lost"),
    ]
    assert (lines[1]["live_lag"], lines[1]["silence"]) == (1_100, 90_000)


def test_a_lag_that_nobody_knows_is_no_figure(emitted):
    telemetry.record_standings([LOST], summary([LOST]))
    assert emitted.taken() == {PLAIN: {"Orgs": 1, "OverdueOrgs": 1}}


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
    found = {
        "DriftFailures": failures,
        "NewActions": 1,
        "GoneActions": 2,
        "UnknownActions": 3,
        "UnknownFilterActions": 4,
        "SchemaChanges": 5,
    }
    assert emitted.taken() == {PLAIN: found}


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
