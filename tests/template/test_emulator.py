"""What local/emulator.py teaches the embedded AWS: a stack of it is made, does what AWS's would, changes and goes."""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

STACK = "taught"
FAILS = "def handler(event, context):\n    raise RuntimeError('no')\n"
PARAMETERS = [{"ParameterKey": "Some", "ParameterValue": "one,two"}]
CONSUMER = "111122223333"


def trusts(service: str) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}


def allows(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def template(*, days: int = 1, rotated: str = "rate(4 hours)", alarmed: str = "ALARM") -> dict[str, Any]:
    return {
        "Parameters": {name: {"Type": "CommaDelimitedList", "Default": ""} for name in ("None", "Some")},
        "Conditions": {
            f"Has{name}": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": name}]}, ""]}]}
            for name in ("None", "Some")
        },
        "Resources": {
            "Boundary": resource("IAM::ManagedPolicy", PolicyDocument=allows("s3:*", "sqs:*", "logs:*")),
            "Role": resource(
                "IAM::Role",
                RoleName="bounded",
                PermissionsBoundary={"Ref": "Boundary"},
                AssumeRolePolicyDocument=trusts("lambda.amazonaws.com"),
                Policies=[{"PolicyName": "all", "PolicyDocument": allows("*")}],
            ),
            "Queue": resource("SQS::Queue"),
            "Function": resource(
                "Lambda::Function",
                Runtime="python3.13",
                Handler="index.handler",
                Role={"Fn::GetAtt": ["Role", "Arn"]},
                Code={"ZipFile": FAILS},
            ),
            "Version": resource("Lambda::Version", FunctionName={"Ref": "Function"}),
            "Alias": resource(
                "Lambda::Alias",
                FunctionName={"Ref": "Function"},
                Name="live",
                FunctionVersion={"Fn::GetAtt": ["Version", "Version"]},
            )
            | {"UpdatePolicy": {"CodeDeployLambdaAliasUpdate": {"ApplicationName": {"Ref": "Application"}}}},
            "Failures": resource(
                "Lambda::EventInvokeConfig",
                FunctionName={"Ref": "Function"},
                Qualifier="live",
                MaximumRetryAttempts=0,
                DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}},
            )
            | {"DependsOn": "Alias"},
            "Application": resource("CodeDeploy::Application", ComputePlatform="Lambda"),
            "Group": resource(
                "CodeDeploy::DeploymentGroup",
                ApplicationName={"Ref": "Application"},
                DeploymentGroupName="by-hand",
                ServiceRoleArn={"Fn::GetAtt": ["Role", "Arn"]},
            ),
            "Alarm": resource(
                "CloudWatch::Alarm",
                Namespace="N",
                MetricName="M",
                ComparisonOperator="GreaterThanThreshold",
                Threshold=1,
                EvaluationPeriods=1,
            ),
            "Calculated": resource(
                "CloudWatch::Alarm",
                Metrics=[
                    {"Id": "both", "Expression": "one + one"},
                    {
                        "Id": "one",
                        "ReturnData": False,
                        "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Stat": "Sum", "Period": 60},
                    },
                ],
                ComparisonOperator="GreaterThanThreshold",
                Threshold=days,
                EvaluationPeriods=1,
            ),
            "Any": resource("CloudWatch::CompositeAlarm", AlarmRule={"Fn::Sub": f'{alarmed}("${{Alarm}}")'}),
            "Stream": resource("Kinesis::Stream", StreamModeDetails={"StreamMode": "ON_DEMAND"}),
            "Consumers": resource(
                "Kinesis::ResourcePolicy",
                ResourceArn={"Fn::GetAtt": ["Stream", "Arn"]},
                ResourcePolicy={
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": CONSUMER},
                            "Action": "kinesis:ListShards",
                            "Resource": {"Fn::GetAtt": ["Stream", "Arn"]},
                        }
                    ],
                },
            ),
            "Secret": resource("SecretsManager::Secret"),
            "Rotation": resource(
                "SecretsManager::RotationSchedule",
                SecretId={"Ref": "Secret"},
                RotationLambdaARN={"Fn::GetAtt": ["Function", "Arn"]},
                RotationRules={"ScheduleExpression": rotated},
            ),
            "Bucket": resource(
                "S3::Bucket",
                ObjectLockEnabled=True,
                ObjectLockConfiguration={
                    "ObjectLockEnabled": "Enabled",
                    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": days}},
                },
            )
            | {"DeletionPolicy": "Retain"},
        },
        "Outputs": {
            name: {"Value": value}
            for name, value in {
                "Alias": {"Ref": "Alias"},
                "Alarm": {"Ref": "Alarm"},
                "Any": {"Ref": "Any"},
                "AnyArn": {"Fn::GetAtt": ["Any", "Arn"]},
                "Application": {"Ref": "Application"},
                "Calculated": {"Ref": "Calculated"},
                "Bucket": {"Ref": "Bucket"},
                "Conditions": {
                    "Fn::Sub": [
                        "${None} ${Some}",
                        {name: {"Fn::If": [f"Has{name}", "yes", "no"]} for name in ("None", "Some")},
                    ]
                },
                "Consumers": {"Ref": "Consumers"},
                "Group": {"Ref": "Group"},
                "Queue": {"Ref": "Queue"},
                "Rotation": {"Ref": "Rotation"},
                "Secret": {"Fn::GetAtt": ["Secret", "Id"]},
                "Stream": {"Fn::GetAtt": ["Stream", "Arn"]},
            }.items()
        },
    }


