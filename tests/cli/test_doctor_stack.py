"""The doctor on a stack, in its own process: a small one of the same shape, made by CloudFormation in a second."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from slack_audit_cli.app import app

ANSWER = {
    "org": "main",
    "ok": True,
    "findings": [{"name": "token", "outcome": "ok", "what": "There is a token.", "advice": ""}],
}
CODE = """
import json, os
def lambda_handler(event, context):
    assert event["check"] is True
    if event["org"] == "broken":
        raise RuntimeError("a mistake of ours")
    return json.loads(os.environ["ANSWER"]) | {"org": event["org"]}
"""
CLOSED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def template(name: str) -> dict[str, Any]:
    """The resources that the doctor looks at, and the outputs that lead to them."""
    policy = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "*"}]}
    key = {"AttributeName": "org"}
    schedule = {
        "ScheduleExpression": "rate(1 minute)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": {"Ref": "Live"}, "RoleArn": "arn:aws:iam::000000000000:role/nobody"},
    }
    resources = {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": dict.fromkeys(CLOSED, True),
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}},
                    ]
                },
            },
        },
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy},
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [{**key, "AttributeType": "S"}],
                "KeySchema": [{**key, "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "DeletionProtectionEnabled": True,
            },
        },
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "CollectFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.lambda_handler",
                "Role": "arn:aws:iam::000000000000:role/nobody",
                "Code": {"ZipFile": CODE},
                "Environment": {"Variables": {"ANSWER": json.dumps(ANSWER)}},
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "CollectFunction"}}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "Name": "live",
                "FunctionName": {"Ref": "CollectFunction"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
            },
        },
        "Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": schedule},
        "VerifyLogs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/aws/lambda/{name}-verify"}},
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": "What to do.",
                "Namespace": "Example",
                "MetricName": "Example",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Period": 60,
                "Statistic": "Sum",
                "Threshold": 1,
                "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:on-call"],
            },
        },
    }
    outputs = {
        "CollectFunctionName": "Live",
        "VerifyFunctionName": "CollectFunction",
        "ArchiveBucketName": "Bucket",
        "EventStreamName": "Stream",
        "CheckpointTableName": "Table",
    }
    return {
        "Parameters": {"Org": {"Type": "String"}, "Orgs": {"Type": "CommaDelimitedList"}},
        "Resources": resources,
        "Outputs": {name: {"Value": {"Ref": resource}} for name, resource in outputs.items()},
    }


class Made:
    """The stack, and what the doctor says of it."""

    def __init__(self, cloud: Any) -> None:
        self.client = cloud.aws.client
        self.name = cloud.name[:20]
        self.endpoint = cloud.aws.endpoint
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=self.name,
            TemplateBody=json.dumps(template(self.name)),
            Parameters=[
                {"ParameterKey": "Org", "ParameterValue": "main"},
                {"ParameterKey": "Orgs", "ParameterValue": "labs,broken"},
            ],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})
        (stack,) = cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        self.outputs = {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}
        table = self.outputs["CheckpointTableName"]
        self.client("dynamodb").update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        stream = self.outputs["EventStreamName"]
        self.client("kinesis").start_stream_encryption(
            StreamName=stream, EncryptionType="KMS", KeyId="alias/aws/kinesis"
        )

    def physical(self, logical_id: str) -> str:
        found = self.client("cloudformation").describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def checkpoint(self, org: str, lag: int, **more: Any) -> None:
        item = {
            "org": {"S": org},
            "next": {"N": "20"},
            "published": {"N": "20"},
            "clock": {"N": "0"},
            "passes": {"M": {"live": {"M": {"watermark": {"N": str(int(time.time()) - lag)}}}}},
        }
        self.client("dynamodb").put_item(TableName=self.outputs["CheckpointTableName"], Item=item | more)

    def verified(self, org: str, *lines: str, **said: Any) -> None:
        logs, group = self.client("logs"), f"/aws/lambda/{self.name}-verify"
        result = {"message": "verified", "org": org, "proven": True, "events": 7, "last": 3, "faults": 0} | said
        stream = f"{org}-{time.time_ns()}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        now = int(time.time() * 1_000)
        events = [{"timestamp": now, "message": it} for it in (*lines, json.dumps(result))]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def doctor(self, *options: str) -> tuple[int, dict[str, dict[str, str]]]:
        """The exit code, and the outcomes by section and name."""
        where = ["--endpoint-url", self.endpoint, "--region", "us-east-1"]
        ran = CliRunner().invoke(app, ["doctor", "--stack", self.name, "--json", *where, *options])
        sections = json.loads(ran.stdout)["sections"]
        found = {it["name"]: {one["name"]: one["outcome"] for one in it["findings"]} for it in sections}
        return ran.exit_code, found


@pytest.fixture
def made(cloud, monkeypatch) -> Iterator[Made]:
    made = Made(cloud)
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "no_proxy": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    made.checkpoint("main", lag=70)
    made.verified("main")
    yield made
    made.client("cloudformation").delete_stack(StackName=made.name)


WELL = {"token": "ok", "lease": "ok", "lag": "ok", "backlog": "ok", "verified": "ok"}


def test_a_stack_on_which_all_is_well(made):
    code, found = made.doctor("--org", "main")
    names = ["stack", "bucket", "table", "stream", "version", "schedule", "queue", "alarms"]
    assert found[f"stack {made.name}"] == dict.fromkeys(names, "ok")
    assert found["organisation main"] == WELL
    assert (code, list(found)) == (0, ["account", f"stack {made.name}", "organisation main"])


def test_every_organisation_of_the_stack_is_looked_at(made):
    made.checkpoint("labs", lag=2_000, published={"N": "0"})
    made.verified("labs", "START", '"text"', proven=False, faults=2)
    code, found = made.doctor()
    assert code == 1
    assert found["organisation main"] == WELL
    assert found["organisation labs"] == WELL | {"lag": "failed", "backlog": "warning", "verified": "failed"}
    assert found["organisation broken"] == {"check": "failed", "lag": "warning", "verified": "warning"}


def test_a_paused_stack_may_lag_and_its_schedules_are_told(made):
    scheduler, name = made.client("scheduler"), made.physical("Schedule")
    kept = {
        key: value
        for key, value in scheduler.get_schedule(Name=name).items()
        if key in {"ScheduleExpression", "FlexibleTimeWindow", "Target"}
    }
    scheduler.update_schedule(Name=name, State="DISABLED", **kept)
    made.checkpoint("main", lag=9_000)
    code, found = made.doctor("--org", "main")
    assert (code, found[f"stack {made.name}"]["schedule"]) == (1, "warning")
    assert found["organisation main"]["lag"] == "failed", "the deployment does not say that it is paused"
    scheduler.delete_schedule(Name=name)
    _, found = made.doctor("--org", "main")
    assert found[f"stack {made.name}"]["schedule"] == "failed"


def test_what_is_set_otherwise_is_told(made):
    bucket, function = made.outputs["ArchiveBucketName"], made.physical("CollectFunction")
    made.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    made.client("dynamodb").update_table(TableName=made.outputs["CheckpointTableName"], DeletionProtectionEnabled=False)
    made.client("lambda").update_function_configuration(FunctionName=function, Environment={"Variables": {"A": "B"}})
    made.client("sqs").send_message(QueueUrl=made.physical("Queue"), MessageBody="a failed run")
    made.client("cloudwatch").set_alarm_state(AlarmName=made.physical("Alarm"), StateValue="ALARM", StateReason="test")
    code, found = made.doctor("--org", "main")
    expected = {"bucket": "failed", "table": "warning", "version": "failed", "queue": "warning", "alarm": "warning"}
    assert found[f"stack {made.name}"] | expected == found[f"stack {made.name}"]
    assert code == 1


def test_what_is_gone_is_told(made):
    made.client("kinesis").delete_stream(StreamName=made.outputs["EventStreamName"])
    table = made.outputs["CheckpointTableName"]
    made.client("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=False)
    made.client("dynamodb").delete_table(TableName=table)
    made.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{made.name}-verify")
    code, found = made.doctor("--org", "main")
    stack, org = found[f"stack {made.name}"], found["organisation main"]
    assert (stack["stream"], stack["table"], org["checkpoint"], org["verified"]) == ("failed",) * 4
    assert code == 1


def test_an_organisation_that_the_stack_does_not_collect(made):
    code, found = made.doctor("--org", "sales")
    assert (code, found["organisation sales"]) == (1, {"org": "failed"})
