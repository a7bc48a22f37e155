"""What the wiring of several functions has in common: clients of AWS, and what an event asks for."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from slack_audit import fanout
from slack_audit.adapters import aws
from slack_audit.adapters.clock import LambdaClock
from slack_audit.adapters.s3 import S3Archive
from slack_audit.adapters.starter import LambdaStarter
from slack_audit.errors import SettingsError
from slack_audit.log import log_prefix
from slack_audit.settings import DriftSettings, OfAnOrg, ReplaySettings, Settings, VerifySettings, checked_org

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Every call ends: connecting and each read within these seconds, and so many tries in all.
STORES = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


# Clients are of the whole stack; what is of one organisation is kept by its settings.
@cache
def client(service: str, config: Config) -> Any:
    """One for all runs of a warm function."""
    return aws.client(service, config)


def archive(settings: Settings | DriftSettings | ReplaySettings | VerifySettings) -> S3Archive:
    """The stack's."""
    return S3Archive(client("s3", STORES), settings.archive_bucket)


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


def check_log(settings: DriftSettings | ReplaySettings | VerifySettings) -> None:
    """Raises SettingsError, before anything is written, for an org that was never collected."""
    if not settings.is_first and not has_a_log(settings):
        raise SettingsError(unknown(settings.org))


def has_a_log(settings: Settings | DriftSettings | ReplaySettings | VerifySettings) -> bool:
    """Was anything ever collected of its organisation?"""
    return bool(archive(settings).keys(log_prefix(settings.org), after="", most=1))


def unknown(org: str) -> str:
    """What to say of an organisation that was never collected."""
    return (
        f"Org {org!r} was never collected by this stack. If the name is mistyped, send the right one: the stack's "
        "organisations are its parameters Org and Orgs. If it is new, its token must be put, and its first run follows."
    )


def start_each(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Starts the function that asks this once for each org of `{"orgs": ["main"]}`, by the alias it was started by."""
    asked = {name: value for name, value in event.items() if name not in {"org", "orgs"}}
    starter = LambdaStarter(client("lambda", STORES), context.invoked_function_arn)
    clock = LambdaClock(context.get_remaining_time_in_millis)
    return {"started": fanout.start_each(requested_orgs(event), asked, starter, clock)}
