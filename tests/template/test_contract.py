"""What others rely on by name: parameters, outputs, variables of the function, events, environments."""

import json
import re
import tomllib
from typing import Any

import pytest

from tests.template.reading import FUNCTIONS, KEY, ROOT, properties, schedule_of, template

PARAMETERS = {
    "Org": "main",
    "Orgs": "",
    "SlackApiUrl": "https://api.slack.com/audit/v1",
    "ScheduleExpression": "rate(1 minute)",
    "ScheduleState": "ENABLED",
    "Architecture": "arm64",
    "InitialLookbackHours": 24,
    "LiveLagSeconds": 60,
    "LatePassMinutes": 35,
    "FinalPassHours": 25,
    "SlackCallsPerMinute": 40,
    "ActionFilter": "",
    "ActorFilter": "",
    "EntityFilter": "",
    "AlarmTopicArn": "",
    "LagAlarmSeconds": 900,
    "SilenceHours": 24,
    "KmsKeyArn": "",
    "FormerKmsKeyArns": "",
    "ObjectLockMode": "OFF",
    "ObjectLockDays": 365,
    "ColdStorageDays": 180,
    "AccessLogBucket": "",
    "BreakGlassArn": "",
    "StreamMode": "PROVISIONED",
    "StreamShards": 1,
    "StreamRetentionHours": 168,
    "ConsumerAccounts": "",
    "ReplayStreamArns": "",
    "ReplayBucketArns": "",
    "ReplayQueueArns": "",
    "ReplayKeyArns": "",
    "Analytics": "on",
    "AnalyticsDatabase": "",
    "QueryScanBytes": 100_000_000_000,
    "QueryResultDays": 30,
    "PermissionsBoundaryArn": "",
    "VpcSubnetIds": "",
    "VpcSecurityGroupIds": "",
    "CollectConcurrency": 5,
    "LogRetentionDays": 400,
    "DeploymentType": "Linear10PercentEvery1Minute",
    "Revision": "1",
    "TokenRotation": "off",
    "SlackOauthUrl": "https://slack.com/api/oauth.v2.access",
}
OUTPUTS = {
    "CollectFunctionName": {"Ref": "CollectFunction.Alias"},
    "ArchiveBucketName": {"Ref": "ArchiveBucket"},
    "EventStreamName": {"Ref": "EventStream"},
    "CheckpointTableName": {"Ref": "CheckpointTable"},
    "SlackTokenSecretArn": {"Fn::GetAtt": ["SlackTokenSecret", "Id"]},
    "FailureQueueUrl": {"Ref": "FailureQueue"},
    "ScheduleDeadLetterQueueUrl": {"Ref": "ScheduleDeadLetterQueue"},
    "DashboardUrl": {
        "Fn::Sub": "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#dashboards:name=${Dashboard}"
    },
    "EncryptionKeyArn": KEY,
    "DriftFunctionName": {"Ref": "DriftFunction"},
    "VerifyFunctionName": {"Ref": "VerifyFunction"},
    "WatchFunctionName": {"Ref": "WatchFunction"},
    "ReplayStateMachineArn": {"Ref": "ReplayStateMachine"},
    "AthenaWorkgroupName": {"Fn::GetAtt": ["AnalyticsStack", "Outputs.WorkgroupName"]},
    "GlueDatabaseName": {"Fn::GetAtt": ["AnalyticsStack", "Outputs.DatabaseName"]},
}
POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME": {"Ref": "AWS::StackName"},
    "POWERTOOLS_METRICS_NAMESPACE": "SlackAuditCollector",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
