"""The template as CloudFormation carries it out: SAM's and the loops' resources written out, every function worked out.

Linters of other people's making stop at a function that they do not know, so they are given this, for a few sets of
parameters. The functions are the embedded AWS's; what only a deployment knows (names, ARNs) is made up here.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import engine

from local.emulator import evaluate_conditions
from tests.template.reading import ANALYTICS, Node, deployable, written

STACK = "slack-audit"
STACK_ID = (
    f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{STACK}/00000000-0000-0000-0000-000000000000"
)

# Between them each condition holds once and fails once, with the key of the stack and with another.
OPTIONS = {
    "AccessLogBucket": "access-logs",
    "AnalyticsDatabase": "slack_audit",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:000000000000:alarms",
    "BreakGlassArn": "arn:aws:iam::000000000000:role/break-glass",
    "ConsumerAccounts": "111122223333,444455556666",
    "FormerKmsKeyArns": "arn:aws:kms:us-east-1:000000000000:key/22222222-2222-2222-2222-222222222222",
    "ObjectLockMode": "COMPLIANCE",
    "Orgs": "lab,plant",
    "PermissionsBoundaryArn": "arn:aws:iam::000000000000:policy/boundary",
    "ReplayBucketArns": "arn:aws:s3:::investigations/case-17/*",
    "ReplayKeyArns": "arn:aws:kms:us-east-1:000000000000:key/33333333-3333-3333-3333-333333333333",
    "ReplayQueueArns": "arn:aws:sqs:us-east-1:000000000000:investigation",
    "ReplayStreamArns": "arn:aws:kinesis:us-east-1:000000000000:stream/investigation,arn:aws:kinesis:us-east-1:000000000000:stream/lab",
    "StreamMode": "ON_DEMAND",
    "TokenRotation": "on",
    "VpcSecurityGroupIds": "sg-0123456789abcdef0",
    "VpcSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
}
VARIANTS: dict[str, dict[str, str]] = {
    "as-it-comes": {},
    "every-option": OPTIONS,
    "without-limits": {
        **OPTIONS,
        "Analytics": "off",
        "CollectConcurrency": "0",
        "ColdStorageDays": "0",
        "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111",
        "ScheduleState": "DISABLED",
        "VpcSecurityGroupIds": "",
        "VpcSubnetIds": "",
    },
}

# What the stack passes on, without and with a bucket for the access log.
ANALYTICS_VARIANTS = {
    name: {
        "Workgroup": "slack-audit",
        "DatabaseName": "slack_audit",
        "ArchiveBucket": "slack-audit-archive",
        "Organisations": "main,lab",
        "KeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111",
        "AccessLogBucket": log,
        "ResultDays": "30",
        "ScanBytes": "100000000000",
    }
    for name, log in {"analytics": "", "analytics-logged": "access-logs"}.items()
}

# {name} is the stack's name with the logical ID. The reference pages' tables, "Return values".
ARNS = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{place}:alarm:{name}",
    "AWS::CloudWatch::CompositeAlarm": "cloudwatch:{place}:alarm:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{place}:table/{name}",
    "AWS::EC2::SecurityGroup": "ec2:{place}:security-group/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{place}:key/00000000-0000-0000-0000-000000000000",
    "AWS::Kinesis::Stream": "kinesis:{place}:stream/{name}",
    "AWS::Lambda::Alias": "lambda:{place}:function:{name}:live",
    "AWS::Lambda::Function": "lambda:{place}:function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{place}:layer:{name}:1",
    "AWS::Lambda::Version": "lambda:{place}:function:{name}:1",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{place}:{name}",
    "AWS::SQS::Queue": "sqs:{place}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{place}:secret:{name}-AbCdEf",
    "AWS::StepFunctions::StateMachine": "states:{place}:stateMachine:{name}",
}
REFERRED_TO_BY_ARN = (
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Version",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
)


def resolved(parameters: Mapping[str, str]) -> Node:
    """What a deployment with these parameters makes. Raises ValueError for a parameter that the template refuses."""
    found: Node = json.loads(_resolved(tuple(sorted(parameters.items()))))
    return found


def resolved_analytics(parameters: Mapping[str, str]) -> Node:
    """What the nested stack makes."""
    source = written(ANALYTICS)
    values = _values(source, _provided(parameters))
    holding = evaluate_conditions(engine._evaluate_conditions, source, values)
    wanted = source["Resources"]
    made = {name: _stand_in(name, resource["Type"]) for name, resource in wanted.items()}
    worked_out = engine._resolve_refs(wanted, made, values, holding, {}, STACK, STACK_ID)
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": worked_out}


def conditions(parameters: Mapping[str, str]) -> dict[str, bool]:
    """Which of the template's conditions hold."""
    source = deployable(orgs=parameters.get("Orgs", ""))
    return evaluate_conditions(engine._evaluate_conditions, source, _values(source, _provided(parameters)))


@cache
def _resolved(parameters: tuple[tuple[str, str], ...]) -> str:
    provided = _provided(dict(parameters))
    source = engine._apply_transforms(deployable(orgs=dict(parameters).get("Orgs", "")), provided)
    values = _values(source, provided)
    holding = evaluate_conditions(engine._evaluate_conditions, source, values)
    wanted = {name: it for name, it in source["Resources"].items() if holding.get(it.pop("Condition", ""), True)}
    made = {name: _stand_in(name, resource["Type"]) for name, resource in wanted.items()}
    worked_out = engine._resolve_refs(wanted, made, values, holding, source.get("Mappings", {}), STACK, STACK_ID)
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": worked_out})


def _values(source: Node, provided: list[dict[str, str]]) -> Node:
    """The parameters' values; numbers are numbers, as the resources' own schemas want them."""
    values: Node = engine._resolve_parameters(source, provided)
    for value in values.values():
        if value["Type"] == "Number":
            value["Value"] = int(value["Value"])
    return values


def _provided(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in parameters.items()]


def _stand_in(logical_id: str, kind: str) -> dict[str, Any]:
    """A made resource, as the embedded AWS keeps one."""
    name = f"{STACK}-{logical_id.lower()}"
    place = f"{get_region()}:{get_account_id()}"
    arn = "arn:aws:" + ARNS[kind].format(name=name, place=place, account=get_account_id()) if kind in ARNS else ""
    attributes = {
        "Id": arn,
        "QueueName": name,
        "QueueUrl": f"https://sqs.example.com/{name}",
        "Version": "1",
        "Name": name,
    }
    return {
        "PhysicalResourceId": arn if kind in REFERRED_TO_BY_ARN else name,
        "ResourceType": kind,
        "Attributes": attributes | ({"Arn": arn} if arn else {}),
    }
