"""Builds the parts of a run. The only module that knows every adapter."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from botocore.config import Config

from slack_audit import __version__, fanout, orders, passes, pretraffic, watch
from slack_audit import check as checks
from slack_audit.adapters.catalog import SlackCatalog
from slack_audit.adapters.clock import LambdaClock
from slack_audit.adapters.codedeploy import CodeDeployVerdict
from slack_audit.adapters.dynamodb import DynamoDBCheckpoints, DynamoDBStandpoints
from slack_audit.adapters.functions import CollectVersion
from slack_audit.adapters.kinesis import KinesisSink
from slack_audit.adapters.oauth import SlackOAuth
from slack_audit.adapters.s3 import S3Archive
from slack_audit.adapters.secrets import SecretToken
from slack_audit.adapters.slack import SlackSource
from slack_audit.adapters.starter import LambdaStarter
from slack_audit.adapters.vault_s3 import CLIENT, S3Vault
from slack_audit.adapters.versions import SecretVersions
from slack_audit.backfill import List, Order
from slack_audit.check import Checked, Outside
from slack_audit.collect import Run
from slack_audit.drift import Watch
from slack_audit.errors import SettingsError, SourceError, TokenRefusedError
from slack_audit.log import log_prefix
from slack_audit.orders import Outcome
from slack_audit.pace import MOST_AHEAD
from slack_audit.parts import Parts, Policy
from slack_audit.pretraffic import Hook, Verdict
from slack_audit.publish import CALLS_AT_ONCE
from slack_audit.rotate import Rotation
from slack_audit.settings import (
    DriftSettings,
    OfAnOrg,
    PreTrafficSettings,
    ReplaySettings,
    RotateSettings,
    Settings,
    VerifySettings,
    WatchSettings,
    checked_org,
)
from slack_audit.verify.prove import Proof, prove

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MOST_WARM = 256  # organisations whose connections a warm function keeps
MOST_DAYS = 3_650  # of a check; how many a function has time for, its timeout says

# Every call ends: connecting and each read within these seconds, and so many tries in all.
STORES = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
# Rotation writes again by itself, for as long as there is time.
ROTATION = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})
# The stream's failures are the publisher's to count, and must not hold up the archive.
STREAM = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})

# A check takes as long as its slowest service; it is not asked again by itself, for it may still be under way.
INVOCATION = Config(connect_timeout=3, read_timeout=150, retries={"mode": "standard", "total_max_attempts": 1})


# Clients are of the whole stack; what is of one organisation is kept by its settings.
@cache
def _client(service: str, config: Config) -> Any:
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # any service


@lru_cache(MOST_WARM)
def _token(settings: Settings) -> SecretToken:
    return SecretToken(_client("secretsmanager", STORES), settings.token_secret)


@lru_cache(MOST_WARM)
def _source(settings: Settings) -> SlackSource:
    return SlackSource(settings.slack_api_url, settings.org, _token(settings), __version__)


@lru_cache(MOST_WARM)
def _catalog(settings: Settings | DriftSettings) -> SlackCatalog:
    return SlackCatalog(settings.slack_api_url, settings.org, __version__)


def _archive(settings: Settings | DriftSettings | ReplaySettings | VerifySettings) -> S3Archive:
    return S3Archive(_client("s3", STORES), settings.archive_bucket)


def requested[T: OfAnOrg](event: Any, settings: T) -> T:
    """The settings for the org of the event `{"org": "main"}`, without one for the stack's first.

    Raises SettingsError where the event names none that may be one.
    """
    if not isinstance(event, dict):
        raise SettingsError(f'The event is no object. Send {{"org": "{settings.org}"}}.')
    return settings.of(checked_org(event.get("org", settings.org)))


def is_for_each(event: Any) -> bool:
    """Is it the event `{"orgs": ["main"]}`, for all of them at once?"""
    return isinstance(event, dict) and "orgs" in event


def requested_orgs(event: Any) -> list[str]:
    """The orgs of the event `{"orgs": ["main"]}`, each once. Raises SettingsError."""
    orgs = event.get("orgs") if isinstance(event, dict) else None
    if not isinstance(orgs, list) or not orgs:
        raise SettingsError(f'orgs is {str(orgs)[:80]!r}; it must be a list of names. Send {{"orgs": ["main"]}}.')
    return list(dict.fromkeys(checked_org(org) for org in orgs))


def requested_check(event: Mapping[str, Any]) -> None:
    """Raises SettingsError for anything but the event `{"org": "main", "check": true}`."""
    if event["check"] is not True or "backfill" in event:
        raise SettingsError('A check is asked for by {"org": "main", "check": true}, and by nothing else beside it.')


def check_token(settings: Settings) -> None:
    """Raises SourceError, before anything is written, for an org that has neither a token nor a log: probably its name
    is mistyped. One that has a log goes on: its run publishes what it has, and tells of the token itself."""
    if settings.is_first:
        return
    try:
        _token(settings)()
    except SourceError as error:
        if _has_a_log(settings):
            return
        if isinstance(error, TokenRefusedError):
            raise type(error)(f"{_unknown(settings.org)} {error}") from error
        raise


def check_log(settings: DriftSettings | ReplaySettings | VerifySettings) -> None:
    """Raises SettingsError, before anything is written, for an org that was never collected."""
    if not settings.is_first and not _has_a_log(settings):
        raise SettingsError(_unknown(settings.org))


def _has_a_log(settings: Settings | DriftSettings | ReplaySettings | VerifySettings) -> bool:
    return bool(_archive(settings).keys(log_prefix(settings.org), after="", most=1))


def _unknown(org: str) -> str:
    return (
        f"Org {org!r} was never collected by this stack. If the name is mistyped, send the right one: the stack's "
        "organisations are its parameters Org and Orgs. If it is new, its token must be put, and its first run follows."
    )


def start_each(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Starts the function that asks this once for each org of `{"orgs": ["main"]}`, by the alias it was started by."""
    asked = {name: value for name, value in event.items() if name not in {"org", "orgs"}}
    starter = LambdaStarter(_client("lambda", STORES), context.invoked_function_arn)
    clock = LambdaClock(context.get_remaining_time_in_millis)
    return {"started": fanout.start_each(requested_orgs(event), asked, starter, clock)}


