"""The one logger, every metric's name (docs/architecture.md lists them), and how they are written.

A metric costs by name and dimensions, so nearly all stand under the stack's name alone (`service`): an alarm on them
is over all organisations. Each line of the embedded metric format is made whole and written at once, so nothing of
one organisation can stay for the next one's run.
"""

import logging
import os
import resource
import typing
from collections.abc import Iterable, Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from slack_audit import passes, redaction
from slack_audit.check import Outcome
from slack_audit.errors import RefusedError, TokenMissingError, TokenRefusedError

if typing.TYPE_CHECKING:  # each function loads only what it does itself
    from slack_audit.check import Checked
    from slack_audit.drift import Drift
    from slack_audit.parts import Report
    from slack_audit.tally import Count
    from slack_audit.verify.prove import Proof
    from slack_audit.watch import Standing, Summary

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "slack-audit-collector"  # the stack's name
NAMESPACE = "SlackAuditCollector"

RUN_SUCCESS = "RunSuccess"
LEASE_BUSY = "LeaseBusy"
LIVE_LAG = "LiveLag"
PUBLISH_LAG = "PublishLag"
PUBLISH_BACKLOG = "PublishBacklog"
EVENTS_COLLECTED = "EventsCollected"
LATE_EVENTS = "LateEvents"
VISIBILITY_DELAY = "VisibilityDelay"
BACKFILL_REMAINING = "BackfillRemaining"
EVENTS_PUBLISHED = "EventsPublished"
REPEATS_DROPPED = "RepeatsDropped"
OUT_OF_RANGE_EVENTS = "OutOfRangeEvents"
SLACK_CALLS = "SlackCalls"
RATE_LIMITED = "RateLimited"
RATE_LIMIT_WAIT = "RateLimitWait"
AUTH_FAILURES = "AuthFailures"
STREAM_FAILED_RECORDS = "StreamFailedRecords"
OVERSIZE_RECORDS = "OversizeRecords"
RUN_DURATION = "RunDuration"
PEAK_MEMORY = "PeakMemory"
DRIFT_FAILURES = "DriftFailures"
NEW_ACTIONS = "NewActions"
GONE_ACTIONS = "GoneActions"
UNKNOWN_ACTIONS = "UnknownActions"
UNKNOWN_FILTER_ACTIONS = "UnknownFilterActions"
SCHEMA_CHANGES = "SchemaChanges"
VERIFY_FINDINGS = "VerifyFindings"
VERIFIED_EVENTS = "VerifiedEvents"
ROTATION_FAILURES = "RotationFailures"
ORGS = "Orgs"
OVERDUE_ORGS = "OverdueOrgs"
LONGEST_LIVE_LAG = "LongestLiveLag"
LONGEST_PUBLISH_LAG = "LongestPublishLag"
LONGEST_SILENCE = "LongestSilence"

logger = Logger(service=SERVICE, json_serializer=redaction.serialized)


def take_over_logging() -> None:
    """The package's plain loggers write as the one logger does; others do not write what passes through them."""
    logging.getLogger("slack_audit").setLevel(logging.INFO)
    for name in redaction.SHOW_SECRETS:
        logging.getLogger(name).setLevel(logging.INFO)
    copy_config_to_registered_loggers(source_logger=logger, include={"slack_audit"})


def record(report: "Report", failure: BaseException | None, seconds: float) -> None:
    """One run's metrics; it took so many seconds."""
    found = {
        LEASE_BUSY: int(report.stopped == "lease_busy"),
        AUTH_FAILURES: int(_is_refused(failure)),
    }
    if report.stopped == "lease_busy":
        _write(found)  # neither a success nor a failure: whoever holds the lease reports that
        return
    _write(found | _of_the_run(report) | {RUN_DURATION: round(seconds, 3), PEAK_MEMORY: _peak_memory()})
    _write_by_org(report, failure)
    _write_by_pass(report)
    for status, calls in report.calls_by_status.items():
        _write({SLACK_CALLS: calls}, under={"status": status})


def _of_the_run(report: "Report") -> dict[str, float | None]:
    return {
        EVENTS_PUBLISHED: report.published,
        REPEATS_DROPPED: report.repeats,
        OUT_OF_RANGE_EVENTS: report.out_of_range,
        SLACK_CALLS: report.calls,
        RATE_LIMITED: report.rate_limited,
        RATE_LIMIT_WAIT: report.rate_limit_wait,
        STREAM_FAILED_RECORDS: report.failed_records,
        OVERSIZE_RECORDS: report.pointers,
        PUBLISH_BACKLOG: report.backlog,
        BACKFILL_REMAINING: report.backfill_remaining,
    }


