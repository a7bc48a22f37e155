"""Builds and starts all that the demonstration needs, step by step, and stops it again."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.aws import EmbeddedAws
from local.demo.options import Options
from local.demo.signals import Signals
from local.demo.steps import Steps
from local.deploy import ROOT, ToolError, build, deploy
from local.slack import Fault, Settings, StandIn

STACK = "demo"
ORG = "main"
HOUR = 3_600  # seconds
CALLS_PER_MINUTE = 50  # what Slack allows an organisation: Tier 3
LATENCY = (0.4, 0.8)  # seconds; a page of 9,999 takes Slack at least as long
PARAMETERS = {
    "Org": ORG,
    "ScheduleState": "ENABLED",
    "ScheduleExpression": "rate(1 minute)",
    "LiveLagSeconds": "10",  # instead of 60, so that the end comes sooner
    "InitialLookbackHours": "25",  # the first run starts a minute after the backlog of 24 hours ended
}
FAULTS = (
    Fault(kind="status", status=503, path="logs", after=3),
    Fault(kind="truncated", path="logs", after=5),
    Fault(kind="rate_limit", retry_after=4, path="logs", after=7),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """All that runs, and where the backlog ends: the last second that it has events of."""

    aws: EmbeddedAws
    slack: StandIn
    outputs: Mapping[str, str]
    backlog_end: int


@contextmanager
def staged(options: Options, steps: Steps, signals: Signals) -> Iterator[Stage]:
    """Everything built, started, deployed and configured; stopped at the end, whatever happens."""
    with ExitStack() as stack:
        stack.enter_context(_children_in_scratch())
        with steps.step("building the template with sam build"):
            build_dir = _build()
        with steps.step("starting the stand-in for Slack") as step:
            slack = stack.enter_context(StandIn(_slack_settings(options.seed)))
            backlog_end = int(slack.now)
            slack.generate(options.events, start=backlog_end - 24 * HOUR, end=backlog_end)
            slack.faults(*FAULTS if options.faults else ())
            step.note = slack.base
        with steps.step("starting the embedded AWS") as step:
            aws = stack.enter_context(EmbeddedAws(port=options.port))
            step.note = aws.endpoint
        stack.callback(signals.ignore)  # the first thing on the way out
        with steps.step("deploying with sam deploy"):
            outputs = deploy(aws, build_dir, STACK, PARAMETERS | {"SlackApiUrl": slack.url})
        with steps.step("storing the token in Secrets Manager"):
            _put_token(aws, outputs["SlackTokenSecretArn"], slack.settings.tokens[0])
        yield Stage(aws, slack, outputs, backlog_end)


def _slack_settings(seed: int) -> Settings:
    token = f"xoxp-demo-{seed}-not-a-real-token"
    return Settings(seed=seed, tokens=(token,), calls_per_minute=CALLS_PER_MINUTE, latency=LATENCY)


def _put_token(aws: EmbeddedAws, secret: str, token: str) -> None:
    aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps({"token": token}))


def _build() -> Path:
    """Builds in a process group of its own: the SAM CLI starts pip, which outlives a SAM CLI that is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local.deploy", "build"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    try:
        said, _ = process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):  # all of them have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        raise ToolError(said)
    return build()  # nothing is left to do but to say where it is


@contextmanager
def _children_in_scratch() -> Iterator[None]:
    """The temporary files of our child processes go into a folder of ours: who is killed does not tidy up."""
    ours = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="slack-audit-demo-", ignore_cleanup_errors=True) as scratch:
        os.environ["TMPDIR"] = scratch
        try:
            yield
        finally:
            del os.environ["TMPDIR"]
            if ours is not None:
                os.environ["TMPDIR"] = ours
