"""The rotation function on the embedded AWS, called as Secrets Manager calls it, beside a collector that goes on."""

import json
from typing import Any, cast
from uuid import uuid4

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from rotate import app
from slack_audit.errors import RotationError, SettingsError, TokenRefusedError
from slack_audit.rotate import CURRENT, PENDING
from tests.integration.conftest import Context, Deployment, Log

HOUR = 3_600
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Rotating:
    """A stack whose app was installed with token rotation, and Secrets Manager, which rotates its secret."""

    def __init__(self, stack: Deployment) -> None:
        self.stack = stack
        self.secrets = stack.cloud.clients.secrets
        stack.set(SLACK_OAUTH_URL=stack.slack.oauth_url)
        stack.slack.token()
        self.put(stack.slack.install())

    @property
    def arn(self) -> str:
        return str(self.secrets.describe_secret(SecretId=self.stack.cloud.name)["ARN"])

    def put(self, value: dict[str, Any]) -> None:
        """A person puts this value."""
        self.secrets.put_secret_value(SecretId=self.arn, SecretString=json.dumps(value))

    def value(self, stage: str = CURRENT) -> dict[str, Any]:
        secret = self.secrets.get_secret_value(SecretId=self.arn, VersionStage=stage)["SecretString"]
        return dict(json.loads(secret))

    def begin(self) -> str:
        """A version without a value, which Secrets Manager makes before it calls."""
        version = str(uuid4())
        self.secrets.put_secret_value(SecretId=self.arn, ClientRequestToken=version, VersionStages=[PENDING])
        return version

    def step(self, step: str, version: str) -> dict[str, Any]:
        event = {"Step": step, "SecretId": self.arn, "ClientRequestToken": version, "RotationToken": "not-for-the-log"}
        return self.call(event)

    def call(self, event: Any) -> dict[str, Any]:
        context = Context(function_name="rotate")
        return dict(app.lambda_handler(event, cast(LambdaContext, context)))

    def rotate(self) -> list[str]:
        version = self.begin()
        return [self.step(step, version)["outcome"] for step in STEPS]

    def fails(self, kind: type[Exception], step: str, version: str) -> str:
        return self.stack.fails(kind, function=lambda _event: self.step(step, version))


@pytest.fixture
def rotating(stack: Deployment) -> Rotating:
    return Rotating(stack)


def test_a_collector_goes_on_through_days_of_rotation_without_a_deployment(rotating):
    stack = rotating.stack
    stack.backlog(200)
    stack.run()
    first = rotating.value()["token"]
    for number in range(4):
        stack.later(4 * HOUR)
        stack.slack.generate(50, start=int(stack.slack.now) - 2 * HOUR, end=int(stack.slack.now) - 100, seed=number)
        stack.a_minute_without_calls()
        assert stack.run()["events"] >= 50
        assert rotating.rotate() == ["refreshed and kept", "nothing to do", "accepted", "made current"]
    assert rotating.value()["token"] != first
    outcomes = [call.outcome for call in stack.slack.calls() if call.path.endswith("/logs")]
    assert 0 < outcomes.count("401") <= 4, "the token that the function had kept was ended, and read anew at once"
    stack.a_minute_without_calls()
    stack.run()
    stack.prove()


def test_a_token_that_expired_because_nobody_rotated_it_fails_and_is_made_good_by_a_rotation(rotating):
    stack = rotating.stack
    stack.backlog(100)
    stack.run()
    stack.later(13 * HOUR)
    assert "token_expired" in stack.fails(TokenRefusedError)
    rotating.rotate()
    assert stack.run()["stopped"] == "nothing_due"
    stack.prove()


def test_a_function_that_dies_after_the_new_pair_was_kept_is_made_up_for(rotating):
    version = rotating.begin()
    rotating.step("createSecret", version)
    kept = rotating.value(PENDING)
    outcomes = [rotating.step(step, version)["outcome"] for step in STEPS]
    assert outcomes == ["was kept already", "nothing to do", "accepted", "made current"]
    assert rotating.value() == kept
    assert rotating.stack.slack.status()["calls"]["/api/oauth.v2.access"] == {"200": 1}


def test_events_that_come_twice_change_nothing_more(rotating):
    version = rotating.begin()
    for step in STEPS:
        rotating.step(step, version)
        rotating.step(step, version)
    assert rotating.stack.slack.status()["calls"]["/api/oauth.v2.access"] == {"200": 1}
    assert rotating.stack.run()["stopped"] == "nothing_due"


