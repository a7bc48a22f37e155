"""The doctor and the check before traffic on a deployed stack: healthy, then broken in one way after the other.

The AWS enforces roles and policies. Whatever a test breaks it mends again.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.aws import EmbeddedAws
from local.slack import Settings, StandIn
from tests.codedeploy import EVENT, listening
from tests.e2e.stack import TOKEN, Stack, settled

ROOT = Path(__file__).parents[2]
NOBODY = "xoxp-wrong-and-not-a-real-token"


@dataclass(frozen=True)
class Told:
    """What the doctor said."""

    code: int
    text: str

    @property
    def sections(self) -> dict[str, dict[str, dict[str, str]]]:
        """Findings by section and name."""
        said = json.loads(self.text)["sections"]
        return {it["name"]: {finding["name"]: finding for finding in it["findings"]} for it in said}

    @property
    def outcomes(self) -> dict[str, str]:
        """By name; what the function itself found counts where both have one."""
        return {name: it["outcome"] for found in self.sections.values() for name, it in found.items()}

    def wrong(self) -> set[str]:
        return {name for found in self.sections.values() for name, it in found.items() if it["outcome"] == "failed"}


class Patient(Stack):
    """A deployed stack whom the doctor looks at."""

    def doctor(self, *options: str, environment: Mapping[str, str] | None = None) -> Told:
        """The command as it is typed, for a program."""
        ran = self.typed("doctor", "--json", *(options or ("--stack", self.name)), environment=environment)
        assert ran.stderr == ""
        return Told(ran.returncode, ran.stdout)

    def typed(self, *words: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Any command, as somebody who holds the account's keys types it."""
        path = f"{ROOT / 'cli'}:{ROOT / 'layers' / 'collector'}"
        ours = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **self.aws.environment(), **(environment or {})}
        command = [sys.executable, "-m", "slack_audit_cli", *words]
        ran = subprocess.run(command, env=ours, capture_output=True, text=True, timeout=120, check=False)
        assert "not-a-real-token" not in ran.stdout + ran.stderr
        return ran

    def resource(self, logical_id: str) -> str:
        detail = self.aws.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    def verdict(self) -> str:
        """What the check before traffic tells CodeDeploy, as its role lets it."""
        functions, hook = self.aws.client("lambda"), self.resource("PreTrafficFunction")
        variables = functions.get_function_configuration(FunctionName=hook)["Environment"]["Variables"]
        with listening() as codedeploy:
            there = {**variables, "AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy.url}
            functions.update_function_configuration(FunctionName=hook, Environment={"Variables": there})
            reply = functions.invoke(FunctionName=hook, Payload=json.dumps(EVENT))
            assert "FunctionError" not in reply, reply["Payload"].read()
        (told,) = codedeploy.verdicts
        return str(told["status"])

    @contextmanager
    def without(self, *statements: str) -> Iterator[None]:
        """The collect function's role lacks these statements."""
        iam, role = self.aws.client("iam"), self.resource("CollectRole")
        whole = iam.get_role_policy(RoleName=role, PolicyName="collect")["PolicyDocument"]
        rest = [it for it in whole["Statement"] if it["Sid"] not in statements]
        assert len(rest) == len(whole["Statement"]) - len(statements)
        part = {**whole, "Statement": rest}
        iam.put_role_policy(RoleName=role, PolicyName="collect", PolicyDocument=json.dumps(part))
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName="collect", PolicyDocument=json.dumps(whole))


@pytest.fixture(scope="module")
def patient() -> Iterator[Patient]:
    """One deployment for all of these tests, as it is before anybody has put a token."""
    with (
        EmbeddedAws(enforce_iam=True) as aws,
        StandIn(Settings(tokens=(TOKEN,), calls_per_minute=None)) as slack,
    ):
        yield Patient.deployed(aws, slack)


@pytest.fixture
def healthy(patient: Patient) -> Patient:
    """With a token, collected and proven."""
    patient.put_token(TOKEN)
    if not any(key.startswith("log/") for key in patient.objects()):
        patient.slack.generate(200, start=settled(3_600), end=settled())
        patient.invoke()
        patient.verify()
    return patient


def test_before_the_first_token_the_deployment_passes_and_the_doctor_says_what_is_missing(patient):
    told = patient.doctor()
    assert (told.code, told.outcomes["token"], told.wrong()) == (1, "missing", set())
    assert "put-secret-value" in told.sections["organisation main"]["token"]["what"]
    assert patient.verdict() == "Succeeded"


