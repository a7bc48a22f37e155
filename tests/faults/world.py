"""One organisation, one deployment, and the runs: the collector as `bootstrap.run` puts it together, in virtual time."""

import copy
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

from slack_audit.adapters.catalog import SlackCatalog
from slack_audit.adapters.dynamodb import DynamoDBCheckpoints
from slack_audit.adapters.kinesis import KinesisSink
from slack_audit.adapters.s3 import S3Archive
from slack_audit.adapters.secrets import SecretToken
from slack_audit.adapters.slack import SlackSource
from slack_audit.backfill import Start, order_of
from slack_audit.bootstrap import policy
from slack_audit.collect import Run
from slack_audit.errors import CollectorError, SettingsError
from slack_audit.orders import carry_out
from slack_audit.parts import Parts, Report
from slack_audit.passes import STANDING
from slack_audit.settings import Settings
from tests import proof
from tests.fakes import Clock, KilledError, at_once
from tests.faults.aws import Clients, Cloud
from tests.faults.border import Border
from tests.faults.slack import Slack, mount

ENV = {
    "ORG": "main",
    "SLACK_API_URL": "https://api.slack.example.com/audit/v1",
    "SLACK_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:token",
    "SLACK_TOKEN_SECRETS": "slack-audit/",
    "ARCHIVE_BUCKET": "archive",
    "EVENT_STREAM": "events",
    "CHECKPOINT_TABLE": "checkpoints",
    "INITIAL_LOOKBACK_HOURS": "1",
    "LIVE_LAG_SECONDS": "60",
    "SLACK_CALLS_PER_MINUTE": "40",
    "LATE_PASS_MINUTES": "10",
    "FINAL_PASS_HOURS": "1",
}
SETTINGS = Settings.from_env(ENV)
POLICY = policy(SETTINGS)
SETTLED = 40  # seconds: more than what a pass leaves for its next run

clients = cache(Clients)


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    report: Report | None
    failure: BaseException | None = None


@dataclass
class Process:
    """What a warm function keeps from run to run."""

    source: SlackSource
    archive: S3Archive
    sink: KinesisSink
    catalog: SlackCatalog


