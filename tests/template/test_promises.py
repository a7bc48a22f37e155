"""What the template promises about safety, loss and failure."""

import json
import re

import pytest

from tests.template.reading import (
    FUNCTIONS,
    KEY,
    TEMPLATE,
    cloudformation,
    listed,
    of_type,
    properties,
    role_statements,
    schedule_of,
    template,
)

FAILURE_QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}
DEAD_LETTERS = {"Fn::GetAtt": ["ScheduleDeadLetterQueue", "Arn"]}
OBJECTS = [{"Fn::Sub": "${ArchiveBucket.Arn}/raw/org=${Org}/*"}, {"Fn::Sub": "${ArchiveBucket.Arn}/log/org=${Org}/*"}]
PERMISSIONS = {
    "ReadTheToken": (["secretsmanager:GetSecretValue"], [{"Fn::GetAtt": ["SlackTokenSecret", "Id"]}]),
    "HoldTheCheckpoint": (
        ["dynamodb:PutItem", "dynamodb:UpdateItem"],
        [{"Fn::GetAtt": ["CheckpointTable", "Arn"]}],
    ),
    "WriteAndReadTheArchive": (["s3:GetObject", "s3:PutObject"], OBJECTS),
    "ListTheArchive": (["s3:ListBucket"], [{"Fn::GetAtt": ["ArchiveBucket", "Arn"]}]),
    "PublishEvents": (["kinesis:PutRecords"], [{"Fn::GetAtt": ["EventStream", "Arn"]}]),
    "ReportFailedRuns": (["sqs:SendMessage"], [FAILURE_QUEUE]),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["CollectLogs", "Arn"]}]),
}
EVENTS = {"Fn::Sub": "${ArchiveBucket.Arn}/raw/org=${Org}/*"}
CATALOG = {"Fn::Sub": "${ArchiveBucket.Arn}/catalog/org=${Org}/*"}
DRIFT_PERMISSIONS = {
    "ReadTheEvents": (["s3:GetObject"], [EVENTS]),
    "KeepTheCatalog": (["s3:GetObject", "s3:PutObject"], [CATALOG]),
    "ListTheArchive": (["s3:ListBucket"], [{"Fn::GetAtt": ["ArchiveBucket", "Arn"]}]),
    "ReportFailedRuns": (["sqs:SendMessage"], [FAILURE_QUEUE]),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["DriftLogs", "Arn"]}]),
}
VERIFY_PERMISSIONS = {
    "ReadTheArchive": (["s3:GetObject"], OBJECTS),
    "ListTheArchive": (["s3:ListBucket"], [{"Fn::GetAtt": ["ArchiveBucket", "Arn"]}]),
    "ReportFailedRuns": (["sqs:SendMessage"], [FAILURE_QUEUE]),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["VerifyLogs", "Arn"]}]),
}
ROLES = {"Collect": PERMISSIONS, "Drift": DRIFT_PERMISSIONS, "Verify": VERIFY_PERMISSIONS}
# Through whom a role uses the key: what it reads or writes is encrypted with it.
KEY_USERS = {
    "Collect": ["s3", "dynamodb", "kinesis", "secretsmanager", "sqs"],
    "Drift": ["s3", "sqs"],
    "Verify": ["s3", "sqs"],
    "Scheduler": ["sqs"],
}
UNNAMED = {"WatchTheAlarm"}
LISTED = {"Collect": ["raw", "log"], "Drift": ["raw", "catalog"], "Verify": ["raw", "log"]}
KEPT = ["ArchiveBucket", "ArchiveBucketPolicy", "EventStream", "CheckpointTable", "EncryptionKey"]


# ---- the function ----


def test_the_function_is_what_was_agreed():
    function = properties("CollectFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/collect", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 300, 512)


def test_the_drift_watch_is_what_was_agreed():
    function = properties("DriftFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/drift", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 900, 512)
    assert schedule_of("DriftFunction")["ScheduleExpression"] == "rate(1 day)"


