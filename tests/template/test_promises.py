"""What the template promises about safety, loss and failure."""

import json
import re

import pytest

from tests.template.reading import (
    FUNCTIONS,
    KEY,
    SCHEDULED,
    TEMPLATE,
    cloudformation,
    listed,
    of_type,
    properties,
    role_statements,
    schedule_of,
    template,
    translated,
    written,
    written_of_type,
)

FAILURE_QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}
DEAD_LETTERS = {"Fn::GetAtt": ["ScheduleDeadLetterQueue", "Arn"]}
SECRETS = {  # of the stack's other organisations
    "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*"
}
OBJECTS = [{"Fn::Sub": "${ArchiveBucket.Arn}/raw/org=*/*"}, {"Fn::Sub": "${ArchiveBucket.Arn}/log/org=*/*"}]
CHECKS = {"Fn::Sub": "${ArchiveBucket.Arn}/checks/org=*/*"}
PERMISSIONS = {
    "ReadTheToken": (["secretsmanager:GetSecretValue"], [{"Fn::GetAtt": ["SlackTokenSecret", "Id"]}, SECRETS]),
    "HoldTheCheckpoint": (
        ["dynamodb:PutItem", "dynamodb:UpdateItem"],
        [{"Fn::GetAtt": ["CheckpointTable", "Arn"]}],
    ),
    "WriteAndReadTheArchive": (["s3:GetObject", "s3:PutObject"], OBJECTS),
    "TryToWriteOnce": (["s3:GetObject", "s3:PutObject"], [CHECKS]),
    "ListTheArchive": (["s3:ListBucket"], [{"Fn::GetAtt": ["ArchiveBucket", "Arn"]}]),
    "PublishEvents": (
        ["kinesis:DescribeStreamSummary", "kinesis:PutRecords"],
        [{"Fn::GetAtt": ["EventStream", "Arn"]}],
    ),
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
ROTATE_PERMISSIONS = {
    "RotateTheToken": (
        [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ],
        [{"Fn::GetAtt": ["SlackTokenSecret", "Id"]}, SECRETS],
    ),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["RotateLogs", "Arn"]}]),
}
VERSIONS = {"Fn::Sub": "${CollectFunction.Arn}:*"}
DEPLOYMENTS = {
    "Fn::Sub": "arn:${AWS::Partition}:codedeploy:${AWS::Region}:${AWS::AccountId}:deploymentgroup:${ServerlessDeploymentApplication}/*"
}
PRETRAFFIC_PERMISSIONS = {
    "AskTheNewVersion": (["lambda:InvokeFunction"], [VERSIONS]),
    "TellCodeDeploy": (["codedeploy:PutLifecycleEventHookExecutionStatus"], [DEPLOYMENTS]),
    "ReportFailedRuns": (["sqs:SendMessage"], [FAILURE_QUEUE]),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["PreTrafficLogs", "Arn"]}]),
}
REPLAY_OBJECTS = {"Fn::Sub": "${ArchiveBucket.Arn}/replay/org=*/*"}
STREAM = {"Fn::GetAtt": ["EventStream", "Arn"]}
REPLAY_PERMISSIONS = {  # as it comes; the targets that parameters add are conditional
    "ReadTheArchive": (["s3:GetObject"], OBJECTS),
    "KeepPlanAndReport": (["s3:GetObject", "s3:PutObject"], [REPLAY_OBJECTS]),
    "ListTheArchive": (["s3:ListBucket"], [{"Fn::GetAtt": ["ArchiveBucket", "Arn"]}]),
    "SendToStreams": (
        ["kinesis:PutRecords"],
        [
            {
                "Fn::If": [
                    "HasReplayStreams",
                    {
                        "Fn::Split": [
                            ",",
                            {"Fn::Join": [",", [STREAM, {"Fn::Join": [",", {"Ref": "ReplayStreamArns"}]}]]},
                        ]
                    },
                    STREAM,
                ]
            }
        ],
    ),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["ReplayLogs", "Arn"]}]),
}
ALIAS = {"Ref": "CollectFunctionAliaslive"}  # its ARN
WATCH_PERMISSIONS = {
    "ReadTheCheckpoints": (["dynamodb:GetItem"], [{"Fn::GetAtt": ["CheckpointTable", "Arn"]}]),
    "ReportFailedRuns": (["sqs:SendMessage"], [FAILURE_QUEUE]),
    "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], [{"Fn::GetAtt": ["WatchLogs", "Arn"]}]),
}
ROLES = {
    "Collect": PERMISSIONS,
    "Drift": DRIFT_PERMISSIONS,
    "Verify": VERIFY_PERMISSIONS,
    "PreTraffic": PRETRAFFIC_PERMISSIONS,
    "Replay": REPLAY_PERMISSIONS,
    "Rotate": ROTATE_PERMISSIONS,
    "Watch": WATCH_PERMISSIONS,
}
# Through whom a role uses the key: what it reads or writes is encrypted with it.
KEY_USERS = {
    "Collect": ["s3", "dynamodb", "kinesis", "secretsmanager", "sqs"],
    "Drift": ["s3", "sqs"],
    "Verify": ["s3", "sqs"],
    "PreTraffic": ["sqs"],
    "Replay": ["s3", "kinesis"],
    "ReplayStates": ["s3"],
    "Rotate": ["secretsmanager"],
    "Scheduler": ["sqs"],
    "Watch": ["dynamodb", "sqs"],
}
DELIVERY = [  # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
]
UNNAMED = {"WatchTheAlarm", "DeliverLogs"}
LISTED = {
    "Collect": ["raw", "log"],
    "Drift": ["raw", "log", "catalog"],
    "Verify": ["raw", "log"],
    "Replay": ["raw", "log", "replay"],
}
KEPT = ["ArchiveBucket", "ArchiveBucketPolicy", "EventStream", "CheckpointTable", "EncryptionKey"]


