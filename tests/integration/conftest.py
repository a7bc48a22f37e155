"""A deployment without CloudFormation: the real handler, the embedded AWS, and a stand-in for Slack."""

import io
import json
import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast
from unittest import mock

import boto3
import botocore.session
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from collect import app
from drift import app as drift_app
from local.slack import DEFAULT_TOKEN, StandIn
from replay import app as replay_app
from slack_audit import bootstrap, telemetry, wiring
from tests import proof
from tests.conftest import Cloud
from tests.fakes import KilledError
from verify import app as verify_app
from watch import app as watch_app

EVENT = {"org": "main"}
TIMEOUT = 308.0  # seconds; the function's
WARM = (
    wiring.client,
    bootstrap._token,
    bootstrap._source,
    bootstrap._catalog,
)  # what lasts from run to run


@pytest.fixture(scope="package", autouse=True)
def models_read_once() -> Iterator[None]:
    """Every session reads the services' models anew, a quarter of a second for each client: here, all share what they
    read. Not where microburst is: botocore changes what it has read, and microburst reads it, too."""
    with mock.patch("botocore.session.create_loader", cache(botocore.session.create_loader)):
        yield


@dataclass
class Context:
    """What Lambda tells a function of its run. A look at the time can cost time, and some look can be the last."""

    seconds: float = TIMEOUT
    seconds_a_look: float = 0.0
    looks_until_death: int | None = None
    looks: int = 0
    started: float = field(default_factory=time.monotonic)
    function_name: str = "collect"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:collect"
    aws_request_id: str = "c0ffee00-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        if self.looks == self.looks_until_death:
            raise KilledError
        self.looks += 1
        passed = time.monotonic() - self.started + self.looks * self.seconds_a_look
        return int((self.seconds - passed) * 1000)


