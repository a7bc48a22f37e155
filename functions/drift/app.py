"""Once a day: compares Slack's own lists of actions and schemas with the last ones kept, and with the events."""

import os
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from slack_audit import drifting, wiring
from slack_audit.redaction import guarded
from slack_audit.settings import DriftSettings
from slack_audit.telemetry import logger, record_drift, take_over_logging

take_over_logging()


@guarded
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Watches for `{"org": "main"}`; returns what was found, or fails with what a person must do.

    For `{"orgs": ["main"]}` it starts itself for each, and returns which.
    """
    if wiring.is_for_each(event):
        return wiring.start_each(event, context)
    settings = wiring.requested(event, DriftSettings.from_env(os.environ))
    logger.append_keys(org=settings.org)
    watch = drifting.drift_watch(settings, context)
    failure: BaseException | None = None
    try:
        wiring.check_log(settings)
        watch.run()
    except Exception as error:
        failure = error
        logger.error("drift watch failed", extra={"reason": str(error), **msgspec.to_builtins(watch.report)})
        raise
    finally:
        record_drift(watch.report, failure)
    result: dict[str, Any] = msgspec.to_builtins(watch.report)
    logger.info("drift watched", extra=result)
    return result