def test_a_healthy_stack_ends_with_0(healthy):
    told = healthy.doctor()
    assert told.code == 0
    assert set(told.outcomes.values()) == {"ok", "warning"}
    org = told.sections["organisation main"]
    names = ["token", "slack", "clock", "archive", "listing", "table", "stream", "lease", "lag", "backlog", "verified"]
    assert {name: it["outcome"] for name, it in org.items()} == dict.fromkeys(names, "ok")
    assert "200 events" in org["verified"]["what"]
    assert healthy.doctor("--stack", healthy.name, "--org", "main").code == 0
    assert healthy.verdict() == "Succeeded"


def test_the_commands_that_ask_a_stack_find_their_way_by_its_name(healthy):
    stack = ("--stack", healthy.name)
    status = json.loads(healthy.typed("status", *stack, "--json").stdout)
    (main,) = status["orgs"]
    assert (status["wrong"], status["paused"], main["problems"]) == (False, True, [])
    assert main["entries"] == sum(key.startswith("log/") for key in healthy.objects())
    assert {it["name"] for it in main["passes"]} == {"live", "late", "final"}

    started = healthy.typed("backfill", "start", "--from", "2026-01-01", "--to", "2026-01-02", *stack)
    assert (started.returncode, "backfill-1767225600-1767398399" in started.stdout) == (0, True)
    listed = json.loads(healthy.typed("backfill", "list", "--json", *stack).stdout)
    assert [(it["name"], it["done"]) for it in listed] == [("backfill-1767225600-1767398399", 0.0)]
    cancelled = healthy.typed("backfill", "cancel", "backfill-1767225600-1767398399", *stack)
    assert (cancelled.returncode, cancelled.stdout) == (0, "No backfill is under way.\n")
    again = healthy.typed("backfill", "cancel", "backfill-1767225600-1767398399", *stack)
    assert (again.returncode, "There is no backfill" in again.stderr) == (2, True)

    fetched = healthy.typed("fetch", "--limit", "7", *stack)
    assert (fetched.returncode, len(fetched.stdout.splitlines())) == (0, 7)
    assert healthy.typed("actions", "--search", "user_login", *stack).returncode == 0


def test_a_wrong_token_stops_a_new_version_and_is_told(healthy):
    healthy.put_token(NOBODY)
    told = healthy.doctor()
    assert (told.code, told.wrong()) == (1, {"slack"})
    assert "Put a user token" in told.sections["organisation main"]["slack"]["what"]
    assert healthy.verdict() == "Failed"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("team_not_authorized", "installed on a workspace: install it on the organisation"),
        ("missing_scope", "auditlogs:read"),
    ],
)
def test_a_workspaces_token_and_a_missing_scope_are_told(healthy, code, says):
    healthy.slack.fault("status", status=403, body=json.dumps({"ok": False, "error": code}))
    told = healthy.doctor()
    assert (told.code, told.wrong()) == (1, {"slack"})
    assert says in told.sections["organisation main"]["slack"]["what"]


def test_an_outage_of_slack_cannot_be_told_and_stops_no_new_version(healthy):
    healthy.slack.fault("status", status=503, times=2)
    told = healthy.doctor()
    assert (told.code, told.outcomes["slack"]) == (3, "unknown")
    assert healthy.verdict() == "Succeeded"


def test_a_stream_that_is_gone_is_told(healthy):
    kinesis, name = healthy.aws.client("kinesis"), healthy.outputs["EventStreamName"]
    kinesis.delete_stream(StreamName=name)
    try:
        told = healthy.doctor()
        assert (told.code, told.wrong()) == (1, {"stream"})
        assert "deleted behind the stack's back" in told.sections[f"stack {healthy.name}"]["stream"]["advice"]
    finally:
        kinesis.create_stream(StreamName=name, ShardCount=1)


def test_each_permission_that_the_function_lacks_is_told_and_stops_a_new_version(healthy):
    lacks = {
        "ReadTheToken": "token",
        "TryToWriteOnce": "archive",
        "ListTheArchive": "listing",
        "HoldTheCheckpoint": "table",
        "PublishEvents": "stream",
    }
    with healthy.without(*lacks):
        told = healthy.doctor()
        assert (told.code, told.wrong()) == (1, set(lacks.values()))
        org = told.sections["organisation main"]
        assert [name for name in lacks.values() if "AccessDenied" not in org[name]["what"]] == []
        assert healthy.verdict() == "Failed"


