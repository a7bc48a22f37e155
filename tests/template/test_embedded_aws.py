"""The embedded AWS: it starts, reaches nobody else, and leaves nothing behind."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from local import aws as embedded
from local.aws import EmbeddedAws, EmbeddedAwsError
from tests.template.reading import ROOT

WHO_AM_I = """
import os
def handler(event, context):
    places = {"file": os.path.realpath(__file__), "folder": os.path.realpath(os.curdir)}
    return {"pid": os.getpid(), "variables": sorted(os.environ), **places}
"""
LAMBDA_MAY_ASSUME_IT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
STARTS_AND_WAITS = """
import time
from local.aws import EmbeddedAws
with EmbeddedAws() as aws:
    print(aws.port, aws.log_file.parent, flush=True)
    time.sleep(60)
"""
ASKS = """
import boto3
print(boto3.client("s3").meta.endpoint_url)
print(boto3.client("sts").get_caller_identity()["Account"])
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def function_of(aws: EmbeddedAws, name: str = "who") -> dict[str, Any]:
    """A function that says which process it is, and its answer."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), WHO_AM_I)
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA_MAY_ASSUME_IT)["Role"]["Arn"]
    client = aws.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )
    answer: dict[str, Any] = json.loads(client.invoke(FunctionName=name)["Payload"].read())
    return answer


@pytest.mark.parametrize("enforce_iam", [False, True])
def test_it_starts_empty_and_leaves_no_process_port_or_file(enforce_iam, monkeypatch):
    monkeypatch.setenv("SLACK_TOKEN_OF_THE_DEVELOPER", "secret")
    with EmbeddedAws(enforce_iam=enforce_iam) as aws:
        assert aws.client("s3").list_buckets()["Buckets"] == []
        home = aws.log_file.parent
        answer = function_of(aws)
        assert alive(answer["pid"])
        assert "SLACK_TOKEN_OF_THE_DEVELOPER" not in answer["variables"]
    assert until(lambda: not alive(answer["pid"]))
    assert not answers(aws.port)
    assert not home.exists()


def test_functions_of_the_same_code_share_its_files_and_neither_process_nor_folder(aws):
    one, other = function_of(aws, "one"), function_of(aws, "other")
    assert one["file"] == other["file"]
    assert one["pid"] != other["pid"]
    assert one["folder"] != other["folder"]


def test_it_is_gone_even_when_its_starter_is_killed():
    command = [sys.executable, "-c", STARTS_AND_WAITS]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        port, home = starter.stdout.readline().split()
        assert answers(int(port))
        starter.send_signal(signal.SIGKILL)
    assert until(lambda: not answers(int(port)) and not os.path.exists(home))


def test_an_error_inside_the_block_stops_it_too():
    with pytest.raises(RuntimeError), EmbeddedAws() as aws:
        raise RuntimeError
    assert not answers(aws.port)


def test_a_port_in_use_is_refused_by_name():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedAwsError, match=f"cannot use port {port}"), EmbeddedAws(port=port):
            pass


def test_a_failed_start_shows_the_end_of_the_log(monkeypatch):
    monkeypatch.setattr(embedded, "GUARDED", "echo no luck today; exit 3")
    with pytest.raises(EmbeddedAwsError, match=r"(?s)exit code 3\..*no luck today"), EmbeddedAws():
        pass


def test_a_start_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(embedded, "GUARDED", "echo thinking; exec sleep 60")
    monkeypatch.setattr(embedded, "START_TIMEOUT", 0.2)
    with pytest.raises(EmbeddedAwsError, match=r"(?s)did not answer .*thinking"), EmbeddedAws():
        pass


def test_its_log_stays_where_it_was_asked_for(tmp_path):
    log = tmp_path / "aws.log"
    with EmbeddedAws(log_file=log):
        pass
    assert "ministack" in log.read_text().lower()


@pytest.mark.parametrize("enforce_iam", [False, True])
def test_its_environment_wins_over_the_developers(enforce_iam, tmp_path):
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\n")
    theirs = {
        "AWS_PROFILE": "work",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SESSION_TOKEN": "theirs",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }
    with EmbeddedAws(enforce_iam=enforce_iam) as aws:
        environment = {**os.environ, **theirs, **aws.environment()}
        asked = subprocess.run(
            [sys.executable, "-c", ASKS], env=environment, capture_output=True, text=True, check=True
        )
        assert asked.stdout.split() == [aws.endpoint, "000000000000"]
