"""Every minute: where every organisation of the stack stands, also one whose runs never start."""

import os
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from slack_audit import watching
from slack_audit.redaction import guarded
from slack_audit.settings import WatchSettings
from slack_audit.telemetry import logger, record_standings, take_over_logging
from slack_audit.watch import summary

take_over_logging()


@guarded
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's form
    """Watches `{"orgs": ["main"]}`; returns the worst of them, or fails if a checkpoint could not be read."""
    standings = watching.standings(WatchSettings.from_env(os.environ), event)
    worst = summary(standings)
    record_standings(standings, worst)
    result: dict[str, Any] = msgspec.to_builtins(worst)
    logger.info("watched", extra=result)
    return result