def lags(settings: Settings) -> dict[str, int]:
    """Seconds behind Slack's clock, by the kind of a pass: of those that are not switched off."""
    return passes.lags(
        live_seconds=settings.live_lag_seconds,
        late_minutes=settings.late_pass_minutes,
        final_hours=settings.final_pass_hours,
    )


def policy(settings: Settings) -> Policy:
    """What a deployment's settings mean for a run."""
    return Policy(
        org=settings.org,
        filters=settings.filters,
        lags=lags(settings),
        lookback_hours=settings.initial_lookback_hours,
        calls_per_minute=settings.slack_calls_per_minute,
        version=__version__,
    )


@contextmanager
def parts(settings: Settings, context: "LambdaContext") -> Iterator[Parts]:
    """The outside world of one run, with the threads that read ahead and send. Clients and the cached token stay for
    others."""
    reading = ThreadPoolExecutor(max_workers=MOST_AHEAD, thread_name_prefix="read-ahead")
    sending = ThreadPoolExecutor(max_workers=CALLS_AT_ONCE, thread_name_prefix="send")
    try:
        yield Parts(
            owner=uuid.uuid4().hex,
            source=_source(settings),
            archive=_archive(settings),
            checkpoints=DynamoDBCheckpoints(_client("dynamodb", STORES), settings.checkpoint_table, settings.org),
            sink=KinesisSink(_client("kinesis", STREAM), settings.event_stream),
            clock=LambdaClock(context.get_remaining_time_in_millis),
            ahead=reading.submit,
            sending=sending.submit,
            catalog=_catalog(settings),
        )
    finally:
        for pool in (reading, sending):
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def run(settings: Settings, context: "LambdaContext") -> Iterator[Run]:
    """One run."""
    with parts(settings, context) as outside:
        yield Run(outside, policy(settings))


def carry_out(order: Order | List, settings: Settings, context: "LambdaContext") -> Outcome:
    """Does what a person wants done to the backfills. Raises CollectorError."""
    check_token(settings)
    with parts(settings, context) as outside:
        return orders.carry_out(order, outside, policy(settings))