def test_a_bucket_that_was_opened_is_told(healthy):
    s3, bucket = healthy.aws.client("s3"), healthy.outputs["ArchiveBucketName"]
    before = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    opened = {**before, "BlockPublicPolicy": False}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=opened)
    try:
        told = healthy.doctor()
        assert (told.code, told.wrong()) == (1, {"bucket"})
        assert "not closed to the public" in told.sections[f"stack {healthy.name}"]["bucket"]["what"]
    finally:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=before)


def test_settings_that_no_version_has_yet_and_a_wrong_address_of_slack_are_told(healthy):
    functions, name = healthy.aws.client("lambda"), healthy.resource("CollectFunction")
    before = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    wrong = {**variables, "SLACK_API_URL": f"{healthy.slack.url}/v2"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": wrong})
    try:
        told = healthy.doctor()
        assert (told.code, told.wrong()) == (1, {"version"}), "the alias still has the right one"
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        told = healthy.doctor()
        assert (told.code, told.wrong()) == (1, {"slack"})
        assert "Check SlackApiUrl" in told.sections["organisation main"]["slack"]["what"]
    finally:
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=before)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_a_run_that_is_under_way_and_runs_that_failed_are_told(healthy):
    table, queue = healthy.outputs["CheckpointTableName"], healthy.outputs["FailureQueueUrl"]
    dynamodb, sqs = healthy.aws.client("dynamodb"), healthy.aws.client("sqs")
    values = {":owner": {"S": "a-run"}, ":until": {"N": str(int(time.time()) + 300)}}
    change = {"TableName": table, "Key": {"org": {"S": "main"}}, "ExpressionAttributeNames": {"#owner": "owner"}}
    dynamodb.update_item(
        **change, UpdateExpression="SET #owner = :owner, lease_until = :until", ExpressionAttributeValues=values
    )
    sqs.send_message(QueueUrl=queue, MessageBody="a run that failed")
    try:
        told = healthy.doctor()
        assert told.code == 0
        assert "holds the lease until" in told.sections["organisation main"]["lease"]["what"]
        assert "about 1." in told.text, "there are other queues, in which nothing waits"
        assert told.outcomes["table"] == "ok", "the check does not need the lease"
    finally:
        dynamodb.update_item(**change, UpdateExpression="REMOVE #owner, lease_until")
        sqs.purge_queue(QueueUrl=queue)


def test_another_region_name_or_organisation_is_told(healthy):
    for options in (["--stack", "nobody-has-this"], ["--stack", healthy.name, "--region", "eu-west-1"]):
        told = healthy.doctor(*options)
        assert (told.code, told.wrong()) == (1, {"stack"})
        assert "There is no stack" in told.text
    told = healthy.doctor("--stack", healthy.name, "--org", "other")
    assert (told.code, told.wrong()) == (1, {"org"})


def test_an_endpoint_at_which_nobody_answers_is_told(healthy, unused_ports):
    told = healthy.doctor("--stack", healthy.name, "--endpoint-url", f"https://127.0.0.1:{unused_ports}")
    assert (told.code, told.wrong()) == (1, {"identity"})


def test_who_may_only_see_the_stack_is_told_what_is_needed_for_the_rest(healthy):
    iam = healthy.aws.client("iam")
    anybody: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="onlooker", AssumeRolePolicyDocument=json.dumps(anybody))["Role"]["Arn"]
    allowed = ["cloudformation:DescribeStacks", "cloudformation:ListStackResources", "sts:GetCallerIdentity"]
    policy = {**anybody, "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
    iam.put_role_policy(RoleName="onlooker", PolicyName="look", PolicyDocument=json.dumps(policy))
    keys = healthy.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    told = healthy.doctor(
        environment={
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
    )
    assert (told.code, told.wrong()) == (3, set())
    stack, org = told.sections[f"stack {healthy.name}"], told.sections["organisation main"]
    assert "needs s3:GetBucketPolicy" in stack["bucket"]["what"]
    assert "needs dynamodb:DescribeTable" in stack["table"]["what"]
    assert "needs lambda:InvokeFunction" in org["check"]["what"]
    assert "needs logs:FilterLogEvents" in org["verified"]["what"]
