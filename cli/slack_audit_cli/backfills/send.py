"""Orders for backfills, sent to the collect function of a stack, whose runs on schedule do the work."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import typer
from botocore.config import Config
from botocore.exceptions import ClientError

from slack_audit import errors
from slack_audit.backfill import State
from slack_audit.errors import CollectorError, LeaseBusyError
from slack_audit_cli.deployed import deployed
from slack_audit_cli.opened import Account

# An order waits for the lease for as long as the function may run, which is 300 s; it is never sent twice by itself.
INVOCATION = Config(connect_timeout=3, read_timeout=310, retries={"mode": "standard", "total_max_attempts": 1})
PAUSES = (5, 10, 20)  # seconds before an order that met a busy lease is sent again
AGAIN = "Sending the order again does no harm."


class _Answer(msgspec.Struct):
    backfills: list[State]


class _Failure(msgspec.Struct, rename="camel"):
    error_message: str = "no reason"
    error_type: str = ""


class Orders:
    """For one organisation. `client` is Lambda's, `function` the collect function's name or ARN."""

    def __init__(self, client: Any, function: str, org: str) -> None:
        self._client = client
        self._function = function
        self._org = org

    def send(self, order: Mapping[str, Any]) -> list[State]:
        """All backfills that have not ended, as they stand after it.

        Raises CollectorError with what to do, ClientError and BotoCoreError.
        """
        for pause in PAUSES:
            try:
                return self._send(order)
            except LeaseBusyError as busy:
                typer.echo(f"{busy} It is sent again in {pause} s.", err=True)
                time.sleep(pause)
        return self._send(order)

    def _send(self, order: Mapping[str, Any]) -> list[State]:
        payload = msgspec.json.encode({"org": self._org, "backfill": order})
        try:
            reply = self._client.invoke(FunctionName=self._function, Payload=payload)
        except ClientError as error:
            if error.response["Error"]["Code"] == "TooManyRequestsException":
                raise LeaseBusyError("The collect function runs as often at once as it may.") from error
            raise
        said: bytes = reply["Payload"].read()
        try:
            if "FunctionError" in reply:
                raise _error(msgspec.json.decode(said, type=_Failure))
            return msgspec.json.decode(said, type=_Answer).backfills
        except msgspec.DecodeError as error:
            raise CollectorError(
                f"{self._function} did not answer with backfills: it is of an older version, or another function. "
                "Check --stack, and deploy this version."
            ) from error


def _error(failure: _Failure) -> CollectorError:
    """Ours say what to do; of others, only the function's log says more."""
    kind = getattr(errors, failure.error_type, None)
    if kind is LeaseBusyError:
        return LeaseBusyError(failure.error_message)
    if kind is not None:
        return CollectorError(failure.error_message)
    said = f"{failure.error_type}: {failure.error_message}" if failure.error_type else failure.error_message
    return CollectorError(f"The collect function failed ({said}). The end of its log says why. {AGAIN}")


def orders(account: Account, stack: str, org: str | None) -> Orders:
    """For an organisation of a stack, its first one where none is named. Raises ClientError, BotoCoreError and
    typer.BadParameter."""
    found = deployed(account, stack)
    if found.is_paused:
        typer.echo("The stack is paused (ScheduleState=DISABLED): backfills go on when it does.", err=True)
    return Orders(account.client("lambda", INVOCATION), found.output("CollectFunctionName"), found.chosen(org))
