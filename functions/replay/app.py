"""Sends archived events once more, to another target: the three actions of the state machine of replays."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slack_audit import replaying, wiring
from slack_audit.redaction import guarded
from slack_audit.settings import ReplaySettings
from slack_audit.telemetry import logger, take_over_logging

take_over_logging()


@guarded
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plans a replay, carries out one item of it, or reports on it: `{"action": "plan", "replay_id": …, …}`.

    Returns what the state machine goes on with. Fails where it cannot, or where the report differs from the log.
    """
    settings = wiring.requested(replaying.requested_org(event), ReplaySettings.from_env(os.environ))
    action = event.get("action")
    logger.append_keys(org=settings.org, replay_id=event.get("replay_id"), action=action)
    wiring.check_log(settings)
    result = replaying.Replaying(event, settings, context).carry_out()
    logger.info("replayed", extra={name: value for name, value in result.items() if name in TOLD})
    return result


TOLD = ("done", "item", "at", "first", "last", "items", "totals", "clean")  # no selection: it can name a person
