"""Starting a Lambda function without waiting for it."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.errors import StartError


class LambdaStarter:
    """One function, by its ARN: with an alias in it, that alias. `client` is boto3's for Lambda."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def start(self, event: Mapping[str, Any]) -> None:
        """Puts the event into the function's queue. Raises StartError."""
        try:
            self._client.invoke(FunctionName=self._arn, InvocationType="Event", Payload=json.dumps(event).encode())
        except (ClientError, BotoCoreError) as error:
            raise StartError(f"Could not start {self._arn} ({error}). Check that its role may invoke it.") from error
