"""The hook before traffic: a function of the embedded AWS is asked, and a CodeDeploy at the wire is told."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from pretraffic import app
from slack_audit.errors import CheckError, SettingsError
from tests.codedeploy import EVENT, CodeDeploy, listening
from tests.conftest import Cloud
from tests.integration.conftest import Context, Log

# Answers as it is told to: the handler's own answers are held by test_checking.
ANSWERS = """
import json, os
def lambda_handler(event, context):
    if event != {"org": "main", "check": True}:
        raise ValueError(f"asked for {event}")
    answer = json.loads(os.environ["ANSWER"])
    if isinstance(answer, str):
        raise RuntimeError(answer)
    return answer
"""


def found(**outcomes: str) -> dict[str, Any]:
    findings = [{"name": name, "outcome": it, "what": f"{name}!", "advice": ""} for name, it in outcomes.items()]
    return {"org": "main", "ok": "failed" not in outcomes.values(), "findings": findings}


class Hook:
    """The hook's function, with the new version that it asks."""

    def __init__(self, cloud: Cloud, codedeploy: CodeDeploy) -> None:
        self._functions: Any = cloud.aws.client("lambda")
        self._name = cloud.name
        self.codedeploy = codedeploy

    def deploy(self, answer: object) -> str:
        """A function that answers so; its name."""
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", ANSWERS)
        self._functions.create_function(
            FunctionName=self._name,
            Runtime="python3.13",
            Handler="app.lambda_handler",
            Role="arn:aws:iam::000000000000:role/nobody",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {"ANSWER": json.dumps(answer)}},
            Publish=True,
        )
        return self._name

    def invoke(self, event: Any = EVENT) -> dict[str, Any]:
        return dict(app.lambda_handler(event, cast(LambdaContext, Context(seconds=900.0))))

    @property
    def told(self) -> list[str]:
        """The verdicts."""
        for verdict in self.codedeploy.verdicts:
            assert verdict["deploymentId"] == EVENT["DeploymentId"]
            assert verdict["lifecycleEventHookExecutionId"] == EVENT["LifecycleEventHookExecutionId"]
        return [verdict["status"] for verdict in self.codedeploy.verdicts]


@pytest.fixture
def hook(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with listening() as codedeploy:
        hook = Hook(cloud, codedeploy)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        variables = {"ORG": "main", "NEW_VERSION": cloud.name, "AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy.url}
        for name, value in (cloud.aws.environment() | variables).items():
            monkeypatch.setenv(name, value)
        yield hook


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        pytest.param({"token": "ok", "slack": "ok"}, "Succeeded", id="all is well"),
        pytest.param({"token": "missing"}, "Succeeded", id="the first deployment comes before the token"),
        pytest.param({"token": "ok", "slack": "unknown"}, "Succeeded", id="Slack is down"),
        pytest.param({"token": "warning"}, "Succeeded", id="a warning"),
        pytest.param({"token": "ok", "slack": "failed"}, "Failed", id="a person must mend something"),
    ],
)
def test_a_new_version_takes_over_unless_it_found_what_a_person_must_mend(hook, log, outcomes, verdict):
    hook.deploy(found(**outcomes))
    assert hook.invoke() == {"passed": verdict == "Succeeded"}
    assert hook.told == [verdict]
    lines = [line for line in log.lines if line["message"] == "finding"]
    assert {line["found"]: line["outcome"] for line in lines} == outcomes
    levels = {"ok": "INFO", "failed": "ERROR"}
    assert all(line["level"] == levels.get(line["outcome"], "WARNING") for line in lines)
    assert log.messages()[-1] == "told CodeDeploy"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param("a mistake of ours", "a mistake of ours", id="the version raises"),
        pytest.param({"org": "main", "events": 7}, "did not answer with a check", id="it collects instead"),
        pytest.param([1], "did not answer with a check", id="it answers nonsense"),
        pytest.param(None, "did not answer with a check", id="it answers nothing"),
    ],
)
def test_a_version_that_does_not_answer_with_a_check_does_not_take_over(hook, log, answer, reason):
    hook.deploy(answer)
    assert hook.invoke() == {"passed": False}
    assert hook.told == ["Failed"]
    assert reason in why(log)


def test_a_version_that_is_not_there_does_not_take_over(hook, log):
    hook.invoke()
    assert hook.told == ["Failed"]
    assert "ResourceNotFoundException" in why(log)


def test_whatever_goes_wrong_in_the_hook_itself_codedeploy_is_told(hook, log, monkeypatch):
    monkeypatch.delenv("NEW_VERSION")
    hook.invoke()
    assert hook.told == ["Failed"]
    assert "NEW_VERSION is missing" in why(log)


def test_a_codedeploy_that_refuses_fails_the_run(hook):
    hook.deploy(found(token="ok"))
    hook.codedeploy.status = 400
    with pytest.raises(CheckError, match="Stop the deployment"):
        hook.invoke()


@pytest.mark.parametrize("event", [{}, {"DeploymentId": "d-1"}, {"org": "main"}, [], None])
def test_an_event_that_is_not_codedeploys_is_refused(hook, event):
    with pytest.raises(SettingsError, match="Only CodeDeploy invokes this"):
        hook.invoke(event)
    assert hook.told == []


def why(log: Log) -> str:
    (line,) = [line for line in log.lines if line["message"] == "the check itself failed"]
    return str(line["reason"])