def _write_by_org(report: "Report", failure: BaseException | None) -> None:
    """What is worth a metric of every organisation's own; also over all of them."""
    found = {
        RUN_SUCCESS: int(failure is None),
        EVENTS_COLLECTED: report.events,
        LIVE_LAG: report.lag,
        PUBLISH_LAG: report.publish_lag,
    }
    _write(found, also={"org": report.org})


def _write_by_pass(report: "Report") -> None:
    """What each pass found; a pass that read nothing says nothing."""
    for name, events in report.found.items():
        late = {LATE_EVENTS: events} if name in {passes.LATE, passes.FINAL} else {}
        found = {EVENTS_COLLECTED: events, VISIBILITY_DELAY: report.longest_delay.get(name), **late}
        _write(found, under={"pass": name})


def record_actions(counts: "Iterable[Count]") -> None:
    """How often each action was archived: lines of the log, which can be counted there without being metrics."""
    for count in counts:
        logger.info("events", extra={"pass": count.kind, "action": count.action, "events": count.events})


def record_drift(report: "Drift", failure: BaseException | None) -> None:
    """The metrics of a run of the drift watch."""
    _write(
        {
            DRIFT_FAILURES: int(failure is not None),
            NEW_ACTIONS: len(report.new_actions),
            GONE_ACTIONS: len(report.gone_actions),
            UNKNOWN_ACTIONS: len(report.unknown_actions),
            UNKNOWN_FILTER_ACTIONS: len(report.unknown_filter_actions),
            SCHEMA_CHANGES: len(report.schema_changes),
        }
    )


def record_proof(proof: "Proof") -> None:
    """What a check of the archive found: each finding as a line of the log, and the metrics, 0 when it is clean."""
    for finding in proof.findings:
        write = logger.warning if finding.is_warning else logger.error
        said = {"kind": finding.kind, "where": finding.where, "what": finding.what, "advice": finding.advice}
        write("finding", extra=said)
    _write({VERIFY_FINDINGS: proof.faults, VERIFIED_EVENTS: proof.coverage.events})


def record_standings(standings: "Iterable[Standing]", summary: "Summary") -> None:
    """Where every organisation stands, as a line of the log, and the metrics over all of them."""
    for standing in standings:
        write = logger.warning if standing.overdue else logger.info
        write("overdue" if standing.overdue else "on time", extra=standing.figures())
    _write(
        {
            ORGS: summary.orgs,
            OVERDUE_ORGS: len(summary.overdue),
            LONGEST_LIVE_LAG: summary.live_lag,
            LONGEST_PUBLISH_LAG: summary.publish_lag,
            LONGEST_SILENCE: summary.silence,
        }
    )


def record_rotation(failure: BaseException | None) -> None:
    """The metric of one step of a rotation."""
    _write({ROTATION_FAILURES: int(failure is not None)})


def record_check(checked: "Checked") -> None:
    """What a check found: each finding as a line of the log."""
    write = {Outcome.OK: logger.info, Outcome.FAILED: logger.error}
    for it in checked.findings:
        said = {"found": it.name, "outcome": it.outcome.value, "what": it.what, "advice": it.advice}
        write.get(it.outcome, logger.warning)("finding", extra=said)


def _write(
    found: Mapping[str, float | None], *, under: Mapping[str, str] | None = None, also: Mapping[str, str] | None = None
) -> None:
    """One line: these metrics by service and `under`, and once more by service and `also`. None says nothing."""
    line = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
    for name, value in (under or {}).items():
        line.add_dimension(name, value)
    if also:
        line.add_dimensions(service=SERVICE, **also)
    for metric, number in found.items():
        if number is not None:
            line.add_metric(metric, _unit(metric), number)
    line.flush_metrics()


def _is_refused(failure: BaseException | None) -> bool:
    """Did Slack refuse? It was not asked where no token is put yet."""
    return isinstance(failure, (TokenRefusedError, RefusedError)) and not isinstance(failure, TokenMissingError)


def _unit(name: str) -> MetricUnit:
    if name == PEAK_MEMORY:
        return MetricUnit.Megabytes
    is_time = name.endswith(("Lag", "Delay", "Remaining", "Wait", "Duration", "Silence"))
    return MetricUnit.Seconds if is_time else MetricUnit.Count


def _peak_memory() -> int:
    """Megabytes, the most that this process ever had: of this run or of one before it. Linux tells kibibytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 // 1_000_000