class Deployment:
    """One stack: its function can be invoked, its Slack be moved on, and what came out of it be looked at."""

    def __init__(self, cloud: Cloud, slack: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cloud = cloud
        self.slack = slack
        self._monkeypatch = monkeypatch
        self.failures: list[str] = []
        self.set(**cloud.aws.environment())
        self.set(
            ORG="main",
            SLACK_API_URL=slack.url,
            SLACK_TOKEN_SECRET_ARN=cloud.secret(json.dumps({"token": DEFAULT_TOKEN})),
            SLACK_TOKEN_SECRETS=f"{cloud.name}/",
            ARCHIVE_BUCKET=cloud.bucket(),
            EVENT_STREAM=cloud.name,
            CHECKPOINT_TABLE=cloud.table(),
            INITIAL_LOOKBACK_HOURS="1",
            LIVE_LAG_SECONDS="60",
            LATE_PASS_MINUTES="35",
            FINAL_PASS_HOURS="25",
            SLACK_CALLS_PER_MINUTE="1000",
            ACTION_FILTER="",
            ACTOR_FILTER="",
            ENTITY_FILTER="",
        )

    def set(self, **variables: str) -> None:
        """The function's environment, from the next run on."""
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def cold(self) -> None:
        """The next run starts as in a new sandbox."""
        for kept in WARM:
            kept.cache_clear()

    def run(self, event: Any = EVENT, *, context: Context | None = None) -> dict[str, Any]:
        """What the function returns, as Lambda hands it on."""
        result = app.lambda_handler(event, cast(LambdaContext, context or Context()))
        return dict(json.loads(json.dumps(result)))

    def watch(self, event: Any = EVENT, *, context: Context | None = None) -> dict[str, Any]:
        """What the drift function returns."""
        result = drift_app.lambda_handler(event, cast(LambdaContext, context or Context()))
        return dict(json.loads(json.dumps(result)))

    def verify(self, event: Any = None, *, context: Context | None = None) -> dict[str, Any]:
        """What the verify function returns."""
        asked = {"org": "main", "days": 2} if event is None else event
        result = verify_app.lambda_handler(asked, cast(LambdaContext, context or Context()))
        return dict(json.loads(json.dumps(result)))

    def replay(self, event: Any, *, context: Context | None = None) -> dict[str, Any]:
        """What the replay function returns."""
        result = replay_app.lambda_handler(event, cast(LambdaContext, context or Context()))
        return dict(json.loads(json.dumps(result)))

    def watch_over(self, event: Any, *, context: Context | None = None) -> dict[str, Any]:
        """What the watch function returns."""
        result = watch_app.lambda_handler(event, cast(LambdaContext, context or Context()))
        return dict(json.loads(json.dumps(result)))

    def fails(
        self, kind: type[Exception], event: Any = EVENT, *, function: Callable[[Any], object] | None = None
    ) -> str:
        """The message with which the function fails; Lambda writes it to the log with its traceback."""
        with pytest.raises(kind) as raised:
            (function or self.run)(event)
        self.failures += traceback.format_exception(raised.value)
        return str(raised.value)

    def until_done(self, runs: int = 20) -> list[dict[str, Any]]:
        """Run after run, each with a call budget of its own, until one has nothing more to do."""
        results = [self.run()]
        while (results[-1]["stopped"], results[-1]["backlog"]) != ("nothing_due", 0):
            assert len(results) < runs, results[-1]
            self.a_minute_without_calls()
            results.append(self.run())
        return results

    # time

    def later(self, seconds: int, org: str = "main", slack: StandIn | None = None) -> None:
        """So many seconds pass at an org's Slack; the function knows, as if they had passed at its host too."""
        slack = slack or self.slack
        slack.change(clock_offset=slack.settings.clock_offset + seconds)
        clock = int(self.item(org)["clock"]["N"]) + seconds
        self._update("SET clock = :clock", {":clock": {"N": str(clock)}}, org=org)

    def a_minute_without_calls(self) -> None:
        """The call budget is whole again."""
        self._update("REMOVE calls, blocked_until")

    @property
    def past(self) -> tuple[int, int]:
        """The seconds from which the first run finds events: from its genesis almost to its lag."""
        now = int(self.slack.now)
        return now - 3_500, now - 100

    def backlog(self, count: int) -> None:
        """Events that are there before the first run."""
        start, end = self.past
        self.slack.generate(count, start=start, end=end)

    # what came out

    def item(self, org: str = "main") -> dict[str, Any]:
        """The org's checkpoint; KeyError without one."""
        key = {"org": {"S": org}}
        return dict(self.cloud.clients.dynamodb.get_item(TableName=self.cloud.name, Key=key)["Item"])

    def age(self, org: str, seconds: int) -> None:
        """The org's last run that did its work was so long ago."""
        self._update("SET succeeded = :at", {":at": {"N": str(int(time.time()) - seconds)}}, org=org)

    def prove(self) -> None:
        """Served, archived and streamed are the same, up to live's watermark."""
        objects = self.cloud.objects()
        watermark = int(self.item()["passes"]["M"]["live"]["M"]["watermark"]["N"])
        genesis = proof.log_of(objects)[0]["passes"]["live"]["watermark"]
        proof.prove(objects, self.cloud.streamed(), self.slack.events(genesis + 1, watermark))

    def archived(self) -> list[bytes]:
        return proof.archived(self.cloud.objects())

    def hold_lease(self, owner: str, until: float) -> None:
        """The lease is somebody else's."""
        values = {":owner": {"S": owner}, ":until": {"N": str(int(until))}}
        self._update("SET #owner = :owner, lease_until = :until", values, {"#owner": "owner"})

    def put_token(self, token: str) -> None:
        """A person puts a new token into the secret."""
        self.cloud.clients.secrets.put_secret_value(SecretId=self.cloud.name, SecretString=json.dumps({"token": token}))

    def _update(
        self,
        expression: str,
        values: dict[str, Any] | None = None,
        names: dict[str, str] | None = None,
        *,
        org: str = "main",
    ) -> None:
        changes: dict[str, Any] = {"UpdateExpression": expression}
        changes |= {"ExpressionAttributeValues": values} if values else {}
        changes |= {"ExpressionAttributeNames": names} if names else {}
        self.cloud.clients.dynamodb.update_item(TableName=self.cloud.name, Key={"org": {"S": org}}, **changes)


class Log:
    """What the function wrote."""

    def __init__(self, written: io.StringIO) -> None:
        self._written = written

    @property
    def text(self) -> str:
        return self._written.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    written = io.StringIO()
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    return Log(written)


@pytest.fixture
def stack(
    cloud: Cloud,
    slack: StandIn,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Deployment]:
    """A fresh stack with a stream. Afterwards, no token must be in anything that was written."""
    caplog.set_level("INFO")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    stack = Deployment(cloud, slack, monkeypatch)
    stack.cold()
    cloud.stream()
    yield stack
    stack.cold()
    written = "".join([log.text, caplog.text, *capsys.readouterr(), *stack.failures])
    assert not re.search(r"xoxp-\w", written), "a token was written"