VARIABLES = {
    "ORG": {"Ref": "Org"},
    "SLACK_API_URL": {"Ref": "SlackApiUrl"},
    "SLACK_TOKEN_SECRET_ARN": {"Fn::GetAtt": ["SlackTokenSecret", "Id"]},
    "SLACK_TOKEN_SECRETS": {"Fn::Sub": "${AWS::StackName}/"},
    "ARCHIVE_BUCKET": {"Ref": "ArchiveBucket"},
    "EVENT_STREAM": {"Ref": "EventStream"},
    "CHECKPOINT_TABLE": {"Ref": "CheckpointTable"},
    "INITIAL_LOOKBACK_HOURS": {"Ref": "InitialLookbackHours"},
    "LIVE_LAG_SECONDS": {"Ref": "LiveLagSeconds"},
    "LATE_PASS_MINUTES": {"Ref": "LatePassMinutes"},
    "FINAL_PASS_HOURS": {"Ref": "FinalPassHours"},
    "SLACK_CALLS_PER_MINUTE": {"Ref": "SlackCallsPerMinute"},
    "ACTION_FILTER": {"Ref": "ActionFilter"},
    "ACTOR_FILTER": {"Ref": "ActorFilter"},
    "ENTITY_FILTER": {"Ref": "EntityFilter"},
    "MALLOC_ARENA_MAX": "1",
    "REVISION": {"Ref": "Revision"},
    "COLLECT_CONCURRENCY": {"Ref": "CollectConcurrency"},
    **POWERTOOLS,
}
DRIFT_VARIABLES = {
    "ORG": {"Ref": "Org"},
    "SLACK_API_URL": {"Ref": "SlackApiUrl"},
    "ARCHIVE_BUCKET": {"Ref": "ArchiveBucket"},
    "ACTION_FILTER": {"Ref": "ActionFilter"},
    **POWERTOOLS,
}
VERIFY_VARIABLES = {
    "ORG": {"Ref": "Org"},
    "ARCHIVE_BUCKET": {"Ref": "ArchiveBucket"},
    **POWERTOOLS,
}
REPLAY_VARIABLES = {
    "ORG": {"Ref": "Org"},
    "ARCHIVE_BUCKET": {"Ref": "ArchiveBucket"},
    "EVENT_STREAM": {"Ref": "EventStream"},
    **POWERTOOLS,
}
PRETRAFFIC_VARIABLES = {
    "ORG": {"Ref": "Org"},
    "NEW_VERSION": {"Ref": "CollectFunction.Version"},
    **POWERTOOLS,
}
ROTATE_VARIABLES = {
    "SLACK_API_URL": {"Ref": "SlackApiUrl"},
    "SLACK_OAUTH_URL": {"Ref": "SlackOauthUrl"},
    **POWERTOOLS,
}
WATCH_VARIABLES = {
    "CHECKPOINT_TABLE": {"Ref": "CheckpointTable"},
    **POWERTOOLS,
}
VARIABLES_OF = {
    "CollectFunction": VARIABLES,
    "DriftFunction": DRIFT_VARIABLES,
    "VerifyFunction": VERIFY_VARIABLES,
    "PreTrafficFunction": PRETRAFFIC_VARIABLES,
    "ReplayFunction": REPLAY_VARIABLES,
    "RotateFunction": ROTATE_VARIABLES,
    "WatchFunction": WATCH_VARIABLES,
}
LEAST = {
    "InitialLookbackHours": 0,
    "LiveLagSeconds": 0,
    "LatePassMinutes": 0,
    "FinalPassHours": 0,
    "SlackCallsPerMinute": 1,
    "LagAlarmSeconds": 120,
    "SilenceHours": 1,
    "ObjectLockDays": 1,
    "ColdStorageDays": 0,
    "StreamShards": 1,
    "StreamRetentionHours": 24,
    "CollectConcurrency": 0,
    "QueryScanBytes": 10_000_000,
    "QueryResultDays": 1,
}
ENVIRONMENTS = ["default", "staging", "prod"]


def accepts(parameter: str, value: str) -> bool:
    """As CloudFormation decides it: the pattern must match all of the value."""
    return re.fullmatch(template()["Parameters"][parameter]["AllowedPattern"], value) is not None


def test_the_parameters_are_these_with_these_defaults():
    assert {name: it["Default"] for name, it in template()["Parameters"].items()} == PARAMETERS


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_explains_itself(name):
    parameter = template()["Parameters"][name]
    assert len(parameter["Description"]) > 30
    if "AllowedPattern" in parameter:
        assert parameter["ConstraintDescription"].startswith("must ")


