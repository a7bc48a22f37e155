"""The tests' own watch for secrets finds them, wherever they are written: it can fail."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.aws import EmbeddedAws
from tests.hygiene import sweep

ROOT = Path(__file__).parents[2]
TOKEN = "xoxp-nobody-may-see"

WRITING = """
import logging
import sys
import pytest

SECRET = "xox" + "p-1-not-real"

def test_record():
    logging.getLogger("some").debug("got %s", SECRET) or logging.getLogger("some").warning("got %s", SECRET)

def test_field():
    logging.getLogger("some").warning("got", extra={"deep": [{"a": SECRET}]})

def test_exception():
    logger = logging.getLogger("apart")
    logger.propagate = False
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise RuntimeError("hidden") from error
    except RuntimeError:
        logger.exception("failed")

def test_stdout():
    print("got", SECRET)

def test_stderr():
    print("got", SECRET, file=sys.stderr)

def test_captured(capsys):
    print("got", SECRET)
    assert capsys.readouterr().out

def test_captured_bytes(capfdbinary):
    print("got", SECRET, flush=True)
    assert capfdbinary.readouterr().out

@pytest.fixture
def writing():
    yield
    print("got", SECRET)

def test_teardown(writing):
    pass

@pytest.mark.writes_secrets("on purpose")
def test_allowed():
    print("got", SECRET)

def test_after_all():
    print("xoxp-... is what a token looks like")
    logging.getLogger("some").warning("nothing")
"""


def test_a_test_that_writes_a_token_fails(tmp_path):
    (tmp_path / "test_writing.py").write_text(WRITING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.hygiene",
        "-p",
        "no:cacheprovider",
        "-rA",
        "--show-capture=no",
    ]
    done = subprocess.run([*command, str(tmp_path)], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines() if "test_writing.py::" in line]
    outcomes = {name.split("::")[1].split(" ")[0]: outcome for outcome, name in lines}
    assert outcomes == {
        "test_record": "FAILED",
        "test_field": "FAILED",
        "test_exception": "FAILED",
        "test_stdout": "FAILED",
        "test_stderr": "FAILED",
        "test_captured": "FAILED",
        "test_captured_bytes": "FAILED",
        "test_teardown": "ERROR",
        "test_allowed": "PASSED",
        "test_after_all": "PASSED",
    }, done.stdout
    assert "A secret was written by this test, in" in done.stdout
    assert "1-not-real" not in done.stdout


@pytest.fixture(scope="module")
def own_aws():
    """Not the one that all tests share: what is written here must be gone when that one is looked through."""
    with EmbeddedAws() as running:
        yield running


def put_object(aws, name, secret):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="raw/1", Body=gzip.compress(secret.encode()))
    return lambda: s3.delete_object(Bucket=name, Key="raw/1")


def put_key(aws, name, secret):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key=secret, Body=b"")
    return lambda: s3.delete_object(Bucket=name, Key=secret)


def put_record(aws, name, secret):
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.put_record(StreamName=name, Data=secret.encode(), PartitionKey="1")
    return lambda: kinesis.delete_stream(StreamName=name)


def put_item(aws, name, secret):
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "org", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "org", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName=name, Item={"org": {"S": "main"}, "plan": {"B": secret.encode()}})
    return lambda: dynamodb.delete_table(TableName=name)


def put_message(aws, name, secret):
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"errorMessage": secret}))
    return lambda: sqs.delete_queue(QueueUrl=url)


def put_log_event(aws, name, secret):
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="1")
    logs.put_log_events(
        logGroupName=name, logStreamName="1", logEvents=[{"timestamp": 1_767_225_600_000, "message": secret}]
    )
    return lambda: logs.delete_log_group(logGroupName=name)


def put_function(aws, name, secret):
    lambda_ = aws.client("lambda")
    lambda_.create_function(
        FunctionName=name,
        Role="arn:aws:iam::000000000000:role/none",
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        Environment={"Variables": {"TOKEN": secret}},
    )
    return lambda: lambda_.delete_function(FunctionName=name)


def put_metric(aws, name, secret):
    dimensions = [{"Name": "token", "Value": secret}]
    aws.client("cloudwatch").put_metric_data(
        Namespace=name, MetricData=[{"MetricName": "Calls", "Value": 1, "Dimensions": dimensions}]
    )
    return lambda: None


@pytest.mark.parametrize(
    ("put", "where"),
    [
        (put_object, "the object"),
        (put_key, "the object"),
        (put_record, "the stream"),
        (put_item, "the table"),
        (put_message, "the queue"),
        (put_log_event, "the log group"),
        (put_function, "the configuration of"),
        (put_metric, "the metrics"),  # the last one: a metric stays
    ],
)
def test_a_token_in_the_embedded_aws_is_found(own_aws, put, where):
    sweep(own_aws)
    take_away = put(own_aws, f"swept-{put.__name__.replace('_', '-')}", TOKEN)
    with pytest.raises(AssertionError, match=f"A secret was written into the embedded AWS, in\n{where}"):
        sweep(own_aws)
    take_away()


def test_secrets_manager_is_where_secrets_belong():
    with EmbeddedAws() as aws:
        aws.client("secretsmanager").create_secret(Name="swept", SecretString=TOKEN)
        sweep(aws)