def test_the_daily_check_is_what_was_agreed():
    function = properties("VerifyFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/verify", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 900, 1769)
    assert schedule_of("VerifyFunction")["ScheduleExpression"] == "cron(20 3 * * ? *)"


def test_functions_and_layer_are_built_for_the_chosen_processor():
    chosen = {"Ref": "Architecture"}
    layer = template()["Resources"]["CollectorLayer"]
    for function in FUNCTIONS:
        assert properties(function)["Architectures"] == [chosen]
    assert layer["Metadata"] == {"BuildMethod": "python3.13", "BuildArchitecture": chosen}
    assert layer["Properties"]["CompatibleArchitectures"] == [chosen]


def test_the_layer_is_the_only_one_and_leaves_no_old_versions():
    for function in FUNCTIONS:
        assert properties(function)["Layers"] == [{"Ref": "CollectorLayer"}]
    assert properties("CollectorLayer")["ContentUri"] == "layers/collector"
    assert properties("CollectorLayer")["RetentionPolicy"] == "Delete"


def test_a_failed_run_is_not_tried_again_but_reported():
    configs = of_type("AWS::Lambda::EventInvokeConfig").values()
    assert {it["Properties"]["FunctionName"]["Ref"] for it in configs} == set(FUNCTIONS)
    for config in configs:
        assert config["Properties"]["MaximumRetryAttempts"] == 0
        assert config["Properties"]["MaximumEventAgeInSeconds"] == 60
        assert config["Properties"]["DestinationConfig"] == {"OnFailure": {"Destination": FAILURE_QUEUE}}