def test_the_console_shows_every_parameter_once_with_a_label():
    interface = template()["Metadata"]["AWS::CloudFormation::Interface"]
    shown = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(shown) == sorted(PARAMETERS)
    assert set(interface["ParameterLabels"]) == set(PARAMETERS)


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_a_number_has_a_least_value(name, least):
    assert template()["Parameters"][name]["Type"] == "Number"
    assert template()["Parameters"][name]["MinValue"] == least


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ScheduleState", ["ENABLED", "DISABLED"]),
        ("Architecture", ["arm64", "x86_64"]),
        ("ObjectLockMode", ["OFF", "GOVERNANCE", "COMPLIANCE"]),
        ("StreamMode", ["PROVISIONED", "ON_DEMAND"]),
        ("DeploymentType", ["AllAtOnce", "Canary10Percent5Minutes", "Linear10PercentEvery1Minute"]),
        ("TokenRotation", ["off", "on"]),
        ("Analytics", ["on", "off"]),
    ],
)
def test_a_choice_takes_only_its_values(name, values):
    assert template()["Parameters"][name]["AllowedValues"] == values


@pytest.mark.parametrize(
    "url",
    [
        "https://api.slack.com/audit/v1",
        "https://api.slack.com/audit/v1/",
        "https://api.slack-gov.com/audit/v1",
        "https://proxy.example.com:8443/slack/audit/v1",
        "https://localhost/audit/v1",
        "http://127.0.0.1:8080/audit/v1",
        "http://localhost/audit/v1",
        "http://localhost:3000",
        "http://[::1]:9000/audit/v1",
    ],
)
def test_the_token_may_go_to(url):
    assert accepts("SlackApiUrl", url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("api.slack.com/audit/v1", id="no scheme"),
        pytest.param("http://api.slack.com/audit/v1", id="plain http"),
        pytest.param("HTTP://127.0.0.1/audit/v1", id="a scheme in capitals"),
        pytest.param("ftp://127.0.0.1/audit/v1", id="another scheme"),
        pytest.param("http://127.0.0.1@evil.example/audit/v1", id="loopback as a user"),
        pytest.param("http://127.0.0.1:80@evil.example/audit/v1", id="loopback as a user with a password"),
        pytest.param("http://127.0.0.1.evil.example/audit/v1", id="loopback as the beginning of a name"),
        pytest.param("http://127.0.0.1evil.example/audit/v1", id="a name that runs on"),
        pytest.param("http://127.0.0.1:8080.evil.example/audit/v1", id="a port that runs on"),
        pytest.param("http://127x0x0x1/audit/v1", id="dots are dots"),
        pytest.param("http://localhost.evil.example/audit/v1", id="localhost as a subdomain"),
        pytest.param("http://[::1].evil.example/audit/v1", id="brackets that run on"),
        pytest.param("http://127.0.0.1\\@evil.example/", id="a backslash"),
        pytest.param("http://127.0.0.1#@evil.example/", id="a fragment"),
        pytest.param("http://127.0.0.1?@evil.example/", id="a query"),
        pytest.param("http://10.0.0.1/audit/v1", id="a private network is not loopback"),
        pytest.param("https://api.slack.com@evil.example/audit/v1", id="Slack as a user"),
        pytest.param("https://user:password@api.slack.com/audit/v1", id="a user and a password"),
        pytest.param("https://evil.example?api.slack.com/audit/v1", id="a query on https"),
        pytest.param("https://api.slack.com/audit/v1?limit=1", id="a query"),
        pytest.param("https://api.slack.com/audit/v1#x", id="a fragment on https"),
        pytest.param("https:///audit/v1", id="no host"),
        pytest.param("https://-api.slack.com/audit/v1", id="a host that begins with a hyphen"),
        pytest.param("https://api.slack.com//audit", id="an empty step of the path"),
        pytest.param("https://api.slack.com/audit/v1\n", id="a new line"),
        pytest.param(" https://api.slack.com/audit/v1", id="a space"),
        pytest.param("https://api.slack.com/audit/v1\nhttp://evil.example", id="two lines"),
    ],
)
def test_the_token_may_not_go_to(url):
    assert not accepts("SlackApiUrl", url)