class World:
    """The services of one deployment, and the collector's runs."""

    def __init__(self, now: float = 1_767_225_600 + 40_000) -> None:
        self.clock = Clock(now)
        self.border = Border(self.clock)
        self.border.overtake = self.overtake
        self.cloud = Cloud(self.border)
        self.slack = Slack(self.border, self.cloud.secretsmanager.token)
        self.runs = 0
        self.wanted: dict[str, object] | None = None  # an order for the backfills, until it was carried out
        self.backfilled: set[tuple[int, int]] = set()  # what was ordered, and must have been read in the end
        self._process: Process | None = None

    def copy(self) -> "World":
        """The same state in a world of its own; nothing is warm in it."""
        other = World(self.clock.time)
        other.cloud.s3.objects = dict(self.cloud.s3.objects)
        other.cloud.dynamodb.item = copy.deepcopy(self.cloud.dynamodb.item)
        other.cloud.kinesis.records = list(self.cloud.kinesis.records)
        other.slack.events = list(self.slack.events)
        other.slack.walks = self.slack.walks
        other.runs, other.wanted, other.backfilled = self.runs, self.wanted, set(self.backfilled)
        return other

    # the runs

    def run(self) -> Outcome:
        """One run from now on. It ends well, by an error of our own, or killed: anything else fails the test."""
        parts = self._new_run()
        run = Run(parts, POLICY)
        return self._outcome(run.collect, run.report)

    def order(self) -> Outcome:
        """The wanted order for the backfills, as a person sends it."""
        parts, order = self._new_run(), order_of(self.wanted)
        outcome = self._outcome(lambda: carry_out(order, parts, POLICY), lambda: None)
        if outcome.failure is None:
            self.wanted = None
            if isinstance(order, Start):
                self.backfilled.add((order.lo, order.hi))
        return outcome

    def next(self) -> Outcome:
        """What comes next: an order, if there is one, else a run."""
        return self.run() if self.wanted is None else self.order()

    def _new_run(self) -> Parts:
        clients().on = self.cloud
        self.border.new_run()
        self.clock.new_run()
        self.runs += 1
        return self._parts()

    def _outcome(self, do: Callable[[], object], report: Callable[[], Report | None]) -> Outcome:
        failure: BaseException | None = None
        happened = self.border.happened
        try:
            do()
        except CollectorError as error:
            failure = error
            self._keeps_the_secret("".join(traceback.format_exception(error)))
        except KilledError as killed:
            failure = killed
            self._process = None
        finally:
            for line in written.taken():
                self._keeps_the_secret(line)
        # An order may be refused, and the text says why. Whatever else fails must have a fault for a reason.
        excused = isinstance(failure, SettingsError) or self.border.happened > happened
        assert failure is None or excused, f"nothing went wrong, and yet: {failure}"
        self._is_plausible()
        return Outcome(report(), failure)

    def _parts(self) -> Parts:
        process = self._process = self._process or self._cold_start()
        return Parts(
            f"run-{self.runs}",
            process.source,
            process.archive,
            DynamoDBCheckpoints(clients()["dynamodb"], SETTINGS.checkpoint_table, SETTINGS.org),
            process.sink,
            self.clock,
            at_once,
            at_once,
            process.catalog,
        )

    def _cold_start(self) -> Process:
        clients().cold_start()
        token = SecretToken(clients()["secretsmanager"], SETTINGS.token_secret)
        source = SlackSource(SETTINGS.slack_api_url, SETTINGS.org, token, "0.1.0")
        catalog = SlackCatalog(SETTINGS.slack_api_url, SETTINGS.org, "0.1.0")
        for session in (source._session, catalog._session):
            mount(session, self.slack)
        archive = S3Archive(clients()["s3"], SETTINGS.archive_bucket)
        return Process(source, archive, KinesisSink(clients()["kinesis"], SETTINGS.event_stream), catalog)

    def overtake(self, *, own_table: bool) -> None:
        """Another run, start to end, in a process of its own, while ours is on its way: ours outlived its lease, or the
        other one is of a second stack, whose table knows nothing of ours."""
        border, table = self.border, self.cloud.dynamodb
        ours = self._process, border.names, border.faults, table.item
        self._process, border.names, border.faults = None, [], {}
        if own_table:
            table.item = {}
        self.clock.time = max(self.clock.time, table.lease_until) + 1
        self.run()
        self._process, border.names, border.faults, item = ours
        table.item = item if own_table else table.item
        self.clock.new_run()

    def pass_time(self, seconds: float = 60) -> None:
        self.clock.time += seconds

    def calls_of_the_next_run(self) -> list[str]:
        """Its exchanges, tried out in a copy."""
        dry = self.copy()
        dry.next()
        return dry.border.names

    # what came out

    def settle(self) -> None:
        """No more faults, and time for every pass to read everything that happened until now."""
        self.border.calm()
        ends = [state["end"] for state in self.backfills().values() if not state["paused"]]
        everything = max([self.slack.newest, *ends]) + max(POLICY.lags.values()) + SETTLED - self.slack.offset
        self.clock.time = max(self.clock.time + 60, everything)
        self.until_idle()
        assert all(state["paused"] for state in self.backfills().values()), "a backfill has not ended"

    def backfills(self) -> dict[str, Any]:
        """As the newest entry of the log tells them."""
        log = proof.log_of(self.cloud.s3.objects)
        passes = log[-1]["passes"] if log else {}
        return {name: state for name, state in passes.items() if name not in STANDING}

    def until_idle(self, most: int = 60) -> None:
        """Runs a minute apart, until one has nothing more to do."""
        for _ in range(most):
            outcome = self.next()
            assert outcome.failure is None, outcome.failure
            if (report := outcome.report) and report.stopped == "nothing_due" and not report.backlog:
                return
            self.pass_time()
        raise AssertionError(f"it never gets done: {outcome.report}")

    def prove(self, *, orphans: bool = False) -> None:
        """Nothing lost, nothing twice, nothing missing in the stream; without orphans, unless they are allowed.

        What no pass has read behind every late event is not expected: what happened before the collection's start, and
        lies in no backfill.
        """
        objects = self.committed() if orphans else self.cloud.s3.objects
        for lo, hi in self.backfilled:
            windows = proof.covered(objects, kinds=[f"backfill-{lo}-{hi}"])
            assert (windows[0][0], windows[-1][1]) == (lo, hi), "a backfill was not read to its end"
        read = proof.covered(objects, kinds=("final", "backfill"))
        proof.prove(objects, self.cloud.kinesis.records, self.slack.served(read))

    def committed(self) -> dict[str, bytes]:
        """The archive without objects that no entry names, which a table fault, an overlap or a late write may leave."""
        objects = self.cloud.s3.objects
        named = b"\n".join(body for key, body in objects.items() if key.startswith("log/"))
        return {key: body for key, body in objects.items() if key.startswith("log/") or key.encode() in named}

    def _is_plausible(self) -> None:
        """What holds after every run, whatever happened to it."""
        proof.prove_so_far(self.committed(), self.cloud.kinesis.records, self.cloud.dynamodb.number("published"))

    def _keeps_the_secret(self, text: str) -> None:
        assert self.cloud.secretsmanager.token not in text, "the token was written somewhere"


@dataclass
class Written(logging.Handler):
    """Everything that was logged, with its extra fields."""

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def emit(self, record: logging.LogRecord) -> None:
        text = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
        self.lines.append(f"{record.getMessage()} {record.__dict__} {text}")

    def taken(self) -> list[str]:
        """What was logged since this was last asked."""
        lines, self.lines = self.lines, []
        return lines

    __hash__ = logging.Handler.__hash__


written = Written()


def _clock() -> Clock:
    cloud = clients().on
    assert cloud is not None
    return cloud.border.clock


@contextmanager
def virtual_time() -> Iterator[None]:
    """Whoever waits or asks for the time, waits on the world's clock; and what is logged is kept.

    Powertools signs the requests of a client once more for every token that is made with it. The worlds share their
    clients: after a thousand cold starts that would be most of the work.
    """
    sleeper = SimpleNamespace(sleep=lambda seconds: _clock().sleep(seconds))
    watch = SimpleNamespace(monotonic=lambda: _clock().now())
    calendar = SimpleNamespace(now=lambda: datetime.fromtimestamp(_clock().now(), UTC))
    logger = logging.getLogger("slack_audit")
    level = logger.level
    with ExitStack() as patches:
        for name, there in {
            "botocore.endpoint.time": sleeper,
            "slack_audit.adapters.s3.time": sleeper,
            "slack_audit.adapters.slack.time": watch,
            "slack_audit.adapters.catalog.time": watch,
            "slack_audit.adapters.web.time": watch,
            "aws_lambda_powertools.utilities.parameters.base.datetime": calendar,
            "aws_lambda_powertools.shared.user_agent.register_feature_to_client": mock.Mock(),
        }.items():
            patches.enter_context(mock.patch(name, there))
        logging.getLogger().addHandler(written)
        logger.setLevel(logging.INFO)
        yield
        logger.setLevel(level)
        logging.getLogger().removeHandler(written)
