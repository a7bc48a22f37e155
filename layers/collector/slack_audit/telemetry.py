"""The one logger, the one metrics object, and every metric's name (docs/architecture.md lists them)."""

import logging

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit

from slack_audit import passes, redaction
from slack_audit.check import Checked, Outcome
from slack_audit.drift import Drift
from slack_audit.errors import RefusedError, TokenRefusedError
from slack_audit.parts import Report
from slack_audit.verify.prove import Proof

SERVICE = "slack-audit-collector"
NAMESPACE = "SlackAuditCollector"

RUN_SUCCESS = "RunSuccess"
LEASE_BUSY = "LeaseBusy"
LIVE_LAG = "LiveLag"
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
AUTH_FAILURES = "AuthFailures"
STREAM_FAILED_RECORDS = "StreamFailedRecords"
OVERSIZE_RECORDS = "OversizeRecords"
DRIFT_FAILURES = "DriftFailures"
NEW_ACTIONS = "NewActions"
GONE_ACTIONS = "GoneActions"
UNKNOWN_ACTIONS = "UnknownActions"
UNKNOWN_FILTER_ACTIONS = "UnknownFilterActions"
SCHEMA_CHANGES = "SchemaChanges"
VERIFY_FINDINGS = "VerifyFindings"
VERIFIED_EVENTS = "VerifiedEvents"
ROTATION_FAILURES = "RotationFailures"

logger = Logger(service=SERVICE, json_serializer=redaction.serialized)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def take_over_logging() -> None:
    """The package's plain loggers write as the one logger does; others do not write what passes through them."""
    logging.getLogger("slack_audit").setLevel(logging.INFO)
    for name in redaction.SHOW_SECRETS:
        logging.getLogger(name).setLevel(logging.INFO)
    copy_config_to_registered_loggers(source_logger=logger, include={"slack_audit"})


def record(report: Report, failure: BaseException | None) -> None:
    """One run's metrics."""
    metrics.add_dimension("org", report.org)
    count = MetricUnit.Count
    metrics.add_metric(LEASE_BUSY, count, int(report.stopped == "lease_busy"))
    metrics.add_metric(AUTH_FAILURES, count, int(isinstance(failure, (TokenRefusedError, RefusedError))))
    if report.stopped == "lease_busy":
        return  # neither a success nor a failure: whoever holds the lease reports that
    metrics.add_metric(RUN_SUCCESS, count, int(failure is None))
    metrics.add_metric(EVENTS_COLLECTED, count, report.events)
    metrics.add_metric(EVENTS_PUBLISHED, count, report.published)
    metrics.add_metric(REPEATS_DROPPED, count, report.repeats)
    metrics.add_metric(OUT_OF_RANGE_EVENTS, count, report.out_of_range)
    metrics.add_metric(SLACK_CALLS, count, report.calls)
    metrics.add_metric(RATE_LIMITED, count, report.rate_limited)
    metrics.add_metric(STREAM_FAILED_RECORDS, count, report.failed_records)
    metrics.add_metric(OVERSIZE_RECORDS, count, report.pointers)
    if report.backlog is not None and report.lag is not None:
        metrics.add_metric(PUBLISH_BACKLOG, count, report.backlog)
        metrics.add_metric(LIVE_LAG, MetricUnit.Seconds, report.lag)
    if report.backfill_remaining is not None:
        metrics.add_metric(BACKFILL_REMAINING, MetricUnit.Seconds, report.backfill_remaining)
    _record_passes(report)


def _record_passes(report: Report) -> None:
    """What each pass found, with the pass as a dimension; a pass that read nothing says nothing."""
    for name in (passes.LATE, passes.FINAL):
        if name in report.found:
            _single(report.org, name, LATE_EVENTS, MetricUnit.Count, report.found[name])
    for name, seconds in report.longest_delay.items():
        _single(report.org, name, VISIBILITY_DELAY, MetricUnit.Seconds, seconds)


def _single(org: str, name: str, metric: str, unit: MetricUnit, value: float) -> None:
    dimensions = {"service": SERVICE, "org": org, "pass": name}
    with single_metric(metric, unit, value, namespace=NAMESPACE, default_dimensions=dimensions):
        pass


def record_drift(report: Drift, failure: BaseException | None) -> None:
    """The metrics of a run of the drift watch."""
    metrics.add_dimension("org", report.org)
    count = MetricUnit.Count
    metrics.add_metric(DRIFT_FAILURES, count, int(failure is not None))
    metrics.add_metric(NEW_ACTIONS, count, len(report.new_actions))
    metrics.add_metric(GONE_ACTIONS, count, len(report.gone_actions))
    metrics.add_metric(UNKNOWN_ACTIONS, count, len(report.unknown_actions))
    metrics.add_metric(UNKNOWN_FILTER_ACTIONS, count, len(report.unknown_filter_actions))
    metrics.add_metric(SCHEMA_CHANGES, count, len(report.schema_changes))


def record_proof(proof: Proof) -> None:
    """What a check of the archive found: each finding as a line of the log, and the metrics, 0 when it is clean."""
    for finding in proof.findings:
        write = logger.warning if finding.is_warning else logger.error
        said = {"kind": finding.kind, "where": finding.where, "what": finding.what, "advice": finding.advice}
        write("finding", extra=said)
    metrics.add_dimension("org", proof.org)
    metrics.add_metric(VERIFY_FINDINGS, MetricUnit.Count, proof.faults)
    metrics.add_metric(VERIFIED_EVENTS, MetricUnit.Count, proof.coverage.events)


def record_rotation(failure: BaseException | None) -> None:
    """The metric of one step of a rotation."""
    metrics.add_metric(ROTATION_FAILURES, MetricUnit.Count, int(failure is not None))


def record_check(checked: Checked) -> None:
    """What a check found: each finding as a line of the log."""
    write = {Outcome.OK: logger.info, Outcome.FAILED: logger.error}
    for it in checked.findings:
        said = {"found": it.name, "outcome": it.outcome.value, "what": it.what, "advice": it.advice}
        write.get(it.outcome, logger.warning)("finding", extra=said)
