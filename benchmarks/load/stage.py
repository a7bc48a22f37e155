"""The processes of a simulation: the embedded AWS, the stand-in for Slack, and the template's functions."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.load import slack
from benchmarks.load.clock import SharedClock
from benchmarks.load.function import Code, Function
from benchmarks.load.plan import START, Plan
from benchmarks.load.proof import Consumer, Seen
from benchmarks.load.recipe import Recipe
from benchmarks.load.record import Rows
from benchmarks.load.simulation import BUCKET, SLACK_IS_AHEAD, TABLE, Simulation
from benchmarks.template import Filled
from local.aws import EmbeddedAws
from local.slack.settings import DEFAULT_TOKEN, Settings

STACK, STREAM, SECRET = "load", "events", "token"
FUNCTIONS = {"CollectFunction", "DriftFunction", "VerifyFunction", "WatchFunction"}
ODDITIES: dict[str, Any] = {
    "last_page": "rotate",
    "short_pages": 0.01,
    "dangling_cursors": 0.005,
    "duplicates": 0.0005,
}


@contextmanager
def running(plan: Plan, folder: Path) -> Iterator[Simulation]:
    """Starts everything, and ends it. The folder gets what the functions write, and `rows.ndjson`."""
    with ExitStack() as stack:
        clock = SharedClock.made(folder / "clock", START)
        aws = stack.enter_context(EmbeddedAws())
        base = stack.enter_context(_slack(plan, folder / "clock"))
        recipe = Recipe(plan)
        consumer = Consumer(aws.client("kinesis"), STREAM, plan.shards, Seen(recipe))
        secret = _make_stores(aws, consumer)
        functions = {it.name: Function(it, folder / "clock") for it in _codes(plan, aws, base, secret, folder)}
        for function in functions.values():
            stack.callback(function.stop)
        rows = Rows(stack.enter_context((folder / "rows.ndjson").open("w")))
        yield Simulation(plan, clock, aws, base, functions, consumer, rows, recipe)


@contextmanager
def _slack(plan: Plan, clock: Path) -> Iterator[str]:
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    settings = Settings(seed=plan.seed, clock_offset=SLACK_IS_AHEAD, **ODDITIES)
    process = spawn.Process(target=slack.serve, args=(plan, settings, clock, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.close()
        process.join()


def _make_stores(aws: EmbeddedAws, consumer: Consumer) -> str:
    aws.client("s3").create_bucket(Bucket=BUCKET)
    aws.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "org", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "org", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    consumer.make()
    token = json.dumps({"token": DEFAULT_TOKEN})
    return aws.client("secretsmanager").create_secret(Name=SECRET, SecretString=token)["ARN"]


def _codes(plan: Plan, aws: EmbeddedAws, slack_base: str, secret: str, folder: Path) -> Iterator[Code]:
    """The functions that the template schedules, with their environments."""
    names = {
        "AWS::StackName": STACK,
        "SlackApiUrl": f"{slack_base}/audit/v1",
        "InitialLookbackHours": "1",
        "StreamShards": str(plan.shards),
        "SlackTokenSecret": secret,
        "SlackTokenSecret.Id": secret,
        "ArchiveBucket": BUCKET,
        "EventStream": STREAM,
        "CheckpointTable": TABLE,
    }
    filled = Filled(names)
    for name in FUNCTIONS & set(filled.of_type("AWS::Serverless::Function")):
        written = filled.properties(name)
        package = written["CodeUri"].rpartition("/")[2]
        environment = {**aws.environment(), **filled.environment(name)}
        output = folder / f"{package}.log"
        handler = f"{package}.{written['Handler']}"
        yield Code(name, handler, written["Timeout"], written["MemorySize"], environment, plan.shards, output)
