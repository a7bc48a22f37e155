"""The template deployed by the real SAM CLI into an AWS that enforces its policies. What is not about
its way of deploying is made of what it uploaded: it takes ten seconds to find out the same once more."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import sqlglot
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from local.deploy import ToolError, build, deploy
from slack_audit_cli.sql.statements import queries
from tests.builders import raw_event
from tests.e2e.stack import changed, made, uploaded
from tests.hygiene import sweep
from tests.template.test_contract import OUTPUTS, VARIABLES
from tests.verify.archives import pack

type Call = tuple[str, str, dict[str, Any]]  # service, operation, arguments; names of outputs stand for their values

PARAMETERS = {
    "Org": "acme",
    "ScheduleState": "DISABLED",
    "SlackApiUrl": "http://127.0.0.1:9/audit/v1",
    "ReplayStreamArns": "arn:aws:kinesis:us-east-1:000000000000:stream/investigation",
    "ReplayBucketArns": "arn:aws:s3:::investigations/case-17/*",
    "ReplayQueueArns": "arn:aws:sqs:us-east-1:000000000000:investigation",
}


@pytest.fixture(scope="module")
def aws():
    with EmbeddedAws(enforce_iam=True) as running:
        yield running
        sweep(running)


@pytest.fixture(scope="module")
def outputs(aws):
    made = deploy(aws, build(), "slack-audit", PARAMETERS)
    aws.client("s3").put_object(Bucket=made["ArchiveBucketName"], Key="raw/org=acme/dt=2026-01-01/0", Body=b"")
    aws.client("s3").put_object(Bucket=made["ArchiveBucketName"], Key="catalog/org=acme/actions-0", Body=b"")
    return made


@pytest.fixture(scope="module")
def as_the_function(aws, outputs):
    """Makes clients that may do what the collect function may do."""
    return clients_of(aws, outputs["CollectFunctionName"])


@pytest.fixture(scope="module")
def as_the_drift_watch(aws, outputs):
    """Makes clients that may do what the drift function may do."""
    return clients_of(aws, outputs["DriftFunctionName"])


@pytest.fixture(scope="module")
def as_the_daily_check(aws, outputs):
    """Makes clients that may do what the verify function may do."""
    return clients_of(aws, outputs["VerifyFunctionName"])


@pytest.fixture(scope="module")
def as_a_replay(aws, outputs):
    """Makes clients that may do what the replay function may do, where there is somewhere to send to."""
    for name in ("investigation", "another"):
        aws.client("kinesis").create_stream(StreamName=name, ShardCount=1)
        outputs[f"queue {name}"] = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    aws.client("s3").create_bucket(Bucket="investigations")
    return clients_of(aws, resource_of(aws, "slack-audit", "ReplayFunction"))


@pytest.fixture(scope="module")
def as_the_hook(aws, outputs):
    """Makes clients that may do what the function may do that checks before traffic."""
    return clients_of(aws, resource_of(aws, "slack-audit", "PreTrafficFunction"))


def resource_of(aws: EmbeddedAws, stack: str, logical_id: str) -> str:
    found = aws.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    name: str = found["StackResourceDetail"]["PhysicalResourceId"]
    return name


def clients_of(aws: EmbeddedAws, name: str) -> Callable[[str], Any]:
    return clients_as(aws, aws.client("lambda").get_function_configuration(FunctionName=name)["Role"])


def clients_as(aws: EmbeddedAws, arn: str) -> Callable[[str], Any]:
    role = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    session: Any = boto3.Session(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"], "us-east-1")
    trust = aws.environment()["AWS_CA_BUNDLE"]
    config = Config(proxies={})
    return lambda service: session.client(service, endpoint_url=aws.endpoint, verify=trust, config=config)


def test_the_stack_has_the_outputs(outputs):
    assert {name for name in outputs if " " not in name} == set(OUTPUTS)  # of the stack's own
    assert outputs["SlackTokenSecretArn"].startswith("arn:aws:secretsmanager:")


def test_the_function_gets_every_variable_with_a_value_or_an_empty_filter(aws, outputs):
    function = aws.client("lambda").get_function_configuration(FunctionName=outputs["CollectFunctionName"])
    variables = function["Environment"]["Variables"]
    assert set(variables) == set(VARIABLES)
    assert {name for name, value in variables.items() if not value} == {
        "ACTION_FILTER",
        "ACTOR_FILTER",
        "ENTITY_FILTER",
    }
    assert (variables["ORG"], variables["SLACK_API_URL"]) == ("acme", PARAMETERS["SlackApiUrl"])


def schedule_of(aws: EmbeddedAws, stack: str) -> dict[str, Any]:
    scheduler = aws.client("scheduler")
    (name,) = [
        it["Name"] for it in scheduler.list_schedules()["Schedules"] if it["Name"].startswith(f"{stack}-Collect")
    ]
    found: dict[str, Any] = scheduler.get_schedule(Name=name)
    return found


def test_a_schedule_can_be_deployed_paused(aws, outputs):
    assert schedule_of(aws, "slack-audit")["State"] == "DISABLED"


def test_a_run_that_fails_is_reported(aws, outputs):
    function, queue = outputs["CollectFunctionName"], outputs["FailureQueueUrl"]
    # The schedule starts the alias, and so its configuration counts; the embedded AWS looks only at the function's own.
    runs = aws.client("lambda")
    config = runs.get_function_event_invoke_config(FunctionName=function, Qualifier="live")
    kept = {name: config[name] for name in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")}
    runs.put_function_event_invoke_config(FunctionName=function, **kept)
    runs.invoke(FunctionName=function, InvocationType="Event", Payload=b'{"org": "another"}')
    messages = aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    assert '"another"' in messages[0]["Body"]


def written_once(key: str) -> Call:
    return "s3", "put_object", {"Bucket": "ArchiveBucketName", "Key": key, "IfNoneMatch": "*"}


ALLOWED: dict[str, Call] = {
    "read the token": ("secretsmanager", "get_secret_value", {"SecretId": "SlackTokenSecretArn"}),
    "write a batch": written_once("raw/org=acme/dt=2026-01-01/1"),
    "read it": ("s3", "get_object", {"Bucket": "ArchiveBucketName", "Key": "raw/org=acme/dt=2026-01-01/0"}),
    "write an entry": written_once("log/org=acme/000000000000.json"),
    "list a day": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName", "Prefix": "raw/org=acme/dt=2026-01-01/"}),
    "take the lease": ("dynamodb", "update_item", {"TableName": "CheckpointTableName", "Key": {"org": {"S": "acme"}}}),
    "save it": ("dynamodb", "put_item", {"TableName": "CheckpointTableName", "Item": {"org": {"S": "acme"}}}),
    "try to write once": written_once("checks/org=acme/write-once"),
    "read that": ("s3", "get_object", {"Bucket": "ArchiveBucketName", "Key": "checks/org=acme/write-once"}),
    "look at the stream": ("kinesis", "describe_stream_summary", {"StreamName": "EventStreamName"}),
    "publish": (
        "kinesis",
        "put_records",
        {"StreamName": "EventStreamName", "Records": [{"Data": b"{}", "PartitionKey": "1"}]},
    ),
}
REFUSED: dict[str, Call] = {
    "write over a batch": ("s3", "put_object", {"Bucket": "ArchiveBucketName", "Key": "raw/org=acme/dt=2026-01-01/2"}),
    "write with another key": (
        "s3",
        "put_object",
        {**written_once("raw/org=acme/dt=2026-01-01/3")[2], "ServerSideEncryption": "AES256"},
    ),
    "change the token": (
        "secretsmanager",
        "put_secret_value",
        {"SecretId": "SlackTokenSecretArn", "SecretString": "x"},
    ),
    "delete a batch": ("s3", "delete_object", {"Bucket": "ArchiveBucketName", "Key": "raw/org=acme/dt=2026-01-01/1"}),
    "write beside the orgs": written_once("raw/other/1"),
    "write elsewhere": written_once("1"),
    "list all orgs at once": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName", "Prefix": "raw/"}),
    "list everything": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName"}),
    "delete the checkpoint": (
        "dynamodb",
        "delete_item",
        {"TableName": "CheckpointTableName", "Key": {"org": {"S": "acme"}}},
    ),
    "scan": ("dynamodb", "scan", {"TableName": "CheckpointTableName"}),
    "read the stream": ("kinesis", "list_shards", {"StreamName": "EventStreamName"}),
    "invoke itself": ("lambda", "invoke", {"FunctionName": "CollectFunctionName"}),
    "see other secrets": ("secretsmanager", "list_secrets", {}),
}


MAY_WATCH: dict[str, Call] = {
    "read a batch": ("s3", "get_object", {"Bucket": "ArchiveBucketName", "Key": "raw/org=acme/dt=2026-01-01/0"}),
    "list a day": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName", "Prefix": "raw/org=acme/dt=2026-01-01/"}),
    "keep a list": written_once("catalog/org=acme/actions-1"),
    "read it again": ("s3", "get_object", {"Bucket": "ArchiveBucketName", "Key": "catalog/org=acme/actions-0"}),
    "list what is kept": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName", "Prefix": "catalog/org=acme/act"}),
}
MAY_NOT_WATCH: dict[str, Call] = {
    "read the token": ALLOWED["read the token"],
    "write a batch": ALLOWED["write a batch"],
    "write an entry": ALLOWED["write an entry"],
    "take the lease": ALLOWED["take the lease"],
    "publish": ALLOWED["publish"],
    "delete a list": ("s3", "delete_object", {"Bucket": "ArchiveBucketName", "Key": "catalog/org=acme/actions-1"}),
    "keep beside the orgs": written_once("catalog/other/1"),
    "read the log": ("s3", "get_object", {"Bucket": "ArchiveBucketName", "Key": "log/org=acme/000000000000.json"}),
    "list everything": REFUSED["list everything"],
}


MAY_VERIFY: dict[str, Call] = {
    "read a batch": ("s3", "get_object", {"Bucket": "ArchiveBucketName", "Key": "raw/org=acme/dt=2026-01-01/0"}),
    "list the log": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName", "Prefix": "log/org=acme/"}),
    "list a day": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName", "Prefix": "raw/org=acme/dt=2026-01-01/"}),
}
MAY_NOT_VERIFY: dict[str, Call] = {
    "read the token": ALLOWED["read the token"],
    "write a batch": ALLOWED["write a batch"],
    "write an entry": ALLOWED["write an entry"],
    "take the lease": ALLOWED["take the lease"],
    "publish": ALLOWED["publish"],
    "delete a batch": REFUSED["delete a batch"],
    "list all orgs at once": REFUSED["list all orgs at once"],
    "list everything": REFUSED["list everything"],
}


def record_to(stream: str) -> Call:
    return "kinesis", "put_records", {"StreamName": stream, "Records": [{"Data": b"{}", "PartitionKey": "1"}]}


def message_to(queue: str) -> Call:
    """A single one: the right is the same as for many, which the embedded AWS asks for under a name of its own."""
    return "sqs", "send_message", {"QueueUrl": queue, "MessageBody": "{}"}


MAY_REPLAY: dict[str, Call] = {
    "read a batch": ("s3", "get_object", {"Bucket": "ArchiveBucketName", "Key": "raw/org=acme/dt=2026-01-01/0"}),
    "list the log": ("s3", "list_objects_v2", {"Bucket": "ArchiveBucketName", "Prefix": "log/org=acme/"}),
    "keep its plan": written_once("replay/org=acme/case-17/plan.json"),
    "send to a stream that is named": record_to("investigation"),
    "send to the live one": record_to("EventStreamName"),
    "ask a queue that is named": ("sqs", "get_queue_attributes", {"QueueUrl": "queue investigation"}),
    "send to it": message_to("queue investigation"),
    "write to a prefix that is named": ("s3", "put_object", {"Bucket": "investigations", "Key": "case-17/1"}),
}
MAY_NOT_REPLAY: dict[str, Call] = {
    "send to another stream": record_to("another"),
    "send to another queue": message_to("queue another"),
    "write to another prefix": ("s3", "put_object", {"Bucket": "investigations", "Key": "case-18/1"}),
    "read what it wrote there": ("s3", "get_object", {"Bucket": "investigations", "Key": "case-17/1"}),
    "write a batch": ALLOWED["write a batch"],
    "write an entry": ALLOWED["write an entry"],
    "write over its plan": (
        "s3", "put_object", {"Bucket": "ArchiveBucketName", "Key": "replay/org=acme/case-17/plan.json"},
    ),
    "delete a batch": REFUSED["delete a batch"],
    "read the token": ALLOWED["read the token"],
    "take the lease": ALLOWED["take the lease"],
    "list everything": REFUSED["list everything"],
}  # fmt: skip


# The hook's function is no output: nobody but CodeDeploy invokes it.
MAY_CHECK: dict[str, Call] = {
    "ask a version": (
        "lambda",
        "invoke",
        {"FunctionName": "CollectFunctionName", "Payload": b'{"org": "acme", "check": true}'},
    ),
}
MAY_NOT_CHECK: dict[str, Call] = {
    "ask the function itself": ("lambda", "invoke", {"FunctionName": "itself"}),
    "ask another function": ("lambda", "invoke", {"FunctionName": "VerifyFunctionName"}),
    "read the token": ALLOWED["read the token"],
    "write a batch": ALLOWED["write a batch"],
    "read a batch": ALLOWED["read it"],
    "take the lease": ALLOWED["take the lease"],
    "publish": ALLOWED["publish"],
}


def call(
    client_of: Callable[[str], Any], outputs: dict[str, str], service: str, operation: str, arguments: dict[str, Any]
) -> None:
    named = {name: outputs.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
    getattr(client_of(service), operation)(**named)


@pytest.mark.parametrize("what", ALLOWED)
def test_the_function_may(what, as_the_function, outputs):
    call(as_the_function, outputs, *ALLOWED[what])


@pytest.mark.parametrize("what", REFUSED)
def test_the_function_may_not(what, as_the_function, outputs):
    with pytest.raises(ClientError, match="AccessDenied"):
        call(as_the_function, outputs, *REFUSED[what])


@pytest.mark.parametrize("what", MAY_WATCH)
def test_the_drift_watch_may(what, as_the_drift_watch, outputs):
    call(as_the_drift_watch, outputs, *MAY_WATCH[what])


@pytest.mark.parametrize("what", MAY_NOT_WATCH)
def test_the_drift_watch_may_not(what, as_the_drift_watch, outputs):
    with pytest.raises(ClientError, match="AccessDenied"):
        call(as_the_drift_watch, outputs, *MAY_NOT_WATCH[what])


@pytest.mark.parametrize("what", MAY_VERIFY)
def test_the_daily_check_may(what, as_the_daily_check, outputs):
    call(as_the_daily_check, outputs, *MAY_VERIFY[what])


@pytest.mark.parametrize("what", MAY_NOT_VERIFY)
def test_the_daily_check_may_not(what, as_the_daily_check, outputs):
    with pytest.raises(ClientError, match="AccessDenied"):
        call(as_the_daily_check, outputs, *MAY_NOT_VERIFY[what])


@pytest.mark.parametrize("what", MAY_REPLAY)
def test_a_replay_may(what, as_a_replay, outputs):
    call(as_a_replay, outputs, *MAY_REPLAY[what])


@pytest.mark.parametrize("what", MAY_NOT_REPLAY)
def test_a_replay_may_not(what, as_a_replay, outputs):
    with pytest.raises(ClientError, match="AccessDenied"):
        call(as_a_replay, outputs, *MAY_NOT_REPLAY[what])


ADMINISTRATOR = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}],
}


@pytest.fixture(scope="module")
def as_an_administrator(aws):
    """Makes clients of a role that may do everything with S3."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    made = aws.client("iam").create_role(RoleName="administrator", AssumeRolePolicyDocument=json.dumps(trust))
    aws.client("iam").put_role_policy(
        RoleName="administrator", PolicyName="s3", PolicyDocument=json.dumps(ADMINISTRATOR)
    )
    return clients_as(aws, made["Role"]["Arn"])


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("delete_object", {"Key": "raw/org=acme/dt=2026-01-01/0"}),
        ("delete_object", {"Key": "raw/org=acme/dt=2026-01-01/0", "VersionId": "null"}),
        ("put_object", {"Key": "raw/org=acme/dt=2026-01-01/0", "Body": b"forged"}),
        ("put_object", {"Key": "raw/org=acme/dt=2026-01-01/9", "Body": b"forged", "IfNoneMatch": "*"}),
        ("put_object", {"Key": "elsewhere", "Body": b"", "IfNoneMatch": "*"}),
    ],
)
def test_the_archive_refuses_administrators_too(operation, arguments, as_an_administrator, outputs):
    bucket = outputs["ArchiveBucketName"]
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        getattr(as_an_administrator("s3"), operation)(Bucket=bucket, **arguments)
    as_an_administrator("s3").get_object(Bucket=bucket, Key="raw/org=acme/dt=2026-01-01/0")