def check(settings: Settings, context: "LambdaContext") -> Checked:
    """What is wrong that would keep this deployment from collecting. Collects nothing."""
    outside = Outside(
        token=_token(settings),
        source=_source(settings),
        archive=_archive(settings),
        table=DynamoDBCheckpoints(_client("dynamodb", STORES), settings.checkpoint_table, settings.org),
        stream=KinesisSink(_client("kinesis", STREAM), settings.event_stream),
        clock=LambdaClock(context.get_remaining_time_in_millis),
    )
    return checks.check(settings.org, settings.filters, outside)


def drift_watch(settings: DriftSettings, context: "LambdaContext") -> Watch:
    """One run of the drift watch."""
    return Watch(
        settings.org,
        settings.filter_names,
        catalog=_catalog(settings),
        archive=_archive(settings),
        clock=LambdaClock(context.get_remaining_time_in_millis),
    )


def hook_of(event: Any) -> Hook:
    """What CodeDeploy asks with `{"DeploymentId": …, "LifecycleEventHookExecutionId": …}`. Raises SettingsError."""
    try:
        return msgspec.convert(event, type=Hook)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The event is none of CodeDeploy's ({error}). Only CodeDeploy invokes this.") from None


def check_new_version(settings: PreTrafficSettings, context: "LambdaContext") -> Checked:
    """What the new version sees. Raises CheckError."""
    version = CollectVersion(boto3.client("lambda", config=INVOCATION), settings.new_version)
    return pretraffic.ask(version, settings.org, LambdaClock(context.get_remaining_time_in_millis))


def verdict(hook: Hook) -> Verdict:
    """Where to tell what came of it."""
    return CodeDeployVerdict(boto3.client("codedeploy", config=STORES), hook)


def requested_days(event: Any) -> int:
    """The days of the event `{"org": "main", "days": 2}`; raises SettingsError for anything but a small number."""
    days = event.get("days") if isinstance(event, dict) else None
    if type(days) is not int or not 1 <= days <= MOST_DAYS:
        raise SettingsError(f'days is {days!r}; it must be 1 to {MOST_DAYS}. Send {{"org": "main", "days": 2}}.')
    return days


def verify(settings: VerifySettings, days: int) -> Proof:
    """Verifies what was written to the log in the last days. Raises StorageError where it cannot be read, and
    SettingsError for an org that was never collected."""
    check_log(settings)
    vault = S3Vault(_client("s3", CLIENT), settings.archive_bucket)
    return prove(settings.org, vault, since=datetime.now(UTC) - timedelta(days=days))


def rotate(event: Any, settings: RotateSettings, context: "LambdaContext") -> tuple[str, str]:
    """Does the step that Secrets Manager asks for: its name, and what was done. Raises CollectorError."""
    secret, version, step = (_asked(event, name) for name in ("SecretId", "ClientRequestToken", "Step"))
    rotation = Rotation(
        secret,
        SecretVersions(boto3.client("secretsmanager", config=ROTATION), secret),
        SlackOAuth(settings.slack_oauth_url, __version__),
        lambda token: SlackSource(settings.slack_api_url, secret, lambda _fresh: token, __version__),
        LambdaClock(context.get_remaining_time_in_millis),
    )
    steps: dict[str, Callable[[str], str]] = {
        "createSecret": rotation.create,
        "setSecret": lambda _version: "nothing to do",
        "testSecret": rotation.test,
        "finishSecret": rotation.finish,
    }
    if step not in steps:
        raise SettingsError(f"Step is {step!r}; it must be one of {', '.join(steps)}. Secrets Manager sends it.")
    return step, steps[step](version)


def _asked(event: Any, name: str) -> str:
    """A text of Secrets Manager's event."""
    value = event.get(name) if isinstance(event, dict) else None
    if not isinstance(value, str) or not value:
        raise SettingsError(
            f"The event has no {name}. This function is called by Secrets Manager; to rotate by hand: "
            "aws secretsmanager rotate-secret --secret-id ..."
        )
    return value


def standings(settings: WatchSettings, event: Mapping[str, Any]) -> list[watch.Standing]:
    """Where each org of `{"orgs": ["main"]}` stands. Raises StorageError where a checkpoint cannot be read."""
    table = DynamoDBStandpoints(_client("dynamodb", STORES), settings.checkpoint_table)
    return watch.standings(requested_orgs(event), table, datetime.now(UTC).timestamp())
