"""Whose account it is, in which region, and whether that has what a stack needs."""

import shutil
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from slack_audit.check import Finding, Outcome
from slack_audit_cli.doctor.looks import Account, meaning

SERVICES = ("cloudformation", "lambda", "s3", "dynamodb", "kinesis", "secretsmanager", "scheduler", "sqs", "codedeploy")
TOOLS = {
    "sam": "Install the SAM CLI, if you want to deploy from this machine.",
    "python3.13": "Install Python 3.13 with pip, if you want to build on this machine: sam build needs it on the PATH.",
    "make": "Install make, if you want to build on this machine: sam build makes the layer with it.",
}


def tools() -> Iterator[Finding]:
    """What a deployment from this machine needs."""
    for name, advice in TOOLS.items():
        place = shutil.which(name)
        if place:
            yield Finding(name, Outcome.OK, f"It is at {place}.")
        else:
            yield Finding(name, Outcome.WARNING, "It is not on the PATH.", advice)


def whose(account: Account) -> list[Finding]:
    """Region and identity. Without them nothing else can be looked at."""
    if account.region is None:
        advice = "Name a --region, or set one with aws configure."
        return [Finding("region", Outcome.FAILED, "No region is set.", advice)]
    return [_region(account, account.region), _identity(account, account.region)]


def can_look(findings: list[Finding]) -> bool:
    """Did AWS answer who this is?"""
    return any(it.name == "identity" and it.outcome is Outcome.OK for it in findings)


def _region(account: Account, region: str) -> Finding:
    if region not in _regions(account, "lambda"):
        advice = "Check its name. A very new one may be right: then update boto3."
        return Finding("region", Outcome.WARNING, f"No region {region} is known.", advice)
    absent = [it for it in SERVICES if region not in _regions(account, it)]
    if absent:
        said = f"Region {region} is not known to have {', '.join(absent)}."
        return Finding("region", Outcome.WARNING, said, "Look it up before you deploy there, or take another region.")
    return Finding("region", Outcome.OK, f"Region {region} has every service that a stack needs.")


def _regions(account: Account, service: str) -> set[str]:
    session = account.session
    return {name for it in session.get_available_partitions() for name in session.get_available_regions(service, it)}


def _identity(account: Account, region: str) -> Finding:
    try:
        who = account.client("sts").get_caller_identity()
    except EndpointConnectionError as error:
        if account.endpoint_url:
            said = f"Nothing answers at {account.endpoint_url}."
            return Finding("identity", Outcome.FAILED, said, "Check --endpoint-url; without it, AWS itself is asked.")
        if region not in _regions(account, "lambda"):
            return Finding("identity", Outcome.FAILED, f"AWS has no region {region}.", "Check --region.")
        return meaning("identity", error)
    except (ClientError, BotoCoreError) as error:
        return meaning("identity", error)
    return Finding("identity", Outcome.OK, f"You are {who['Arn']} in account {who['Account']}.")