def test_only_who_breaks_the_glass_may_restore(aws, outputs):
    administrator = aws.client("iam").get_role(RoleName="administrator")["Role"]["Arn"]
    glass = made(aws, "glass", uploaded(aws, "slack-audit"), {**PARAMETERS, "BreakGlassArn": administrator})
    restorer, bucket = clients_as(aws, administrator)("s3"), glass["ArchiveBucketName"]
    restorer.put_object(Bucket=bucket, Key="raw/org=acme/dt=2026-01-01/0", Body=b"")
    restorer.delete_object(Bucket=bucket, Key="raw/org=acme/dt=2026-01-01/0")
    other = aws.client("lambda").get_function_configuration(FunctionName=glass["VerifyFunctionName"])["Role"]
    with pytest.raises(ClientError, match="AccessDenied"):
        clients_as(aws, other)("s3").delete_object(Bucket=bucket, Key="raw/org=acme/dt=2026-01-01/0")


@pytest.mark.parametrize("what", MAY_CHECK)
def test_the_hook_may(what, as_the_hook, outputs):
    call(as_the_hook, outputs, *MAY_CHECK[what])


@pytest.mark.parametrize("what", MAY_NOT_CHECK)
def test_the_hook_may_not(what, as_the_hook, outputs):
    itself = outputs["CollectFunctionName"].removesuffix(":live")
    with pytest.raises(ClientError, match="AccessDenied"):
        call(as_the_hook, {**outputs, "itself": itself}, *MAY_NOT_CHECK[what])