# ---- the function ----


def test_the_function_is_what_was_agreed():
    function = properties("CollectFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/collect", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 308, 512)


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


def test_the_check_before_traffic_is_what_was_agreed():
    function = properties("PreTrafficFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/pretraffic", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 900, 256)
    assert "Events" not in function, "only CodeDeploy invokes it"


def test_only_the_collect_function_is_published_in_versions():
    published = {name: properties(name).get("AutoPublishAlias") for name in FUNCTIONS}
    assert published == dict.fromkeys(FUNCTIONS) | {"CollectFunction": "live"}
    assert schedule_of("CollectFunction")["Target"]["Arn"] == ALIAS


def test_a_new_layer_is_a_new_version_of_the_collect_function():
    def version(layer: str) -> list[str]:
        return [name for name, it in translated(layer).items() if it["Type"] == "AWS::Lambda::Version"]

    assert len(version("s3://bucket/key")) == 1
    assert version("s3://bucket/key") == version("s3://bucket/key") != version("s3://bucket/another")


def test_the_rotation_is_what_was_agreed():
    function = properties("RotateFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/rotate", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 300, 256)


def test_a_token_is_rotated_only_if_asked_for_and_three_times_in_its_life():
    made = {name for name, it in cloudformation().items() if it.get("Condition") == "RotatesToken"}
    assert {it for it in cloudformation() if it.startswith("Rotat")} == made
    assert {"RotateFunction", "RotateRole", "RotateLogs", "RotatePermission", "RotateSchedule"} <= made
    assert template()["Conditions"]["RotatesToken"] == {"Fn::Equals": [{"Ref": "TokenRotation"}, "on"]}
    schedule = cloudformation()["RotateSchedule"]
    assert schedule["Properties"] == {
        "SecretId": {"Fn::GetAtt": ["SlackTokenSecret", "Id"]},
        "RotationLambdaARN": {"Fn::GetAtt": ["RotateFunction", "Arn"]},
        "RotateImmediatelyOnUpdate": False,
        "RotationRules": {"ScheduleExpression": "rate(4 hours)"},
    }
    assert schedule["DependsOn"] == "RotatePermission", "without it Secrets Manager refuses the schedule"


def test_secrets_manager_alone_may_call_the_rotation():
    (permission,) = of_type("AWS::Lambda::Permission").values()
    assert permission["Properties"] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Fn::GetAtt": ["RotateFunction", "Arn"]},
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": {"Ref": "AWS::AccountId"},
    }


def test_the_watch_is_what_was_agreed():
    function = properties("WatchFunction")
    assert (function["CodeUri"], function["Handler"]) == ("functions/watch", "app.lambda_handler")
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 60, 256)
    assert schedule_of("WatchFunction")["ScheduleExpression"] == "rate(1 minute)"


def test_functions_and_layer_are_built_for_the_chosen_processor():
    chosen = {"Ref": "Architecture"}
    layer = template()["Resources"]["CollectorLayer"]
    for function in FUNCTIONS:
        assert properties(function)["Architectures"] == [chosen]
    assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": chosen}
    assert layer["Properties"]["CompatibleArchitectures"] == [chosen]


def test_the_layer_is_the_only_one_and_leaves_no_old_versions():
    for function in FUNCTIONS:
        assert properties(function)["Layers"] == [{"Ref": "CollectorLayer"}]
    assert properties("CollectorLayer")["ContentUri"] == "layers/collector"
    assert properties("CollectorLayer")["RetentionPolicy"] == "Delete"


