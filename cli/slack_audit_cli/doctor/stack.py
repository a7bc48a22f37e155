"""A deployed stack: how its last deployment went, and what belongs to it."""

from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from slack_audit.check import Finding, Outcome
from slack_audit_cli.doctor.looks import Account

OURS = {"CollectFunctionName", "ArchiveBucketName", "EventStreamName", "CheckpointTableName"}


class Stack(msgspec.Struct, frozen=True):
    """What CloudFormation tells of a stack. `resources` are (type, logical id, physical id)."""

    name: str
    status: str
    parameters: dict[str, str]
    outputs: dict[str, str]
    resources: list[tuple[str, str, str]]

    @property
    def orgs(self) -> list[str]:
        """The organisations that it collects."""
        further = self.parameters.get("Orgs", "").split(",")
        return [self.parameters.get("Org", "main"), *(name.strip() for name in further if name.strip())]

    @property
    def function(self) -> str:
        """The name of the function that collects; the output of that name may name its alias."""
        return self.named("CollectFunction") or self.outputs["CollectFunctionName"]

    def of_type(self, kind: str) -> list[str]:
        """The physical ids of the resources of a type."""
        return [physical for type_, _, physical in self.resources if type_ == kind]

    def named(self, logical_id: str) -> str | None:
        """The physical id of one resource."""
        return next((physical for _, logical, physical in self.resources if logical == logical_id), None)


def described(account: Account, name: str) -> Stack | Finding:
    """The stack, or that there is none. Raises ClientError and BotoCoreError."""
    client = account.client("cloudformation")
    try:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        said = f"There is no stack {name} in region {account.region} of this account."
        return Finding("stack", Outcome.FAILED, said, "Check --stack, --region and --profile, or deploy it.")
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [
        (it["ResourceType"], it["LogicalResourceId"], it.get("PhysicalResourceId", ""))
        for page in pages
        for it in page["StackResourceSummaries"]
    ]
    return Stack(
        name=name,
        status=found["StackStatus"],
        parameters=_pairs(found.get("Parameters", []), "ParameterKey", "ParameterValue"),
        outputs=_pairs(found.get("Outputs", []), "OutputKey", "OutputValue"),
        resources=resources,
    )


def _pairs(listed: list[dict[str, Any]], key: str, value: str) -> dict[str, str]:
    return {it[key]: it.get(value, "") for it in listed}


def state(stack: Stack) -> Iterator[Finding]:
    """How the last deployment went, and whether the stack is one of ours."""
    yield _status(stack)
    absent = sorted(OURS - set(stack.outputs))
    if absent:
        said = f"The stack has no output {', '.join(absent)}."
        yield Finding("outputs", Outcome.FAILED, said, "Check --stack: it is none of this project, or was never made.")


def is_ours(stack: Stack) -> bool:
    """Has it what else there is to look at?"""
    return set(stack.outputs) >= OURS


def _status(stack: Stack) -> Finding:
    status, said = stack.status, f"Stack {stack.name} is {stack.status}."
    events = f"aws cloudformation describe-stack-events --stack-name {stack.name} says why."
    if status == "UPDATE_ROLLBACK_COMPLETE":
        advice = f"The last deployment was taken back; what was there before runs. {events} Then deploy again."
        return Finding("stack", Outcome.WARNING, said, advice)
    if status.endswith("_IN_PROGRESS"):
        return Finding("stack", Outcome.WARNING, said, "Wait until the deployment is over, then look again.")
    if status in {"ROLLBACK_COMPLETE", "DELETE_FAILED"} or status.endswith("ROLLBACK_FAILED"):
        advice = f"{events} A stack that was never made has to be deleted before it is deployed again."
        return Finding("stack", Outcome.FAILED, said, advice)
    if status.endswith("FAILED"):
        return Finding("stack", Outcome.FAILED, said, events)
    return Finding("stack", Outcome.OK, said)
