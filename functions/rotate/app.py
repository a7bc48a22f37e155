"""For Secrets Manager: gives the secret a new Slack token, in four steps, each of which can be asked for again."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slack_audit import rotating
from slack_audit.redaction import guarded
from slack_audit.settings import RotateSettings
from slack_audit.telemetry import logger, record_rotation, take_over_logging

take_over_logging()


@guarded
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Does one step for `{"Step": …, "SecretId": …, "ClientRequestToken": …}`, or fails with what a person must do."""
    failure: BaseException | None = None
    try:
        step, outcome = rotating.rotate(event, RotateSettings.from_env(os.environ), context)
    except Exception as error:
        failure = error
        logger.error("rotation failed", extra={"reason": str(error), **_named(event)})
        raise
    finally:
        record_rotation(failure)
    logger.info("rotation", extra={"outcome": outcome, **_named(event)})
    return {"step": step, "outcome": outcome}


def _named(event: Any) -> dict[str, Any]:
    """What the event is about. It can hold a RotationToken, which no log gets."""
    names = ("Step", "SecretId", "ClientRequestToken")
    return {name: event.get(name) for name in names} if isinstance(event, dict) else {}
