"""On a schedule: captures what is new of one organisation and publishes it. Also: orders for backfills, and a check."""

from slack_audit.loading import loading

with loading():
    import os
    import time
    from typing import Any

    import msgspec
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from slack_audit import bootstrap, wiring
    from slack_audit.backfill import order_of
    from slack_audit.redaction import guarded
    from slack_audit.settings import Settings
    from slack_audit.telemetry import logger, record, record_actions, take_over_logging

take_over_logging()


@guarded
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Collects for `{"org": "main"}`, or carries out the order of `{"org": "main", "backfill": {…}}`.

    For `{"org": "main", "check": true}` it collects nothing and tells whether it could.
    Returns what was done, or fails with what a person must do.
    """
    settings = wiring.requested(event, Settings.from_env(os.environ))
    logger.append_keys(org=settings.org)
    if "check" in event:
        bootstrap.requested_check(event)
        return _check(settings, context)
    if "backfill" in event:
        outcome = bootstrap.carry_out(order_of(event["backfill"]), settings, context)
        return {"org": outcome.org, "backfills": msgspec.to_builtins(outcome.backfills)}
    return _collect(settings, context)


def _check(settings: Settings, context: LambdaContext) -> dict[str, Any]:
    checked = bootstrap.check(settings, context)
    result = {"org": checked.org, "ok": checked.ok, "findings": msgspec.to_builtins(checked.findings)}
    logger.info("checked", extra=result)
    return result


def _collect(settings: Settings, context: LambdaContext) -> dict[str, Any]:
    started = time.monotonic()
    failure: BaseException | None = None
    with bootstrap.run(settings, context) as run:
        try:
            bootstrap.check_token(settings)
            run.collect()
        except Exception as error:
            failure = error
            logger.error("run failed", extra={"reason": str(error), **msgspec.to_builtins(run.report())})
            raise
        finally:
            record(run.report(), failure, time.monotonic() - started)
            record_actions(run.tally.counts())
    result: dict[str, Any] = msgspec.to_builtins(run.report())
    logger.info("collected", extra=result)
    return result
