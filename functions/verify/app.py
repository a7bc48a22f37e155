"""Once a day: proves what was archived lately, from the bucket alone."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slack_audit import verifying, wiring
from slack_audit.redaction import guarded
from slack_audit.settings import VerifySettings
from slack_audit.telemetry import logger, record_proof, take_over_logging

take_over_logging()


@guarded
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """Verifies for `{"org": "main", "days": 2}`; returns what it found, or fails if it could not read the archive.

    For `{"orgs": ["main"], "days": 2}` it starts itself for each, and returns which.
    """
    if wiring.is_for_each(event):
        return wiring.start_each(event, context)
    settings = wiring.requested(event, VerifySettings.from_env(os.environ))
    logger.append_keys(org=settings.org)
    proof = verifying.verify(settings, verifying.requested_days(event))
    record_proof(proof)  # not for a check that could not be made: it has no figures, not even a 0
    logger.info("verified", extra=proof.summary())
    return proof.summary()
