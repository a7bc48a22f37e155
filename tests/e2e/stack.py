"""A deployed stack as a user of it sees it: its outputs, its bucket, its stream. Knows nothing of the package."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, Self
from weakref import WeakKeyDictionary

from local.aws import EmbeddedAws
from local.deploy import ARTIFACTS, build, deploy, host_architecture
from local.slack import StandIn
from tests.proof import prove
from tests.stored import objects_in, records_in

SOON = {"Delay": 1, "MaxAttempts": 120}
TOKEN = "xoxp-stand-in-not-a-real-token"
numbers = count(1)
packaged: WeakKeyDictionary[EmbeddedAws, str] = WeakKeyDictionary()  # what `sam deploy` uploaded to an AWS


def settled(seconds: int = 0) -> int:
    """A second that is old enough to be read, and `seconds` before that."""
    return int(time.time()) - 70 - seconds


@dataclass
class Stack:
    """One deployment, and the Slack that it collects from."""

    aws: EmbeddedAws
    slack: StandIn
    outputs: Mapping[str, str]

    @classmethod
    def deployed(cls, aws: EmbeddedAws, slack: StandIn, **parameters: str) -> Self:
        """Deploys the built template; the schedule rests unless asked for.

        The first stack of an AWS comes by `sam deploy`, as a person makes it. The others are made of the template that
        this uploaded: the SAM CLI takes ten seconds to find out the same once more.
        """
        defaults = {"SlackApiUrl": slack.url, "ScheduleState": "DISABLED", "SlackCallsPerMinute": "600"}
        name, wanted = f"e2e-{next(numbers)}", defaults | parameters
        if aws in packaged:
            return cls(aws, slack, made(aws, name, packaged[aws], wanted))
        outputs = deploy(aws, build(), name, wanted)
        packaged[aws] = uploaded(aws, name)
        return cls(aws, slack, outputs)

    @classmethod
    def with_token(cls, aws: EmbeddedAws, slack: StandIn, **parameters: str) -> Self:
        """Deployed, and its secret filled."""
        stack = cls.deployed(aws, slack, **parameters)
        stack.put_token(TOKEN)
        return stack

    @property
    def name(self) -> str:
        return self.outputs["CheckpointTableName"].partition("-CheckpointTable")[0]

    def change(self, **parameters: str) -> dict[str, str]:
        """Deploys the same template with other values for these parameters; its outputs."""
        return changed(self.aws, self.name, packaged[self.aws], parameters)

    def put_token(self, token: str) -> None:
        self.aws.client("secretsmanager").put_secret_value(
            SecretId=self.outputs["SlackTokenSecretArn"], SecretString=json.dumps({"token": token})
        )

    def forget_the_clock(self) -> None:
        """The collector knows how far Slack's clock is from its own, and must not believe that any more."""
        self.aws.client("dynamodb").update_item(
            TableName=self.outputs["CheckpointTableName"],
            Key={"org": {"S": "main"}},
            UpdateExpression="REMOVE clock",
        )

    def try_to_invoke(self) -> dict[str, Any]:
        """What the function returned, or its error."""
        result: dict[str, Any] = json.loads(self._invoke(None)["Payload"].read())
        return result

    def invoke(self, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the function returned; raises AssertionError with its error if it failed."""
        reply = self._invoke(payload)
        result: dict[str, Any] = json.loads(reply["Payload"].read())
        assert "FunctionError" not in reply, result
        return result

    def fail(self, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The error that the function failed with."""
        reply = self._invoke(payload)
        result: dict[str, Any] = json.loads(reply["Payload"].read())
        assert "FunctionError" in reply, result
        return result

    def _invoke(self, payload: Mapping[str, Any] | None) -> Any:
        return self.aws.client("lambda").invoke(
            FunctionName=self.outputs["CollectFunctionName"], Payload=json.dumps(payload or {"org": "main"})
        )

    def watch(self) -> dict[str, Any]:
        """What the drift function returned; raises AssertionError with its error if it failed."""
        return self._result("DriftFunctionName", {"org": "main"})

    def verify(self) -> dict[str, Any]:
        """What the daily check returned; the same."""
        return self._result("VerifyFunctionName", {"org": "main", "days": 2})

    def _result(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        reply = self.aws.client("lambda").invoke(FunctionName=self.outputs[function], Payload=json.dumps(event))
        result: dict[str, Any] = json.loads(reply["Payload"].read())
        assert "FunctionError" not in reply, result
        return result

    def objects(self) -> dict[str, bytes]:
        """Every object of the archive."""
        return objects_in(self.aws.client("s3"), self.outputs["ArchiveBucketName"])

    def records(self) -> list[tuple[str, bytes]]:
        """Partition key and data of every record of the stream."""
        return records_in(self.aws.client("kinesis"), self.outputs["EventStreamName"])

    def served(self) -> list[bytes]:
        """Every event that Slack shows by now, as it sends it."""
        return self.slack.events()

    def prove(self) -> None:
        """What Slack served is what archive and stream hold, byte for byte; fails where it is not."""
        records = self.records()
        prove(self.objects(), [data for _, data in records], self.served())
        for key, data in records:
            assert json.loads(data).get("id", key) == key, "the partition key is the event's id"


def uploaded(aws: EmbeddedAws, stack: str) -> str:
    """The URL of a stack's template, which names the uploaded code."""
    template = aws.client("cloudformation").get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    body = template if isinstance(template, str) else json.dumps(template)
    aws.client("s3").put_object(Bucket=ARTIFACTS, Key="packaged.template", Body=body.encode())
    return f"{aws.endpoint}/{ARTIFACTS}/packaged.template"


def made(aws: EmbeddedAws, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """A stack of such a template, by a change set as the SAM CLI makes it; its outputs."""
    wanted = {"Architecture": host_architecture(), **parameters}
    return _carried_out(aws, "CREATE", StackName=name, TemplateURL=template, Parameters=_given(wanted))


def changed(aws: EmbeddedAws, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """The stack with other values for these parameters; its outputs."""
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    kept = [it["ParameterKey"] for it in stack["Parameters"] if it["ParameterKey"] not in parameters]
    values = [*_given(parameters), *({"ParameterKey": key, "UsePreviousValue": True} for key in kept)]
    return _carried_out(aws, "UPDATE", StackName=name, TemplateURL=template, Parameters=values)


def _given(parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


def _carried_out(aws: EmbeddedAws, kind: Literal["CREATE", "UPDATE"], **change: Any) -> dict[str, str]:
    """The outputs of the stack that such a change set makes or changes."""
    client, name = aws.client("cloudformation"), change["StackName"]
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    made = client.create_change_set(
        ChangeSetName=f"made-{next(numbers)}", ChangeSetType=kind, Capabilities=capabilities, **change
    )["Id"]
    client.get_waiter("change_set_create_complete").wait(ChangeSetName=made, WaiterConfig=SOON)
    client.execute_change_set(ChangeSetName=made)
    client.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName=name, WaiterConfig=SOON)
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
