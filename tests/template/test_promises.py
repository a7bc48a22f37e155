"""What the template promises about safety, loss and failure."""

import json
import re

import pytest

from slack_audit import telemetry
from tests.template.reading import (
    FUNCTIONS,
    TEMPLATE,
    cloudformation,
    listed,
    of_type,
    properties,
    role_statements,
    schedule_of,
    template,
    written,
)

FAILURE_QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}
SECRETS = {
    "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*"
}
OBJECTS = [{"Fn::Sub": "${ArchiveBucket.Arn}/raw/org=*/*"}, {"Fn::Sub": "${ArchiveBucket.Arn}/log/org=*/*"}]
PERMISSIONS = {
    "ReadTheToken": (["secretsmanager:GetSecretValue"], [{"Fn::GetAtt": ["SlackTokenSecret", "Id"]}, SECRETS]),
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
EVENTS = {"Fn::Sub": "${ArchiveBucket.Arn}/raw/org=*/*"}
CATALOG = {"Fn::Sub": "${ArchiveBucket.Arn}/catalog/org=*/*"}
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
WATCH_PERMISSIONS = {
    "ReadTheCheckpoints": (["dynamodb:GetItem"], [{"Fn::GetAtt": ["CheckpointTable", "Arn"]}]),
    "ReportFailedRuns": (["sqs:SendMessage"], [FAILURE_QUEUE]),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["WatchLogs", "Arn"]}]),
}
ROLES = {
    "Collect": PERMISSIONS,
    "Drift": DRIFT_PERMISSIONS,
    "Verify": VERIFY_PERMISSIONS,
    "Watch": WATCH_PERMISSIONS,
}
LISTED = {"Collect": ["raw", "log"], "Drift": ["raw", "log", "catalog"], "Verify": ["raw", "log"]}
ALIASES = [{"Fn::Sub": f"${{{name}Function.Arn}}:live"} for name in ("Drift", "Verify")]
KEPT = ["ArchiveBucket", "ArchiveBucketPolicy", "EventStream", "CheckpointTable"]


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


def test_the_watch_is_what_was_agreed():
    function = properties("WatchFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/watch", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 60, 256)
    assert schedule_of("WatchFunction")["ScheduleExpression"] == "rate(5 minutes)"


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
        age = {"DriftFunction": 21_600, "VerifyFunction": 21_600}.get(config["Properties"]["FunctionName"]["Ref"], 60)
        assert config["Properties"]["MaximumEventAgeInSeconds"] == age
        assert config["Properties"]["DestinationConfig"] == {"OnFailure": {"Destination": FAILURE_QUEUE}}