@pytest.fixture(scope="module")
def aws():
    with EmbeddedAws(enforce_iam=True) as running:
        yield running


@pytest.fixture(scope="module")
def outputs(aws):
    client = aws.client("cloudformation")
    client.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template()),
        Parameters=PARAMETERS,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    return outputs_of(aws)


def outputs_of(aws: EmbeddedAws) -> dict[str, str]:
    stack = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def state_of(aws: EmbeddedAws, name: str) -> str:
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])[
        "CompositeAlarms"
    ]
    return str(alarm["StateValue"])


def test_each_type_has_the_reference_that_aws_gives_it(outputs):
    assert outputs["AnyArn"].endswith(f":alarm:{outputs['Any']}")
    assert outputs["Consumers"] == outputs["Stream"]
    assert outputs["Rotation"] == outputs["Secret"]
    assert outputs["Application"].startswith(f"{STACK}-Application-")
    assert outputs["Group"] == "by-hand"


def test_a_joined_list_can_be_compared(outputs):
    assert outputs["Conditions"] == "no yes"


def test_a_composite_alarm_follows_its_alarms(aws, outputs):
    for state in ("ALARM", "OK"):
        aws.client("cloudwatch").set_alarm_state(AlarmName=outputs["Alarm"], StateValue=state, StateReason="test")
        assert state_of(aws, outputs["Any"]) == state


def test_an_alarm_of_metric_math_can_be_moved_by_hand(aws, outputs):
    aws.client("cloudwatch").set_alarm_state(AlarmName=outputs["Calculated"], StateValue="ALARM", StateReason="test")
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[outputs["Calculated"]])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"


def test_a_stream_has_its_policy(aws, outputs):
    policy = aws.client("kinesis").get_resource_policy(ResourceARN=outputs["Stream"])["Policy"]
    assert json.loads(policy)["Statement"][0]["Principal"] == {"AWS": CONSUMER}


def test_a_rotation_is_kept_with_its_secret(aws, outputs):
    secret = aws.client("secretsmanager").describe_secret(SecretId=outputs["Secret"])
    assert secret["RotationEnabled"]
    assert secret["RotationRules"] == {"ScheduleExpression": "rate(4 hours)"}


def test_an_object_is_locked(aws, outputs):
    s3 = aws.client("s3")
    version = s3.put_object(Bucket=outputs["Bucket"], Key="kept", Body=b"x")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=outputs["Bucket"], Key="kept", VersionId=version)


def test_a_role_may_not_do_what_its_boundary_leaves_out(aws, outputs):
    role = aws.client("iam").get_role(RoleName="bounded")["Role"]
    keys = aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    session: Any = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
    to = {"endpoint_url": aws.endpoint, "verify": aws.environment()["AWS_CA_BUNDLE"], "config": Config(proxies={})}
    assert session.client("s3", **to).list_buckets()["Buckets"]
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("dynamodb", **to).list_tables()


def test_a_failed_run_of_an_alias_is_reported_as_the_alias_says_after_one_try(aws, outputs):
    aws.client("lambda").invoke(FunctionName=outputs["Alias"], InvocationType="Event", Payload=b'{"n": 1}')
    (message,) = aws.client("sqs").receive_message(QueueUrl=outputs["Queue"], WaitTimeSeconds=20)["Messages"]
    assert json.loads(message["Body"])["requestPayload"] == {"n": 1}


def test_a_stack_of_them_can_be_changed_and_deleted(aws, outputs):
    client = aws.client("cloudformation")
    changed = template(days=2, rotated="rate(8 hours)", alarmed="OK")
    client.update_stack(
        StackName=STACK,
        TemplateBody=json.dumps(changed),
        Parameters=PARAMETERS,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    assert outputs_of(aws) == outputs
    aws.client("cloudwatch").set_alarm_state(AlarmName=outputs["Alarm"], StateValue="ALARM", StateReason="test")
    assert state_of(aws, outputs["Any"]) == "OK"
    rules = aws.client("secretsmanager").describe_secret(SecretId=outputs["Secret"])["RotationRules"]
    assert rules == {"ScheduleExpression": "rate(8 hours)"}
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[outputs["Calculated"]])["MetricAlarms"]
    assert alarm["Threshold"] == 2
    lock = aws.client("s3").get_object_lock_configuration(Bucket=outputs["Bucket"])["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 2}

    client.delete_stack(StackName=STACK)
    client.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    assert not aws.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
