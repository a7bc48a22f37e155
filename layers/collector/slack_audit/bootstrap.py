"""Builds the parts of a run of the collect function: what the other functions need is wired beside this."""

import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from slack_audit import __version__, orders, passes
from slack_audit import check as checks
from slack_audit.adapters.catalog import SlackCatalog
from slack_audit.adapters.clock import LambdaClock
from slack_audit.adapters.dynamodb import DynamoDBCheckpoints
from slack_audit.adapters.kinesis import KinesisSink
from slack_audit.adapters.secrets import SecretToken
from slack_audit.adapters.slack import SlackSource
from slack_audit.backfill import List, Order
from slack_audit.check import Checked, Outside
from slack_audit.collect import Run
from slack_audit.errors import SettingsError, SourceError, TokenRefusedError
from slack_audit.orders import Outcome
from slack_audit.pace import MOST_AHEAD
from slack_audit.parts import Parts, Policy
from slack_audit.publish import CALLS_AT_ONCE
from slack_audit.settings import Settings
from slack_audit.wiring import STORES, archive, client, has_a_log, unknown

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MOST_WARM = 256  # organisations whose connections a warm function keeps

# The stream's failures are the publisher's to count, and must not hold up the archive.
STREAM = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})


@lru_cache(MOST_WARM)
def _token(settings: Settings) -> SecretToken:
    return SecretToken(client("secretsmanager", STORES), settings.token_secret)


@lru_cache(MOST_WARM)
def _source(settings: Settings) -> SlackSource:
    return SlackSource(settings.slack_api_url, settings.org, _token(settings), __version__)


@lru_cache(MOST_WARM)
def _catalog(settings: Settings) -> SlackCatalog:
    return SlackCatalog(settings.slack_api_url, settings.org, __version__)


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
        if has_a_log(settings):
            return
        if isinstance(error, TokenRefusedError):
            raise type(error)(f"{unknown(settings.org)} {error}") from error
        raise


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
            archive=archive(settings),
            checkpoints=DynamoDBCheckpoints(client("dynamodb", STORES), settings.checkpoint_table, settings.org),
            sink=KinesisSink(client("kinesis", STREAM), settings.event_stream),
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
        archive=archive(settings),
        table=DynamoDBCheckpoints(client("dynamodb", STORES), settings.checkpoint_table, settings.org),
        stream=KinesisSink(client("kinesis", STREAM), settings.event_stream),
        clock=LambdaClock(context.get_remaining_time_in_millis),
    )
    return checks.check(settings.org, settings.filters, outside)
