"""Before a new version of the collect function takes over: asks it for a check, and tells CodeDeploy."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slack_audit import deploying
from slack_audit.redaction import guarded
from slack_audit.settings import PreTrafficSettings
from slack_audit.telemetry import logger, record_check, take_over_logging

take_over_logging()


@guarded
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Lets the new version take over unless it found what a person must mend; CodeDeploy is told in any case."""
    hook = deploying.hook_of(event)
    passed = False
    try:
        passed = _check(context)
    except Exception as error:  # noqa: BLE001 - whatever it is: unless CodeDeploy is told, it waits for an hour
        logger.exception("the check itself failed", extra={"reason": str(error)})
    deploying.verdict(hook).tell(passed=passed)
    logger.info("told CodeDeploy", extra={"passed": passed, "deployment": hook.deployment})
    return {"passed": passed}


def _check(context: LambdaContext) -> bool:
    settings = PreTrafficSettings.from_env(os.environ)
    checked = deploying.check_new_version(settings, context)
    logger.append_keys(org=checked.org)
    record_check(checked)
    return checked.ok