def test_an_answer_that_was_lost_after_slack_had_rotated_is_asked_for_again(rotating, monkeypatch):
    monkeypatch.setattr("slack_audit.rotate.BACK_OFF", (0.01, 0.01))
    rotating.stack.slack.fault("truncated", path="oauth.v2.access")
    assert rotating.rotate()[-1] == "made current"
    assert rotating.stack.run()["stopped"] == "nothing_due"


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 500}, {"kind": "rate_limit", "retry_after": 1}, {"kind": "reset"}]
)
@pytest.mark.parametrize("path", ["oauth.v2.access", "logs"])
def test_slacks_bad_minutes_are_waited_out(rotating, monkeypatch, fault, path):
    monkeypatch.setattr("slack_audit.rotate.BACK_OFF", (0.01, 0.01))
    rotating.stack.slack.fault(**fault, path=path)
    assert rotating.rotate()[-1] == "made current"


def test_a_new_token_that_slack_does_not_accept_stays_pending(rotating):
    version = rotating.begin()
    before = rotating.value()
    rotating.step("createSecret", version)
    rotating.stack.slack.fault("status", error="user_not_authorized", path="logs")
    assert "have one install it" in rotating.fails(RotationError, "testSecret", version)
    assert rotating.value() == before
    rotating.step("testSecret", version)
    rotating.step("finishSecret", version)
    assert rotating.value() != before


def test_a_spent_refresh_token_says_what_a_person_must_do_and_their_value_ends_it(rotating):
    stack = rotating.stack
    rotating.put({**rotating.value(), "refresh_token": "xoxe-1-spent-long-ago"})
    version = rotating.begin()
    assert "install the app again" in rotating.fails(TokenRefusedError, "createSecret", version)
    rotating.put(stack.slack.install())
    assert rotating.step("createSecret", version)["outcome"] == "refreshed and kept"
    rotating.step("finishSecret", version)
    assert stack.run()["stopped"] == "nothing_due"


def test_a_plain_token_is_not_rotated_and_collection_goes_on(rotating):
    rotating.stack.slack.token("xoxp-plain")
    rotating.put({"token": "xoxp-plain"})
    assert "TokenRotation=off" in rotating.fails(RotationError, "createSecret", rotating.begin())
    assert rotating.stack.run()["stopped"] == "nothing_due"


def test_each_step_is_logged_and_counted_without_what_is_secret(rotating, log: Log, capsys):
    rotating.rotate()
    lines = [line for line in log.lines if line["message"] == "rotation"]
    assert [(line["Step"], line["outcome"]) for line in lines] == [
        ("createSecret", "refreshed and kept"),
        ("setSecret", "nothing to do"),
        ("testSecret", "accepted"),
        ("finishSecret", "made current"),
    ]
    assert {line["SecretId"] for line in lines} == {rotating.arn}
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [it["RotationFailures"] for it in metrics] == [[0]] * 4
    assert metrics[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert "not-for-the-log" not in log.text


def test_a_step_that_failed_is_logged_and_counted(rotating, log: Log, capsys):
    reason = rotating.fails(RotationError, "finishSecret", "0" * 32)
    line = log.lines[-1]
    assert (line["level"], line["message"], line["reason"]) == ("ERROR", "rotation failed", reason)
    assert (line["Step"], line["ClientRequestToken"]) == ("finishSecret", "0" * 32)
    assert json.loads(capsys.readouterr().out)["RotationFailures"] == [1]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "has no SecretId"),
        (None, "has no SecretId"),
        ([], "has no SecretId"),
        ({"SecretId": "a", "ClientRequestToken": 5, "Step": "createSecret"}, "has no ClientRequestToken"),
        ({"SecretId": "a", "ClientRequestToken": "b", "Step": "drop"}, "Step is 'drop'"),
    ],
)
def test_any_other_event_is_refused(rotating, event, said):
    assert said in rotating.stack.fails(SettingsError, event, function=rotating.call)


def test_another_address_is_refused(rotating):
    rotating.stack.set(SLACK_OAUTH_URL="http://slack.example.com/api/oauth.v2.access")
    assert "SlackOauthUrl" in rotating.fails(SettingsError, "createSecret", "0" * 32)