def test_the_schedule_is_the_parameters():
    assert schedule_of("CollectFunction")["ScheduleExpression"] == {"Ref": "ScheduleExpression"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_schedule_can_be_paused_and_a_missed_start_is_not_tried_again_but_reported(function):
    schedule = schedule_of(function)
    assert schedule["State"] == ("ENABLED" if function == "WatchFunction" else {"Ref": "ScheduleState"})
    target = schedule["Target"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert target["DeadLetterConfig"] == {"Arn": FAILURE_QUEUE}


def test_two_stacks_fit_into_one_account():
    names = {"BucketName", "TableName", "FunctionName", "QueueName", "RoleName", "Name"}
    for resource in cloudformation().values():
        fixed = [name for name in names if isinstance(resource["Properties"].get(name), str)]
        assert fixed == [], resource["Type"]
    groups = [(name, "LogGroupName") for name in of_type("AWS::Logs::LogGroup")]
    for resource, name in (*groups, ("CollectorLayer", "LayerName")):
        assert "${AWS::StackName}" in properties(resource)[name]["Fn::Sub"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_log_group_is_ours_and_forgets(function):
    group = function.replace("Function", "Logs")
    assert properties(function)["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": group}}
    assert properties(group)["RetentionInDays"] == 400
    assert len(of_type("AWS::Lambda::Function")) == len(of_type("AWS::Logs::LogGroup")) == len(FUNCTIONS)


# ---- alarms ----


def test_a_finding_and_a_day_without_a_check_are_alarms():
    alarm = properties("VerifyFindingsAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == (telemetry.NAMESPACE, telemetry.VERIFY_FINDINGS)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Maximum",
        "GreaterThanOrEqualToThreshold",
        1,
    )
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (86_400, 1, "breaching")


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_an_alarm_says_what_to_do_and_tells_whom_it_may(name):
    alarm = properties(name)
    assert "docs/verify.md" in alarm["AlarmDescription"]["Fn::Sub"]
    assert len(alarm["AlarmDescription"]["Fn::Sub"]) < 1_024
    told = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert alarm["AlarmActions"] == alarm["OKActions"] == told
    assert template()["Conditions"]["HasAlarmTopic"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}


# ---- permissions ----


@pytest.mark.parametrize(("name", "permissions"), ROLES.items())
def test_a_function_may_do_these_things_and_nothing_else(name, permissions):
    (policy,) = properties(f"{name}Role")["Policies"]
    granted = {
        it["Sid"]: (listed(it["Action"]), listed(it["Resource"]))
        for it in policy["PolicyDocument"]["Statement"]
        if it["Effect"] == "Allow"
    }
    assert granted == permissions
    assert properties(f"{name}Function")["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}


def test_listing_is_limited_to_the_orgs_own_prefixes():
    listings = {role: it["Condition"] for role, it in role_statements() if it["Action"] == "s3:ListBucket"}
    assert listings == {
        f"{name}Role": {"StringLike": {"s3:prefix": [f"{it}/org=*/*" for it in prefixes]}}
        for name, prefixes in LISTED.items()
    }


def test_every_statement_of_every_role_names_its_actions_and_resources():
    for role, statement in role_statements():
        assert not [action for action in listed(statement["Action"]) if "*" in action], role
        ours = [*OBJECTS, CATALOG, SECRETS, *ALIASES]
        named = [it for it in listed(statement["Resource"]) if it in ours or set(it) == {"Fn::GetAtt"}]
        assert named == listed(statement["Resource"]), role


def test_no_role_has_more_than_its_own_policies():
    for role in of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]
    assert not of_type("AWS::IAM::ManagedPolicy")
    assert not of_type("AWS::Lambda::Permission")


@pytest.mark.parametrize("name", ["Drift", "Verify"])
def test_a_daily_function_may_start_itself_for_each_organisation(name):
    policy = properties(f"{name}StartsItself")
    assert policy["Roles"] == [{"Ref": f"{name}Role"}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "lambda:InvokeFunction")
    assert statement["Resource"] == [
        {"Fn::GetAtt": [f"{name}Function", "Arn"]},
        {"Fn::Sub": f"${{{name}Function.Arn}}:live"},
    ]
    assert set(of_type("AWS::IAM::Policy")) == {"DriftStartsItself", "VerifyStartsItself"}


@pytest.mark.parametrize(
    ("policy", "action", "resources"),
    [
        (
            "ArchiveBucketPolicy",
            "s3:*",
            [{"Fn::GetAtt": ["ArchiveBucket", "Arn"]}, {"Fn::Sub": "${ArchiveBucket.Arn}/*"}],
        ),
        ("FailureQueuePolicy", "sqs:*", [FAILURE_QUEUE]),
    ],
)
def test_nobody_gets_in_without_tls(policy, action, resources):
    (statement,) = properties(policy)["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", action)
    assert listed(statement["Resource"]) == resources
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


# ---- what is kept ----


def test_the_bucket_is_private_versioned_and_encrypted():
    bucket = properties("ArchiveBucket")
    blocks = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(blocks, True)
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_the_stream_is_encrypted_and_keeps_a_week():
    stream = properties("EventStream")
    assert stream["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    assert stream["RetentionPeriodHours"] == 7 * 24
    assert (stream["StreamModeDetails"], stream["ShardCount"]) == ({"StreamMode": "PROVISIONED"}, 1)


def test_the_table_is_encrypted_recoverable_and_protected():
    table = properties("CheckpointTable")
    assert table["KeySchema"] == [{"AttributeName": "org", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "org", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True


def test_the_failure_queue_is_encrypted_and_keeps_two_weeks():
    queue = properties("FailureQueue")
    assert queue == {"MessageRetentionPeriod": 14 * 24 * 3600, "SqsManagedSseEnabled": True}


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
        "AWS::IAM::Policy",
        "AWS::Scheduler::Schedule",
        "AWS::SQS::QueuePolicy",
        "AWS::CloudWatch::Alarm",
    }
    for resource in template()["Resources"].values():
        assert resource["Type"] in silent or {"DeletionPolicy", "UpdateReplacePolicy"} <= set(resource)


# ---- the token ----


def test_the_secret_is_made_empty_and_goes_with_the_stack():
    secret = template()["Resources"]["SlackTokenSecret"]
    assert set(secret["Properties"]) == {"Description"}
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("Delete", "Retain")


def test_no_token_can_come_through_the_template():
    assert not re.search(r"xox[a-z]-\w", TEMPLATE.read_text())
    assert not [name for name in template()["Parameters"] if re.search("token|secret|password|key", name.lower())]
    assert "{{resolve:" not in json.dumps(template())


# ---- further organisations ----


def test_a_further_organisation_is_a_schedule_and_a_secret():
    added = cloudformation("lab,x1").keys() - cloudformation("lab").keys()
    assert added == {"CollectScheduleOfx1", "SlackTokenSecretOfx1"}


def test_its_schedule_is_that_of_the_first_but_for_the_organisation():
    first, further = dict(schedule_of("CollectFunction")), dict(properties("CollectScheduleOflab"))
    assert further.pop("Description") != first.pop("Description")
    ours, theirs = further.pop("Target"), first.pop("Target")
    assert further == first
    assert (ours["Input"], ours["RoleArn"]) == (
        {"Fn::Sub": '{"org": "lab"}'},
        {"Fn::GetAtt": ["SchedulerRole", "Arn"]},
    )
    assert {**ours, "Input": 0, "RoleArn": 0} == {**theirs, "Input": 0, "RoleArn": 0}


def test_its_schedule_may_start_the_collect_function_and_report_what_did_not_start():
    (policy,) = properties("SchedulerRole")["Policies"]
    granted = {it["Action"]: it["Resource"] for it in policy["PolicyDocument"]["Statement"]}
    assert granted == {
        "lambda:InvokeFunction": {"Fn::GetAtt": ["CollectFunction", "Arn"]},
        "sqs:SendMessage": FAILURE_QUEUE,
    }


def test_its_secret_is_made_empty_under_the_name_that_the_function_looks_for():
    secret = template()["Resources"]["SlackTokenSecretOflab"]
    assert set(secret["Properties"]) == {"Name", "Description"}
    assert secret["Properties"]["Name"] == {"Fn::Sub": "${AWS::StackName}/lab"}
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("Delete", "Retain")


@pytest.mark.parametrize("orgs", ["", "lab"])
def test_without_further_organisations_nothing_is_made_for_them(orgs):
    """Also where the list has one name that is empty, as CloudFormation's may."""
    assert written()["Conditions"]["HasOrgs"] == {
        "Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Orgs"}]}, ""]}]
    }
    made = {
        name: it
        for name, it in cloudformation(orgs).items()
        if name.startswith(("CollectScheduleOf", "SlackTokenSecretOf"))
    }
    assert {it["Condition"] for it in made.values()} <= {"HasOrgs"}
    assert cloudformation(orgs)["SchedulerRole"]["Condition"] == "HasOrgs"


def test_two_hundred_organisations_fit_into_one_stack():
    names = [f"org{number:05}" for number in range(200)]
    resources = cloudformation(",".join(names))
    assert len(resources) <= 500  # CloudFormation's limit
    assert len(resources) - len(cloudformation("lab")) == 2 * 199
    assert len(",".join(names)) <= 4_096  # of a parameter's value
    inputs = [
        it["Properties"]["Target"]["Input"] for it in of_type("AWS::Scheduler::Schedule", ",".join(names)).values()
    ]
    assert [it["Fn::Sub"] for it in inputs if isinstance(it["Fn::Sub"], str)].count('{"org": "org00199"}') == 1


def test_an_organisation_named_twice_is_refused():
    with pytest.raises(ValueError, match=r"Fn::ForEach|[Dd]uplicate"):
        template("lab,lab")
