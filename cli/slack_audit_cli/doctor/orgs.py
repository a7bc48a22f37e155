"""One organisation of a stack: what its function sees, how far it is, and whether its archive is proven."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.adapters.functions import CollectVersion
from slack_audit.check import Finding, Outcome
from slack_audit.errors import CheckBusyError, CheckError
from slack_audit_cli.doctor.looks import Account, looked, meaning
from slack_audit_cli.doctor.resources import ALIAS, last_verified
from slack_audit_cli.doctor.stack import Stack
from slack_audit_cli.proofs import span

OVERDUE = 900  # seconds behind Slack: more than a few runs were missed
BACKLOG = 10  # log entries that are not in the stream: more than a run has under way
VERIFIED_WITHIN = 2 * 86_400  # seconds: the check comes once a day
_plain = TypeDeserializer().deserialize


class Lately(msgspec.Struct, frozen=True):
    """What the daily check said of each org; or why that is not known."""

    results: dict[str, dict[str, Any]]
    unknown: Finding | None = None


def lately(account: Account, stack: Stack) -> Lately:
    """What the daily check said of every org, read once."""
    group = stack.named("VerifyLogs")
    if group is None:
        return Lately(
            {}, Finding("verified", Outcome.UNKNOWN, "The stack has no log group VerifyLogs.", "Deploy again.")
        )
    try:
        return Lately(last_verified(account, group, int((time.time() - VERIFIED_WITHIN) * 1_000)))
    except (ClientError, BotoCoreError) as error:
        return Lately({}, meaning("verified", error))


def looked_at(account: Account, stack: Stack, org: str, verified: Lately, *, paused: bool) -> Iterator[Finding]:
    """Everything about one org."""
    yield from _check(account, stack.function, org)
    yield from looked("checkpoint", _checkpoint(account, stack.outputs["CheckpointTableName"], org, paused=paused))
    yield verified.unknown or _verified(stack, org, verified.results.get(org))


def _check(account: Account, function: str, org: str) -> list[Finding]:
    """What the function's own role sees: only that counts."""
    try:
        return CollectVersion(account.client("lambda"), f"{function}:{ALIAS}").check(org).findings
    except CheckBusyError as error:
        return [Finding("check", Outcome.UNKNOWN, str(error), "Runs are under way: look again in a minute.")]
    except CheckError as error:
        if isinstance(error.__cause__, ClientError | BotoCoreError):
            return [meaning("check", error.__cause__)]
        return [Finding("check", Outcome.FAILED, str(error))]


def _checkpoint(account: Account, table: str, org: str, *, paused: bool) -> Iterator[Finding]:
    reply = account.client("dynamodb").get_item(TableName=table, Key={"org": {"S": org}}, ConsistentRead=True)
    item = {name: _plain(value) for name, value in reply.get("Item", {}).items()}
    now = int(time.time())
    live = item.get("passes", {}).get("live")
    if item:
        yield _lease(item, now)
    if live is None:
        yield Finding("lag", Outcome.WARNING, "No run has read anything yet.", "Put the token, and wait a minute.")
        return
    yield _lag(now + int(item.get("clock") or 0) - int(live["watermark"]), paused=paused)
    yield _backlog(int(item["next"]) - int(item["published"]))


def _lease(item: dict[str, Any], now: int) -> Finding:
    if "owner" not in item:
        return Finding("lease", Outcome.OK, "The lease is free: no run is under way.")
    until = int(item["lease_until"])
    when = f"{datetime.fromtimestamp(until, UTC):%H:%M:%S} UTC"
    if until >= now:
        return Finding("lease", Outcome.OK, f"A run is under way, and holds the lease until {when} at most.")
    return Finding(
        "lease", Outcome.OK, f"The last run died and left its lease, which ended at {when}; the next takes it."
    )


def _lag(lag: int, *, paused: bool) -> Finding:
    said = f"Everything up to {span(max(0, lag))} ago is archived."
    if lag < OVERDUE:
        return Finding("lag", Outcome.OK, said)
    if paused:
        return Finding("lag", Outcome.WARNING, said, "The collection is paused; it goes on where it stopped.")
    advice = "Runs fail, or catch up after an outage. The last line of the function's log says which."
    return Finding("lag", Outcome.FAILED, said, advice)


def _backlog(entries: int) -> Finding:
    if entries <= BACKLOG:
        return Finding("backlog", Outcome.OK, "What is archived is in the stream.")
    said = f"{entries:,} entries of the log are not in the stream yet."
    advice = "They go out by themselves, in order. If it does not shrink: see the finding on the stream, add shards."
    return Finding("backlog", Outcome.WARNING, said, advice)


def _verified(stack: Stack, org: str, said: dict[str, Any] | None) -> Finding:
    if said is None:
        function = stack.outputs.get("VerifyFunctionName", "")
        advice = f'It comes at 03:20 UTC. Now: invoke {function} with {{"org": "{org}", "days": 2}}.'
        return Finding("verified", Outcome.WARNING, "The archive was not verified in the last two days.", advice)
    when = f"{datetime.fromtimestamp(said['at'] / 1_000, UTC):%Y-%m-%d %H:%M} UTC"
    if said["proven"]:
        what = f"The archive was proven at {when}: {said['events']:,} events up to entry {said['last']}."
        return Finding("verified", Outcome.OK, what)
    advice = f"The lines 'finding' in {stack.named('VerifyLogs')} say what, and what to do: see docs/verify.md."
    return Finding(
        "verified", Outcome.FAILED, f"The archive was not proven at {when}: {said['faults']} findings.", advice
    )
