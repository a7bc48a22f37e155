"""A plan carried out: the processes are started, the clock goes from minute to minute, and everything is proven."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from benchmarks.load.clock import SharedClock
from benchmarks.load.findings import Findings
from benchmarks.load.function import Function, Outcome, Usage
from benchmarks.load.plan import HOUR, MINUTE, START, Plan, Weather
from benchmarks.load.proof import Consumer, Seen, archived
from benchmarks.load.recipe import Recipe
from benchmarks.load.record import Metrics, Row, Rows
from local.aws import EmbeddedAws
from slack_audit.adapters.vault_s3 import CLIENT, S3Vault
from slack_audit.verify.prove import prove

ORG = "main"
BUCKET, TABLE = "archive", "checkpoints"
FIRST_RUN = 90  # seconds after the start of the day
BY_NIGHT = 10 * MINUTE  # between two runs after the day, when only the passes behind have something to read
LATE, FINAL = 35 * MINUTE, 25 * HOUR + 300  # seconds that they are behind (bootstrap.lags)
WATCHED_EVERY = 5 * MINUTE
VERIFIED_AT = 3 * HOUR + 20 * MINUTE  # after the start of a day
SLACK_IS_AHEAD = 2.5  # seconds that its clock is
CALM = Weather("calm")
HABITS = (  # what Slack's bad answers are, in parts of all of them
    ({"kind": "status", "status": 500}, 6),
    ({"kind": "status", "status": 503}, 4),
    ({"kind": "rate_limit", "retry_after": 15}, 5),
    ({"kind": "truncated"}, 5),
    ({"kind": "reset"}, 5),
    ({"kind": "html"}, 3),
    ({"kind": "invalid_json"}, 2),
)


@dataclass
class Simulation:
    """One plan, on the processes that `running` started."""

    plan: Plan
    clock: SharedClock
    aws: EmbeddedAws
    slack_base: str
    functions: dict[str, Function]
    consumer: Consumer
    rows: Rows
    recipe: Recipe
    metrics: Metrics = field(default_factory=Metrics)
    states: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    watched: float = 0.0
    verified: bool = False
    stored: bool = False
    beside: dict[str, Usage] = field(default_factory=dict)

    # the day

    def starts(self) -> Iterator[float]:
        """When the collect function is started: every minute of the day, and then until every pass has read it all."""
        end = float(self.plan.end)
        yield from _every(MINUTE, START + FIRST_RUN, end + LATE + 2 * MINUTE)
        yield from _every(BY_NIGHT, START + FINAL - 2 * MINUTE, end + FINAL + BY_NIGHT)
        yield from _every(MINUTE, end + FINAL + BY_NIGHT, end + FINAL + HOUR)

    def run(self) -> None:
        """From the first start to the last one that has anything to do."""
        self._habits()
        slack_is_down = False
        for at in self.starts():
            if at > self.plan.end + FINAL + BY_NIGHT and self._is_done():
                break
            if (at in self.plan.slack_is_down) != slack_is_down:
                slack_is_down = not slack_is_down
                self._slack_is_down(slack_is_down)
            self._start(at)
            self.consumer.drain()
            self._beside(at)
        self._invoke("VerifyFunction", {"org": ORG, "days": 5})

    def _start(self, at: float) -> None:
        minute = (at - START) / MINUTE
        row = Row(minute=minute, state="busy", happened=self.recipe.count(int(at) - MINUTE, int(at) - 1))
        if self.clock.now() <= at:
            self.clock.go_to(at)
            outcome = self.functions["CollectFunction"].invoke({"org": ORG}, self._weather(at))
            row.seconds = round(self.clock.now() - at, 2)
            row.state = _state(outcome)
            self._note(row, outcome)
            self._measure(row, outcome)
        self.states[row.state] = self.states.get(row.state, 0) + 1
        self._look(row, max(at, self.clock.now()))
        self.rows.write(row)

    def _weather(self, at: float) -> Weather:
        """The last runs have fine weather: something must be able to end."""
        return self.plan.weather(at) if at < self.plan.end + FINAL + BY_NIGHT else CALM

    def _note(self, row: Row, outcome: Outcome) -> None:
        logged = self.metrics.read(int(row.minute), outcome.output)
        row.error = outcome.error
        if outcome.usage is not None:
            usage = outcome.usage
            row.cpu, row.resident, row.peak, row.spoiled = (
                round(usage.cpu, 3),
                usage.resident,
                usage.peak,
                usage.spoiled,
            )
        reports = [line for line in logged if line.get("message") in {"collected", "run failed"}]
        for report in reports[-1:]:
            row.stopped = report["stopped"]
            row.events, row.published = report["events"], report["published"]
            row.calls, row.rate_limited = report["calls"], report["rate_limited"]
            row.failed_records = report["failed_records"]

    def _measure(self, row: Row, outcome: Outcome) -> None:
        """What AWS's own metrics would say, as far as the simulation knows it."""
        is_error = row.state in {"failed", "killed"}
        self.failures += is_error
        sent = outcome.usage.written if outcome.usage else {}
        measured: dict[tuple[str, str, str], dict[str, tuple[str, float]]] = {
            ("AWS/Lambda", "FunctionName", "CollectFunction"): {
                "Duration": ("Milliseconds", row.seconds * 1000),
                "Errors": ("Count", int(is_error)),
            },
            ("AWS/SQS", "QueueName", "FailureQueue"): {
                "ApproximateNumberOfMessagesVisible": ("Count", self.failures),
            },
            ("AWS/Kinesis", "StreamName", "EventStream"): {
                "IncomingBytes": ("Bytes", sent.get("kinesis bytes", 0)),
                "WriteProvisionedThroughputExceeded": ("Count", row.failed_records),
            },
            ("AWS/DynamoDB", "TableName", "CheckpointTable"): {
                "ConsumedWriteCapacityUnits": ("Count", sent.get("dynamodb units", 0)),
            },
        }
        for (namespace, name, value), values in measured.items():
            self.metrics.add(int(row.minute), values, namespace=namespace, **{name: value})

    def _measure_the_archive(self, at: float) -> None:
        """What S3 measures once a day."""
        pages = self._archive.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        sizes = [found["Size"] for page in pages for found in page.get("Contents", [])]
        for kind, values in {
            "StandardStorage": {"BucketSizeBytes": ("Bytes", float(sum(sizes)))},
            "AllStorageTypes": {"NumberOfObjects": ("Count", float(len(sizes)))},
        }.items():
            self.metrics.add(
                int((at - START) / MINUTE), values, namespace="AWS/S3", BucketName="ArchiveBucket", StorageType=kind
            )

    def _look(self, row: Row, now: float) -> None:
        """How far it is, by the checkpoint: seconds behind Slack's clock, and entries that are not in the stream."""
        item = self.aws_item()
        if item:
            live = item["passes"]["M"]["live"]["M"]["watermark"]["N"]
            row.lag = int(now + SLACK_IS_AHEAD) - int(live)
            row.backlog = int(item["next"]["N"]) - int(item["published"]["N"])
            row.publish_lag = int(now + SLACK_IS_AHEAD) - self._streamed(item) if row.backlog else row.lag

    def _streamed(self, item: dict[str, Any]) -> int:
        """The last second of which the stream has everything that live archived."""
        number = int(item["published"]["N"]) - 1
        body = self._archive.get_object(Bucket=BUCKET, Key=f"log/org={ORG}/{number:012}.json")["Body"].read()
        return int(json.loads(body)["passes"]["live"]["watermark"])

    def aws_item(self) -> dict[str, Any]:
        """The checkpoint as it is stored; empty before there is one."""
        item: dict[str, Any] = self._table.get_item(TableName=TABLE, Key={"org": {"S": ORG}}).get("Item", {})
        return item if "passes" in item else {}

    def __post_init__(self) -> None:
        self._table: Any = self.aws.client("dynamodb")
        self._archive: Any = self.aws.client("s3")

    def _is_done(self) -> bool:
        item = self.aws_item()
        passes = item["passes"]["M"] if item else {}
        read = all(int(it["M"]["watermark"]["N"]) >= self.plan.end for it in passes.values())
        return bool(item) and read and item["next"] == item["published"]

    def _beside(self, at: float) -> None:
        """What else the template schedules, when it is time for it."""
        if at - self.watched >= WATCHED_EVERY and "WatchFunction" in self.functions:
            self.watched = at
            self._invoke("WatchFunction", {"orgs": [ORG]})
        if not self.stored and at >= self.plan.end:
            self.stored = True
            self._measure_the_archive(at)
        if not self.verified and at >= min(START + VERIFIED_AT, self.plan.end):
            self.verified = True
            self._invoke("VerifyFunction", {"org": ORG, "days": 2})
            self._invoke("DriftFunction", {"org": ORG})

    def _invoke(self, function: str, event: dict[str, Any]) -> None:
        """A function that runs beside the collection: it takes that no time."""
        now = self.clock.now()
        outcome = self.functions[function].invoke(event, CALM)
        self.metrics.read(int((now - START) / MINUTE), outcome.output)
        if outcome.usage is not None:
            self.beside[function] = outcome.usage
        state = f"{function} {_state(outcome)}"
        self.states[state] = self.states.get(state, 0) + 1
        took = {"Duration": ("Milliseconds", (self.clock.now() - now) * 1000)}
        self.metrics.add(int((now - START) / MINUTE), took, namespace="AWS/Lambda", FunctionName=function)
        self.clock.go_to(now)

    # Slack's moods

    def _habits(self) -> None:
        parts = sum(part for _, part in HABITS)
        rules = [{**rule, "times": None, "probability": self.plan.slack_chance * part / parts} for rule, part in HABITS]
        self._tell("POST", "faults", rules)

    def _slack_is_down(self, is_down: bool) -> None:
        self._tell("DELETE", "faults")
        if is_down:
            self._tell("POST", "faults", [{"kind": "status", "status": 503, "times": None}])
        else:
            self._habits()

    def status(self) -> dict[str, Any]:
        """The stand-in's."""
        status: dict[str, Any] = self._tell("GET", "status")
        return status

    def _tell(self, method: str, verb: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.slack_base}/_standin/{verb}", data, method=method), timeout=60) as reply:
            return json.loads(reply.read())

    # the end

    def findings(self) -> Findings:
        """Everything that must be true, looked at."""
        session = boto3.Session("test", "test", region_name="us-east-1")
        config = CLIENT.merge(Config(proxies={}))
        vault = S3Vault(session.client("s3", endpoint_url=self.aws.endpoint, config=config), BUCKET)
        seen = Seen(self.recipe)
        archived(vault, ORG, seen)
        return Findings(
            happened=self.recipe.total,
            streamed=self.consumer.seen,
            archive=seen,
            proof=prove(ORG, vault),
            starts=self.functions["CollectFunction"].starts,
            states=self.states,
            slack=self.status(),
            beside=self.beside,
        )


def _every(seconds: float, first: float, last: float) -> Iterator[float]:
    at = first
    while at <= last:
        yield at
        at += seconds


def _state(outcome: Outcome) -> str:
    if outcome.usage is None:
        return "killed"
    if outcome.error is not None:
        return "failed"
    answer = outcome.answer or {}
    return "lease busy" if answer.get("stopped") == "lease_busy" else "done"
