"""A version of the collect function, asked to check: it answers with what its own role sees."""

from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.check import Checked
from slack_audit.errors import CheckBusyError, CheckError


class _Failure(msgspec.Struct):
    message: str = msgspec.field(default="no reason", name="errorMessage")


class CollectVersion:
    """One version, by its ARN, or by the function's name and an alias. `client` is Lambda's."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def check(self, org: str) -> Checked:
        """One invocation; it collects nothing. Raises CheckError."""
        try:
            payload = msgspec.json.encode({"org": org, "check": True})
            reply = self._client.invoke(FunctionName=self._name, Payload=payload)
            said: bytes = reply["Payload"].read()
        except ClientError as error:
            busy = error.response["Error"]["Code"] == "TooManyRequestsException"
            kind = CheckBusyError if busy else CheckError
            raise kind(f"Could not ask {self._name} for a check ({error}).") from error
        except BotoCoreError as error:
            raise CheckError(f"{self._name} did not answer the check: {error}") from error
        return self._answer(said, failed="FunctionError" in reply)

    def _answer(self, said: bytes, *, failed: bool) -> Checked:
        try:
            if failed:
                raise CheckError(f"{self._name} failed: {msgspec.json.decode(said, type=_Failure).message}")
            return msgspec.json.decode(said, type=Checked)
        except msgspec.DecodeError as error:
            raise CheckError(
                f"{self._name} did not answer with a check: it is of an older version. Deploy this one."
            ) from error
