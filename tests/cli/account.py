"""An AWS account in memory, as the commands reach it: one stack, its table, and its collect function.

The function is the real code of an order over the fakes; what AWS itself says, the end-to-end tests show.
"""

import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from slack_audit.adapters.dynamodb import _attributes, _stored
from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import CollectorError
from slack_audit_cli.opened import Account
from tests.fakes import World

OUTPUTS = {
    "CollectFunctionName": "arn:aws:lambda:us-east-1:000000000000:function:collect:live",
    "ArchiveBucketName": "archive",
    "CheckpointTableName": "checkpoints",
    "SlackTokenSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:token",
}


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "AWS says so"}}, operation)


class InMemory:
    """The services, each by its name. `refuses` has what a call fails with, by its name."""

    def __init__(self, **parameters: str) -> None:
        self.parameters = {"Org": "main", "Orgs": "", "SlackApiUrl": "https://slack.example.com/audit/v1", **parameters}
        self.outputs = dict(OUTPUTS)
        self.items: dict[str, dict[str, Any]] = {}
        self.refuses: dict[str, list[ClientError]] = {}
        self.world = World()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.before_an_order: Callable[[], None] = lambda: None

    def client(self, service: str) -> Any:
        assert service in {"cloudformation", "dynamodb", "lambda"}
        return self

    def _may(self, call: str) -> None:
        if self.refuses.get(call):
            raise self.refuses[call].pop(0)

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self._may("DescribeStacks")
        if StackName != "audit":
            raise refused("ValidationError", "DescribeStacks")
        return {
            "Stacks": [
                {
                    "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()],
                    "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()],
                }
            ]
        }

    def checkpoint(self, org: str, checkpoint: Checkpoint, **lease: Any) -> None:
        self.items[org] = _attributes({"org": org, **_stored(checkpoint), **lease})

    def get_item(self, *, TableName: str, Key: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        self._may("GetItem")
        assert TableName == "checkpoints"
        item = self.items.get(Key["org"]["S"])
        return {} if item is None else {"Item": item}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self._may("Invoke")
        event = json.loads(Payload)
        self.asked.append((FunctionName, event))
        self.before_an_order()
        try:
            outcome = self.world.order(**{f"{k}_" if k == "from" else k: v for k, v in event["backfill"].items()})
        except CollectorError as error:
            failure = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failure).encode())}
        said = {"org": event["org"], "backfills": msgspec.to_builtins(outcome.backfills)}
        return {"Payload": io.BytesIO(json.dumps(said).encode())}


def given(monkeypatch: pytest.MonkeyPatch, aws: InMemory) -> InMemory:
    """From now on every account is this one."""
    monkeypatch.setattr(Account, "client", lambda _self, service, config=None: aws.client(service))
    return aws
