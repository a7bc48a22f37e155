"""slack-audit replay."""

import json as encoder
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from slack_audit.replay_plan import CONCURRENCY, MOST_CONCURRENCY
from slack_audit.selection import Selection
from slack_audit_cli import asked, options
from slack_audit_cli.codes import NOT_DONE, WELL, WRONG
from slack_audit_cli.deployed import deployed
from slack_audit_cli.opened import Account, progress, told_what_to_do
from slack_audit_cli.plain import on_one_line
from slack_audit_cli.replays import Outcome, Replays, show

INTERRUPTED = 130
MACHINE = "ReplayStateMachineArn"
FAILED = "The replay could not be started or followed."

ToStream = Annotated[str | None, typer.Option(metavar="NAME", help="A Kinesis stream, by its name or ARN.")]
ToBucket = Annotated[
    str | None, typer.Option(metavar="S3", help="A prefix of a bucket, as s3://investigations/case-17/.")
]
ToQueue = Annotated[str | None, typer.Option(metavar="URL", help="A standard SQS queue.")]
Live = Annotated[
    str | None,
    typer.Option("--into-the-live-stream", metavar="NAME", help="The stack's own stream, said a second time."),
]
Concurrency = Annotated[
    int, typer.Option(metavar="N", min=1, max=MOST_CONCURRENCY, help="Items at once; twice the shards of a stream.")
]
Name = Annotated[str | None, typer.Option(metavar="ID", help="The replay's id; made up if not given.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start it, print its ARN, and do not wait.")]
Follow = Annotated[str | None, typer.Option(metavar="ARN", help="Watch a replay that was started before.")]
Redrive = Annotated[str | None, typer.Option(metavar="ARN", help="Resume a replay that failed, and watch it.")]


@options.chooses
def replay(
    stack: options.Stack = None,
    org: options.Org = "main",
    which: options.Which = options.ALL,
    to_stream: ToStream = None,
    to_bucket: ToBucket = None,
    to_queue: ToQueue = None,
    into_the_live_stream: Live = None,
    concurrency: Concurrency = CONCURRENCY,
    name: Name = None,
    detach: Detach = False,
    follow: Follow = None,
    redrive: Redrive = None,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Sends archived events once more, to another stream, a bucket or a queue, and compares with the log.

    Ends with 0 if all of it arrived, 1 if the replay failed (--redrive goes on with it), 2 if it was asked wrongly or
    could not be started or followed. Ctrl-C stops watching, not the replay.
    """
    account = Account(region, profile, endpoint_url)
    if (stack is not None) + (follow is not None) + (redrive is not None) != 1:
        raise typer.BadParameter("name one of the three", param_hint="--stack, --follow or --redrive")
    with told_what_to_do(FAILED):
        replays = Replays(account.client("stepfunctions"))
        if stack is not None:
            wanted = asked.selection(which, datetime.now(UTC))
            target = _target(to_stream, to_bucket, to_queue)
            request = _request(org, wanted, target, concurrency, into_the_live_stream)
            running = replays.start(deployed(account, stack).output(MACHINE), name or _made_up(), request)
        else:
            running = follow or redrive or ""
        if redrive is not None:
            replays.resume(redrive)
        if detach:
            print(running)
            raise typer.Exit(WELL)
        typer.echo(running, err=True)
        outcome = _watched(replays, running)
    _end(outcome, running, json=json)


def _request(org: str, wanted: Selection, target: dict[str, Any], concurrency: int, live: str | None) -> dict[str, Any]:
    """As the state machine takes it: docs/replay.md."""
    request = {
        "org": asked.typed("--org", asked.org, org),
        "selection": msgspec.to_builtins(wanted),
        "target": target,
        "concurrency": concurrency,
    }
    return request | ({"into_the_live_stream": live} if live is not None else {})


def _made_up() -> str:
    return f"replay-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def _target(stream: str | None, bucket: str | None, queue: str | None) -> dict[str, Any]:
    """The one that was named; raises typer.BadParameter."""
    if (stream is not None) + (bucket is not None) + (queue is not None) != 1:
        raise typer.BadParameter("name one of the three", param_hint="--to-stream, --to-bucket or --to-queue")
    if bucket is None:
        return {"stream": stream} if stream is not None else {"queue": queue}
    place, _, prefix = bucket.removeprefix("s3://").partition("/")
    if not bucket.startswith("s3://") or not place:
        raise typer.BadParameter(f"{bucket!r} is none: say s3://bucket/prefix/", param_hint="--to-bucket")
    return {"bucket": place, "prefix": f"{prefix.rstrip('/')}/" if prefix else ""}


def _watched(replays: Replays, execution: str) -> Outcome:
    try:
        with progress("items") as tell:
            return replays.follow(execution, tell)
    except KeyboardInterrupt:
        typer.echo(f"The replay goes on. To watch it again: slack-audit replay --follow {execution}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _end(outcome: Outcome, execution: str, *, json: bool) -> None:
    """Prints what came of it, and ends with what it means."""
    if outcome.report is not None:
        if json:
            print(encoder.dumps(outcome.report, indent=2))
        else:
            show(outcome.report, Console())
        raise typer.Exit(WELL if outcome.report["clean"] else WRONG)
    said = f"The replay ended as {outcome.status}. {on_one_line(outcome.error)}: {on_one_line(outcome.reason)}"
    if outcome.asked_wrongly:
        typer.echo(said, err=True)
        raise typer.Exit(NOT_DONE)
    typer.echo(f"{said}\nWhen that is mended: slack-audit replay --redrive {execution}", err=True)
    raise typer.Exit(WRONG)