def test_a_missing_object_is_missing_and_not_forbidden(as_the_function, as_the_daily_check, outputs):
    key = "log/org=acme/999999999999.json"
    with pytest.raises(ClientError, match="404"):
        as_the_function("s3").head_object(Bucket=outputs["ArchiveBucketName"], Key=key)
    with pytest.raises(ClientError, match="NoSuchKey"):
        as_the_daily_check("s3").get_object(Bucket=outputs["ArchiveBucketName"], Key=key)


def test_the_same_stack_can_be_deployed_again_with_other_parameters(aws, outputs):
    before = live_version(aws, outputs)
    again = deploy(aws, build(), "slack-audit", {**PARAMETERS, "ScheduleExpression": "rate(2 minutes)"})
    assert {name: (value, outputs.get(name)) for name, value in again.items() if value != outputs.get(name)} == {}
    assert live_version(aws, outputs) == before
    assert schedule_of(aws, "slack-audit")["ScheduleExpression"] == "rate(2 minutes)"


def live_version(aws: EmbeddedAws, outputs: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The version that the alias runs, and its variables."""
    live = aws.client("lambda").get_function_configuration(FunctionName=outputs["CollectFunctionName"])
    return live["Version"], live["Environment"]["Variables"]


def test_a_changed_setting_goes_live_as_a_new_version(aws, outputs):
    before, _ = live_version(aws, outputs)
    changed(aws, "slack-audit", uploaded(aws, "slack-audit"), {"LiveLagSeconds": "61"})
    version, variables = live_version(aws, outputs)
    assert int(version) > int(before)
    assert variables["LIVE_LAG_SECONDS"] == "61"


def test_a_refused_parameter_says_what_it_must_be(aws, outputs):
    with pytest.raises(ToolError, match="SlackApiUrl' must be an https URL"):
        deploy(aws, build(), "another", {"SlackApiUrl": "http://127.0.0.1@evil.example"})


def test_a_second_stack_fits_beside_the_first_and_leaves_its_data_but_not_its_token(aws, outputs):
    second = made(aws, "second", uploaded(aws, "slack-audit"), PARAMETERS)
    assert not set(second.values()) & set(outputs.values())
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName="second")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="second", WaiterConfig={"Delay": 1})
    assert second["ArchiveBucketName"] in [it["Name"] for it in aws.client("s3").list_buckets()["Buckets"]]
    assert second["CheckpointTableName"] in aws.client("dynamodb").list_tables()["TableNames"]
    assert second["EventStreamName"] in aws.client("kinesis").list_streams()["StreamNames"]
    secrets = [it["ARN"] for it in aws.client("secretsmanager").list_secrets()["SecretList"]]
    assert second["SlackTokenSecretArn"] not in secrets
    assert outputs["SlackTokenSecretArn"] in secrets


# ---- Athena: ministack's, which runs DuckDB and knows no view; so the deployed SQL is translated as on this machine ----


def athena_answers(aws: EmbeddedAws, outputs: dict[str, str], text: str) -> list[list[str | None]]:
    """The rows of a query in the stack's workgroup."""
    athena = aws.client("athena")
    where = {"WorkGroup": outputs["AthenaWorkgroupName"]}
    context = {"Database": outputs["GlueDatabaseName"]}
    started = athena.start_query_execution(QueryString=text, QueryExecutionContext=context, **where)
    deadline = time.monotonic() + 60
    while (said := athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"])[
        "Status"
    ]["State"] in {"QUEUED", "RUNNING"}:
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
    assert said["Status"]["State"] == "SUCCEEDED", said["Status"]
    rows = athena.get_query_results(QueryExecutionId=started["QueryExecutionId"])["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]


@pytest.fixture(scope="module")
def asked_archive(aws, outputs):
    """A committed batch of today and its log, and one of last year."""
    s3, bucket = aws.client("s3"), outputs["ArchiveBucketName"]
    lines = [
        raw_event(int(time.time()), n, action=it) for n, it in enumerate(["app_installed", "user_login", "exported"])
    ]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for day, key in ((today, "1-2-1-0123456789ab.ndjson.gz"), ("2025-01-01", "1-2-2-0123456789ab.ndjson.gz")):
        s3.put_object(Bucket=bucket, Key=f"raw/org=acme/dt={day}/{key}", Body=pack(lines), IfNoneMatch="*")
    entry = {"number": 1, "pass": "live", "window": {"lo": 1, "hi": 2}, "count": 3}
    entry["key"] = f"raw/org=acme/dt={today}/1-2-1-0123456789ab.ndjson.gz"
    s3.put_object(Bucket=bucket, Key="log/org=acme/000000000001.json", Body=json.dumps(entry).encode(), IfNoneMatch="*")
    return today


def test_athena_reads_the_lines_of_the_days_that_are_asked_for(aws, outputs, asked_archive):
    rows = athena_answers(
        aws, outputs, f"SELECT org, dt, event FROM raw WHERE dt = '{asked_archive}' AND event IS NOT NULL"
    )
    assert [(org, day) for org, day, _ in rows] == [("acme", asked_archive)] * 3
    assert {json.loads(str(line))["action"] for _, _, line in rows} == {"app_installed", "user_login", "exported"}


def test_a_named_query_stands_in_the_workgroup_and_asks_the_deployed_tables(aws, outputs, asked_archive):
    athena = aws.client("athena")
    ids = athena.list_named_queries(WorkGroup=outputs["AthenaWorkgroupName"])["NamedQueryIds"]
    kept = {it["Name"]: it for it in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]}
    assert set(kept) == set(queries())
    assert {it["Database"] for it in kept.values()} == {outputs["GlueDatabaseName"]}
    found = aws.client("glue").get_table(DatabaseName=outputs["GlueDatabaseName"], Name="events")["Table"]
    encoded = found["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    view = json.loads(base64.b64decode(encoded))
    assert view["schema"] == outputs["GlueDatabaseName"]
    (sql,) = sqlglot.transpile(view["originalSql"].replace('"$path"', "''"), read="athena", write="duckdb")
    (asked,) = sqlglot.transpile(kept["apps"]["QueryString"], read="athena", write="duckdb")
    rows = athena_answers(aws, outputs, f"WITH events AS ({sql}) {asked}")
    assert [row[2] for row in rows] == ["app_installed"]