def test_what_may_be_an_address_is_the_same_for_both():
    parameters = template()["Parameters"]
    assert parameters["SlackOauthUrl"]["AllowedPattern"] == parameters["SlackApiUrl"]["AllowedPattern"]
    assert accepts("SlackOauthUrl", "https://slack.com/api/oauth.v2.access")
    assert accepts("SlackOauthUrl", "https://slack-gov.com/api/oauth.v2.access")


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("Org", "main", True),
        ("Org", "E0123ABCD", True),
        ("Org", "my_org-2", True),
        ("Org", "", False),
        ("Org", "a" * 64, False),
        ("Org", "-main", False),
        ("Org", "*", False),
        ("Org", "main/../other", False),
        ("Org", "${aws:username}", False),
        ("Org", 'main", "org": "other', False),
        ("Orgs", "", True),
        ("Orgs", "lab", True),
        ("Orgs", "E0123ABCD", True),
        ("Orgs", "my-org", False),
        ("Orgs", "my org", False),
        ("Orgs", "a" * 64, False),
        ("ScheduleExpression", "rate(5 minutes)", True),
        ("ScheduleExpression", "cron(0/5 * * * ? *)", True),
        ("ScheduleExpression", "at(2026-01-01T00:00:00)", False),
        ("ScheduleExpression", "1 minute", False),
        ("ActionFilter", "user_login,pref.sso_setting_changed", True),
        ("ActionFilter", "user_login, user_logout", False),
        ("ActionFilter", ",", False),
        ("ActorFilter", "W0123ABCD", True),
        ("ActorFilter", "W0123ABCD&limit=1", False),
        ("EntityFilter", "C0123ABCD", True),
        ("EntityFilter", "C1,C2", False),
        ("AlarmTopicArn", "arn:aws:sns:eu-central-1:123456789012:on-call", True),
        ("AlarmTopicArn", "arn:aws:sqs:eu-central-1:123456789012:on-call", False),
        ("AlarmTopicArn", "on-call", False),
        ("KmsKeyArn", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", True),
        ("KmsKeyArn", "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab", True),
        ("KmsKeyArn", "arn:aws:kms:eu-central-1:123456789012:alias/audit", False),
        ("KmsKeyArn", "alias/aws/s3", False),
        ("FormerKmsKeyArns", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", True),
        ("FormerKmsKeyArns", "*", False),
        ("Revision", "2026-11-24", True),
        ("Revision", "", False),
        ("AccessLogBucket", "access-logs.example.com", True),
        ("AccessLogBucket", "arn:aws:s3:::access-logs", False),
        ("BreakGlassArn", "arn:aws:iam::123456789012:role/ops/break-glass", True),
        ("BreakGlassArn", "arn:aws:iam::123456789012:root", False),
        ("BreakGlassArn", "*", False),
        ("ConsumerAccounts", "123456789012", True),
        ("ConsumerAccounts", "12345678901", False),
        ("ConsumerAccounts", "*", False),
        ("ReplayStreamArns", "arn:aws:kinesis:eu-central-1:123456789012:stream/investigation", True),
        ("ReplayStreamArns", "investigation", False),
        ("ReplayStreamArns", "arn:aws:kinesis:eu-central-1:123456789012:stream/*", False),
        ("ReplayBucketArns", "arn:aws:s3:::investigations/*", True),
        ("ReplayBucketArns", "arn:aws:s3:::investigations/case-17/*", True),
        ("ReplayBucketArns", "arn:aws:s3:::investigations", False),
        ("ReplayBucketArns", "arn:aws:s3:::*", False),
        ("ReplayQueueArns", "arn:aws:sqs:eu-central-1:123456789012:investigation", True),
        ("ReplayQueueArns", "arn:aws:sqs:eu-central-1:123456789012:investigation.fifo", False),
        ("ReplayKeyArns", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", True),
        ("ReplayKeyArns", "*", False),
        ("PermissionsBoundaryArn", "arn:aws:iam::123456789012:policy/boundary", True),
        ("PermissionsBoundaryArn", "arn:aws:iam::aws:policy/PowerUserAccess", True),
        ("PermissionsBoundaryArn", "boundary", False),
        ("AnalyticsDatabase", "", True),
        ("AnalyticsDatabase", "slack_audit", True),
        ("AnalyticsDatabase", "Slack-Audit", False),
        ("AnalyticsDatabase", 'a"."b', False),
        ("VpcSubnetIds", "subnet-0123456789abcdef0", True),
        ("VpcSubnetIds", "vpc-0123456789abcdef0", False),
        ("VpcSecurityGroupIds", "sg-0123456789abcdef0", True),
        ("VpcSecurityGroupIds", "default", False),
    ],
)
def test_a_parameter_takes_a_value_or_refuses_it(name, value, accepted):
    assert accepts(name, value) is accepted


def test_the_outputs_are_these():
    assert {name: it["Value"] for name, it in template()["Outputs"].items()} == OUTPUTS


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_explains_itself(name):
    assert template()["Outputs"][name]["Description"].endswith(".")


def test_these_are_all_functions():
    functions = [name for name, it in template()["Resources"].items() if it["Type"] == "AWS::Serverless::Function"]
    assert sorted(functions) == sorted(FUNCTIONS) == sorted(VARIABLES_OF)


@pytest.mark.parametrize(("function", "variables"), VARIABLES_OF.items())
def test_a_function_gets_these_variables_and_no_others(function, variables):
    assert properties(function)["Environment"] == {"Variables": variables}
    assert set(template()["Globals"]["Function"]) == {"VpcConfig"}


def sent_to(function: str, orgs: list[str]) -> Any:
    """What the function's schedule sends, with these further organisations."""
    sent = schedule_of(function)["Target"]["Input"]["Fn::Sub"]
    if isinstance(sent, str):
        return json.loads(sent.replace("${Org}", "main"))
    text, names = sent
    condition, several, one = names["All"]["Fn::If"]
    assert (condition, one) == ("HasOrgs", {"Ref": "Org"})
    (between, (first, rest)) = several["Fn::Join"]
    assert (first, rest) == ({"Ref": "Org"}, {"Fn::Join": [between, {"Ref": "Orgs"}]})
    return json.loads(text.replace("${All}", between.join(["main", *orgs])))


def test_the_sample_event_is_what_the_schedule_sends():
    sample = json.loads((ROOT / "events" / "collect.json").read_text())
    assert sent_to("CollectFunction", []) == sample == {"org": "main"}


@pytest.mark.parametrize(
    ("function", "rest"), [("DriftFunction", {}), ("VerifyFunction", {"days": 2}), ("WatchFunction", {})]
)
@pytest.mark.parametrize("orgs", [[], ["lab"], ["lab", "x1"]])
def test_one_schedule_is_for_all_organisations(function, rest, orgs):
    assert sent_to(function, orgs) == {"orgs": ["main", *orgs], **rest}


def test_the_samples_of_the_daily_functions_are_for_one_organisation():
    samples = {name: json.loads((ROOT / "events" / f"{name}.json").read_text()) for name in ("drift", "verify")}
    assert samples == {"drift": {"org": "main"}, "verify": {"org": "main", "days": 2}}
    assert json.loads((ROOT / "events" / "watch.json").read_text()) == {"orgs": ["main"]}


def test_the_samples_of_a_replay_are_its_three_actions():
    samples = [json.loads((ROOT / "events" / f"replay-{name}.json").read_text()) for name in ("plan", "item", "report")]
    assert [it["action"] for it in samples] == ["plan", "replay", "report"]
    assert {it["replay_id"] for it in samples} == {"case-17"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_can_be_built_validated_and_deployed(name):
    environment = tomllib.loads((ROOT / "samconfig.toml").read_text())[name]
    assert environment["build"]["parameters"] == {"cached": True, "language_extensions": True}
    assert environment["validate"]["parameters"]["language_extensions"] is True
    assert environment["deploy"]["parameters"]["language_extensions"] is True
    assert environment["validate"]["parameters"]["region"]
    deployment = environment["deploy"]["parameters"]
    assert deployment["capabilities"] == "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
    assert deployment["resolve_s3"] is True
    assert "region" not in deployment
    assert deployment.get("confirm_changeset", False) is (name == "prod")


def test_no_two_environments_share_a_stack():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    assert config["version"] == 0.1
    stacks = {config[name]["deploy"]["parameters"]["stack_name"] for name in ENVIRONMENTS}
    assert len(stacks) == len(ENVIRONMENTS)