def test_a_failed_run_is_not_tried_again_but_reported():
    configs = of_type("AWS::Lambda::EventInvokeConfig").values()
    # The state machine waits for the replay function, and repeats what can be repeated.
    assert {it["Properties"]["FunctionName"]["Ref"] for it in configs} == set(FUNCTIONS) - {"ReplayFunction"}
    for config in configs:
        assert config["Properties"]["MaximumRetryAttempts"] == 0
        age = {"DriftFunction": 21_600, "VerifyFunction": 21_600}.get(config["Properties"]["FunctionName"]["Ref"], 60)
        assert config["Properties"]["MaximumEventAgeInSeconds"] == age
        # Secrets Manager reports a failed rotation; its event can hold a token of its own, which no queue gets.
        reported = config["Properties"]["FunctionName"]["Ref"] != "RotateFunction"
        destination = {"OnFailure": {"Destination": FAILURE_QUEUE}} if reported else {}
        assert config["Properties"]["DestinationConfig"] == destination


def test_the_schedule_is_the_parameters():
    assert schedule_of("CollectFunction")["ScheduleExpression"] == {"Ref": "ScheduleExpression"}


@pytest.mark.parametrize("function", SCHEDULED)
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
        if resource["Type"] == "AWS::Lambda::Alias":
            continue  # its name is within its function's
        fixed = [name for name in names if isinstance(resource["Properties"].get(name), str)]
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
    assert len(of_type("AWS::Lambda::Function")) == len(FUNCTIONS)
    assert set(of_type("AWS::Logs::LogGroup")) == {it.replace("Function", "Logs") for it in FUNCTIONS} | {
        "ReplayStatesLogs"
    }


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
        f"{name}Role": {"StringLike": {"s3:prefix": [f"{it}/org=*/*" for it in prefixes]}}
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
    assert wild == {"WatchTheAlarm": ["cloudwatch:DescribeAlarms"], "DeliverLogs": DELIVERY}
    assert set(wild) == UNNAMED


def test_lambda_joins_the_vpc_only_where_there_is_one_and_our_code_never():
    assert template()["Resources"]["VpcPolicy"]["Condition"] == "IsInVpc"
    allowed, denied = properties("VpcPolicy")["PolicyDocument"]["Statement"]
    assert allowed["Action"] == denied["Action"]
    assert {it.split(":")[0] for it in allowed["Action"]} == {"ec2"}
    assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
    (ours,) = denied["Condition"]["ArnLike"].values()
    assert ours["Fn::Sub"].endswith(":function:*"), "it is attached to our roles alone"


@pytest.mark.parametrize("role", written_of_type("AWS::IAM::Role"))
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
    assert set(of_type("AWS::IAM::Role")) == set(written_of_type("AWS::IAM::Role")), "SAM adds none"
    for name, role in of_type("AWS::IAM::Role").items():
        assert role["Properties"].get("ManagedPolicyArns") == (network if name in functions else None)
    assert list(of_type("AWS::IAM::ManagedPolicy")) == ["VpcPolicy"]


@pytest.mark.parametrize("name", ["Drift", "Verify"])
def test_a_daily_function_may_start_itself_for_each_organisation(name):
    policy = properties(f"{name}StartsItself")
    assert policy["Roles"] == [{"Ref": f"{name}Role"}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "lambda:InvokeFunction")
    assert statement["Resource"] == {"Fn::GetAtt": [f"{name}Function", "Arn"]}
    assert set(of_type("AWS::IAM::Policy")) == {
        "DriftStartsItself", "VerifyStartsItself", "ReplayStartsItself", "FormerKeysPolicy",
    }  # fmt: skip


# ---- replays ----


def test_a_replay_may_send_only_where_the_parameters_say():
    (policy,) = properties("ReplayRole")["Policies"]
    conditional = [it["Fn::If"] for it in policy["PolicyDocument"]["Statement"] if "Fn::If" in it]
    assert {condition: (it["Action"], it["Resource"]) for condition, it, _ in conditional} == {
        "HasReplayBuckets": ("s3:PutObject", {"Ref": "ReplayBucketArns"}),
        "HasReplayQueues": (["sqs:GetQueueAttributes", "sqs:SendMessage"], {"Ref": "ReplayQueueArns"}),
        "HasReplayKeys": (["kms:Decrypt", "kms:GenerateDataKey"], {"Ref": "ReplayKeyArns"}),
    }
    assert all(otherwise == {"Ref": "AWS::NoValue"} for _, _, otherwise in conditional)