def test_the_schedule_is_the_parameters():
    assert schedule_of("CollectFunction")["ScheduleExpression"] == {"Ref": "ScheduleExpression"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_schedule_can_be_paused_and_a_missed_start_is_not_tried_again_but_reported(function):
    schedule = schedule_of(function)
    assert schedule["State"] == {"Ref": "ScheduleState"}
    target = schedule["Target"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert target["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}
    assert target["RoleArn"] == {"Fn::GetAtt": ["SchedulerRole", "Arn"]}


def test_two_stacks_fit_into_one_account():
    names = {"BucketName", "TableName", "FunctionName", "QueueName", "RoleName", "Name"}
    for resource in cloudformation().values():
        fixed = [name for name in names - {"Name"} if isinstance(resource["Properties"].get(name), str)]
        fixed += [name for name in {"Name"} & set(resource["Properties"]) if resource["Type"] != "AWS::Lambda::Alias"]
        assert fixed == [], resource["Type"]
    groups = [(name, "LogGroupName") for name in of_type("AWS::Logs::LogGroup")]
    for resource, name in (*groups, ("CollectorLayer", "LayerName")):
        assert "${AWS::StackName}" in properties(resource)[name]["Fn::Sub"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_log_group_is_ours_and_forgets(function):
    group = function.replace("Function", "Logs")
    assert properties(function)["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": group}}
    assert properties(group)["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert properties(group)["KmsKeyId"] == KEY
    assert len(of_type("AWS::Lambda::Function")) == len(of_type("AWS::Logs::LogGroup")) == len(FUNCTIONS)


# ---- permissions ----


@pytest.mark.parametrize(("name", "permissions"), ROLES.items())
def test_a_function_may_do_these_things_and_nothing_else(name, permissions):
    (policy,) = properties(f"{name}Role")["Policies"]
    granted = {
        it["Sid"]: (listed(it["Action"]), listed(it["Resource"]))
        for it in policy["PolicyDocument"]["Statement"]
        if it.get("Effect") == "Allow" and it["Sid"] != "UseTheKey"
    }
    assert granted == permissions
    assert properties(f"{name}Function")["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}


def test_listing_is_limited_to_the_orgs_own_prefixes():
    listings = {role: it["Condition"] for role, it in role_statements() if it.get("Action") == "s3:ListBucket"}
    assert listings == {
        f"{name}Role": {"StringLike": {"s3:prefix": [{"Fn::Sub": f"{it}/org=${{Org}}/*"} for it in prefixes]}}
        for name, prefixes in LISTED.items()
    }


def test_every_statement_of_every_role_names_its_actions_and_resources():
    for role, statement in role_statements():
        if statement.get("Sid") in UNNAMED:
            continue
        assert not [action for action in listed(statement["Action"]) if "*" in action], role
        assert "*" not in listed(statement["Resource"]), role


def test_a_wildcard_stands_only_where_aws_knows_no_resource():
    """https://docs.aws.amazon.com/service-authorization/latest/reference/ lists them without a resource type."""
    wild = {it["Sid"]: listed(it["Action"]) for _, it in role_statements() if it.get("Resource") == "*"}
    assert wild == {"WatchTheAlarm": ["cloudwatch:DescribeAlarms"]}
    assert set(wild) == UNNAMED


def test_lambda_joins_the_vpc_only_where_there_is_one_and_our_code_never():
    assert template()["Resources"]["VpcPolicy"]["Condition"] == "IsInVpc"
    allowed, denied = properties("VpcPolicy")["PolicyDocument"]["Statement"]
    assert allowed["Action"] == denied["Action"]
    assert {it.split(":")[0] for it in allowed["Action"]} == {"ec2"}
    assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
    (ours,) = denied["Condition"]["ArnLike"].values()
    assert ours["Fn::Sub"].endswith(":function:${AWS::StackName}-*")


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_a_role_uses_the_key_only_through_its_services_and_stays_within_the_boundary(role):
    boundary = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
    assert properties(role)["PermissionsBoundary"] == boundary
    for name, statement in role_statements():
        if name == role and statement.get("Sid") == "UseTheKey":
            assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
            assert statement["Resource"] == KEY
            services = [it["Fn::Sub"] for it in listed(statement["Condition"]["StringEquals"]["kms:ViaService"])]
            assert services == [f"{it}.${{AWS::Region}}.amazonaws.com" for it in KEY_USERS[role.removesuffix("Role")]]


def test_no_role_has_more_than_its_own_policies():
    network = {"Fn::If": ["IsInVpc", [{"Ref": "VpcPolicy"}], {"Ref": "AWS::NoValue"}]}
    functions = {f"{name}Role" for name in ROLES}
    for name, role in of_type("AWS::IAM::Role").items():
        assert role["Properties"].get("ManagedPolicyArns") == (network if name in functions else None)
    assert not of_type("AWS::IAM::Policy")
    assert list(of_type("AWS::IAM::ManagedPolicy")) == ["VpcPolicy"]


# ---- what is kept ----


@pytest.mark.parametrize("name", KEPT)
def test_deleting_or_replacing_the_stack_keeps(name):
    resource = template()["Resources"][name]
    assert resource["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate")
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_everything_that_holds_data_says_what_becomes_of_it():
    silent = {
        "AWS::Serverless::Function",
        "AWS::Serverless::LayerVersion",
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Kinesis::ResourcePolicy",
    }
    for resource in template()["Resources"].values():
        assert resource["Type"] in silent or {"DeletionPolicy", "UpdateReplacePolicy"} <= set(resource)


# ---- the token ----


def test_the_secret_is_made_empty_and_goes_with_the_stack():
    secret = template()["Resources"]["SlackTokenSecret"]
    assert set(secret["Properties"]) == {"Description", "KmsKeyId"}
    assert secret["Properties"]["KmsKeyId"] == KEY
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("Delete", "Retain")


def test_no_token_can_come_through_the_template():
    assert not re.search(r"xox[a-z]-\w", TEMPLATE.read_text())
    assert not [
        name for name in template()["Parameters"] if re.search("token|secret|password|key(?!arn)", name.lower())
    ]
    assert "{{resolve:" not in json.dumps(template())
