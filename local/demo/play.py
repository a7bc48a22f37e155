"""The demonstration from its first step to its verdict."""

import io
import signal
import sys
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import EmbeddedAwsError
from local.demo import summary
from local.demo.display import Display, displayed
from local.demo.evidence import count_runs, function_log, gather
from local.demo.options import Options
from local.demo.proof import prove
from local.demo.signals import Signals, StoppedError
from local.demo.stage import Stage, staged
from local.demo.steps import Steps
from local.demo.watch import Snapshot, Watcher
from local.deploy import ToolError

GLANCE = 0.5  # seconds between two looks
PATIENCE = 240.0  # seconds without anything new in the log or the stream
LOG_LINES = 12  # of the function's log, in a failure


class DemoError(Exception):
    """The demonstration cannot go on. The message says what it waited for, and what it saw last."""


def main(signals: Signals) -> int:
    """Does what the command line says; the exit code."""
    options = Options.parse()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal gets ? for ✓
    steps = Steps(plain=options.plain)
    try:
        return _play(options, steps, signals)
    except (DemoError, EmbeddedAwsError, ToolError, BotoCoreError, ClientError) as error:
        steps.say(f"\n{error}\n\nThe demonstration failed. Everything that was started is stopped.")
        return 1


def _play(options: Options, steps: Steps, signals: Signals) -> int:
    start = time.monotonic()
    steps.say(summary.intention(options))
    with staged(options, steps, signals) as stage:
        steps.say(summary.commands(stage) + "\n")
        watcher = Watcher(stage)
        with displayed(steps) as display:
            last = _Audience(stage, watcher, display, signals).watch(options)
        with steps.step("comparing every byte"):
            proof = prove(gather(stage, watcher.stream))
            runs = count_runs(function_log(stage.aws))
        figures = summary.Figures(
            backlog=options.events, runs=runs, calls=last.calls, faults=last.faults, seconds=time.monotonic() - start
        )
        steps.console.print(summary.render(proof, figures))
        if options.keep:
            _keep(stage, steps, signals)
    steps.say("Everything that was started is stopped.")
    return 0 if proof.proven else 1


def _keep(stage: Stage, steps: Steps, signals: Signals) -> None:
    """Until Ctrl-C, which is how this ends and no failure."""
    steps.say(f"\nEverything keeps running, and the schedule too, until Ctrl-C.\n{summary.commands(stage)}")
    try:
        while True:
            signals.check()
            time.sleep(GLANCE)
    except StoppedError as stopped:
        if stopped.number != signal.SIGINT:
            raise
        steps.say()


class _Audience:
    """Watches until everything is collected, and lets events arrive meanwhile."""

    def __init__(self, stage: Stage, watcher: Watcher, display: Display, signals: Signals) -> None:
        self._stage = stage
        self._watcher = watcher
        self._display = display
        self._signals = signals
        self._news: object = None
        self._news_at = time.monotonic()

    def watch(self, options: Options) -> Snapshot:
        """The last moment, when everything that Slack shows should be archived and streamed."""
        end = self._stage.backlog_end
        self._until("waiting for the schedule's first run", lambda now: now.logged > 0)
        self._until("collecting the backlog", lambda now: (now.watermark or 0) >= end)
        if options.live_events:
            until = self._stage.slack.now + options.seconds
            self._stage.slack.traffic(options.per_second, until=until)
            self._until(f"{options.per_second:g} events a second keep arriving", lambda now: now.now >= until)
            end = int(until)
        return self._until("no more events; collecting the rest", lambda now: now.has_settled(end))

    def _until(self, phase: str, is_over: Callable[[Snapshot], bool]) -> Snapshot:
        while True:
            self._signals.check()
            snapshot = self._watcher.look()
            self._display.show(snapshot, phase)
            if is_over(snapshot):
                return snapshot
            self._be_patient(snapshot, phase)
            time.sleep(GLANCE)

    def _be_patient(self, snapshot: Snapshot, phase: str) -> None:
        news = snapshot.logged, snapshot.streamed
        if news != self._news:
            self._news, self._news_at = news, time.monotonic()
        elif time.monotonic() - self._news_at > PATIENCE:
            raise DemoError(self._what_is_known(snapshot, phase))

    def _what_is_known(self, snapshot: Snapshot, phase: str) -> str:
        status = self._stage.slack.status()
        log = function_log(self._stage.aws)[-LOG_LINES:] or ["nothing: it was never started"]
        return "\n".join(
            [
                f"Nothing was collected for {PATIENCE:.0f} s, while: {phase}.",
                f"{snapshot.shown:,} events at Slack, {snapshot.archived:,} archived, {snapshot.streamed:,} streamed.",
                f"Calls to Slack: {status['calls']}; refused for the rate: {status['rate_limited']}.",
                "The end of the function's log:",
                *log,
            ]
        )