def test_the_state_machine_may_start_one_function_and_its_own_items():
    granted = {
        it["Sid"]: (listed(it["Action"]), listed(it["Resource"]))
        for role, it in role_statements()
        if role in {"ReplayStatesRole", "ReplayStartsItself"} and it["Sid"] not in {"UseTheKey", "DeliverLogs"}
    }
    place = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${ReplayStateMachine.Name}"
    assert granted == {
        "StartTheFunction": (["lambda:InvokeFunction"], [{"Fn::GetAtt": ["ReplayFunction", "Arn"]}]),
        "ReadTheItems": (["s3:GetObject"], [{"Fn::Sub": "${ArchiveBucket.Arn}/replay/org=*/*/items.json"}]),
        "StartItself": (["states:StartExecution"], [{"Ref": "ReplayStateMachine"}]),
        "LookAfterItsItems": (
            ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"],
            [{"Fn::Sub": f"{place}:*"}, {"Fn::Sub": f"{place}/Replay:*"}],
        ),
    }


def test_a_replay_tolerates_no_failure_catches_none_and_repeats_what_passes():
    machine = properties("ReplayStateMachine")
    assert (machine["StateMachineType"], properties("ReplayFunction")["Timeout"]) == ("STANDARD", 900)
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    states = machine["Definition"]["States"]
    replay = states["Replay"]
    assert replay["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert (replay["ToleratedFailurePercentage"], replay["MaxConcurrencyPath"]) == (0, "$.concurrency")
    assert "ToleratedFailureCount" not in replay
    assert "Catch" not in json.dumps(machine["Definition"])
    tasks = [states["Plan"], states["Report"], replay["ItemProcessor"]["States"]["Send"]]
    for task in tasks:
        assert task["Retry"] == tasks[0]["Retry"]
        assert task["TimeoutSeconds"] > 900
        assert all(it["MaxAttempts"] <= 8 for it in task["Retry"])
    errors = {name for it in tasks[0]["Retry"] for name in it["ErrorEquals"]}
    assert {"StorageError", "SinkUnavailableError", "Lambda.TooManyRequestsException"} <= errors
    assert {"Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown"} <= errors  # as a function that was killed ends
    assert errors.isdisjoint(
        {"States.ALL", "States.TaskFailed", "ArchiveDamagedError", "SinkRefusedError", "ReplayError"}
    )


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
        "AWS::IAM::Policy",
        "AWS::Scheduler::Schedule",
        "AWS::SQS::QueuePolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Kinesis::ResourcePolicy",
        "AWS::Lambda::Permission",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::StepFunctions::StateMachine",
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
    free = [name for name, it in template()["Parameters"].items() if "AllowedValues" not in it]
    assert not [name for name in free if re.search("token|secret|password|key(?!arn)", name.lower())]
    assert "{{resolve:" not in json.dumps(template())


# ---- further organisations ----


def test_a_further_organisation_is_a_schedule_and_a_secret():
    added = cloudformation("lab,x1").keys() - cloudformation("lab").keys()
    assert added == {"CollectScheduleOfx1", "SlackTokenSecretOfx1"}


def test_its_schedule_is_that_of_the_first_but_for_the_organisation():
    first, further = dict(schedule_of("CollectFunction")), dict(properties("CollectScheduleOflab"))
    assert further.pop("Description") != first.pop("Description")
    ours, theirs = further.pop("Target"), first.pop("Target")
    assert theirs["Arn"] == ALIAS
    assert ours["Arn"] == {"Ref": "CollectFunction.Alias"}
    assert further == first
    assert (ours["Input"], ours["RoleArn"]) == (
        {"Fn::Sub": '{"org": "lab"}'},
        {"Fn::GetAtt": ["SchedulerRole", "Arn"]},
    )
    assert {**ours, "Input": 0, "Arn": 0} == {**theirs, "Input": 0, "Arn": 0}


def test_the_schedules_may_start_the_functions_and_report_what_did_not_start():
    (policy,) = properties("SchedulerRole")["Policies"]
    granted = {it["Action"]: it["Resource"] for it in policy["PolicyDocument"]["Statement"] if it["Sid"] != "UseTheKey"}
    assert granted == {
        "lambda:InvokeFunction": [
            {"Ref": "CollectFunction.Alias"},
            *({"Fn::GetAtt": [name, "Arn"]} for name in ("DriftFunction", "VerifyFunction", "WatchFunction")),
        ],
        "sqs:SendMessage": DEAD_LETTERS,
    }


def test_its_secret_is_made_empty_under_the_name_that_the_function_looks_for():
    secret = template()["Resources"]["SlackTokenSecretOflab"]
    assert set(secret["Properties"]) == {"Name", "Description", "KmsKeyId"}
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
