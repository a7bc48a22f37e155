"""The environment, read once and typed. Every name is a parameter of template.yaml or made by it."""

import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import msgspec

from slack_audit.errors import SettingsError
from slack_audit.log import Filters

ORG = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class OfAnOrg(msgspec.Struct, frozen=True, kw_only=True):
    """For one of the stack's organisations: its first one, which is always there, or another one that was asked for."""

    org: str
    is_first: bool = True

    def of(self, org: str) -> Self:
        """The same for another organisation of the stack."""
        return self if org == self.org else msgspec.structs.replace(self, org=org, is_first=False)


class Settings(OfAnOrg, frozen=True, kw_only=True):
    """What a deployment says. Times are in the unit that the name says. `slack_token_secrets` is what the names of the
    secrets of all organisations but the first begin with."""

    slack_api_url: str
    slack_token_secret: str
    slack_token_secrets: str
    archive_bucket: str
    event_stream: str
    checkpoint_table: str
    initial_lookback_hours: int
    live_lag_seconds: int
    late_pass_minutes: int
    final_pass_hours: int
    slack_calls_per_minute: int
    filters: Filters

    @property
    def token_secret(self) -> str:
        """The ARN or the name of the organisation's secret."""
        return self.slack_token_secret if self.is_first else f"{self.slack_token_secrets}{self.org}"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads the environment; raises SettingsError that names what is wrong and where to mend it."""
        return cls(
            org=_org(env),
            slack_api_url=slack_api_url(_required(env, "SLACK_API_URL")),
            slack_token_secret=_required(env, "SLACK_TOKEN_SECRET_ARN"),
            slack_token_secrets=_required(env, "SLACK_TOKEN_SECRETS"),
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            event_stream=_required(env, "EVENT_STREAM"),
            checkpoint_table=_required(env, "CHECKPOINT_TABLE"),
            initial_lookback_hours=_number(env, "INITIAL_LOOKBACK_HOURS", least=0),
            live_lag_seconds=_number(env, "LIVE_LAG_SECONDS", least=0),
            late_pass_minutes=_number(env, "LATE_PASS_MINUTES", least=0),
            final_pass_hours=_number(env, "FINAL_PASS_HOURS", least=0),
            slack_calls_per_minute=_number(env, "SLACK_CALLS_PER_MINUTE", least=1),
            filters=Filters(_actions(env), env.get("ACTOR_FILTER", "").strip(), env.get("ENTITY_FILTER", "").strip()),
        )


class VerifySettings(OfAnOrg, frozen=True, kw_only=True):
    """What a deployment says to the daily check. It gets neither the token nor the stream nor the table."""

    archive_bucket: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "VerifySettings":
        """Reads the environment; raises SettingsError that names what is wrong and where to mend it."""
        return cls(org=_org(env), archive_bucket=_required(env, "ARCHIVE_BUCKET"))


class ReplaySettings(OfAnOrg, frozen=True, kw_only=True):
    """What a deployment says to a replay. The live stream is there to be told from other targets."""

    archive_bucket: str
    event_stream: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ReplaySettings":
        """Reads the environment; raises SettingsError that names what is wrong and where to mend it."""
        return cls(
            org=_org(env),
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            event_stream=_required(env, "EVENT_STREAM"),
        )


class PreTrafficSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment says to the check before traffic. It may only ask the new version."""

    org: str
    new_version: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "PreTrafficSettings":
        """Reads the environment; raises SettingsError that names what is wrong and where to mend it."""
        return cls(org=_org(env), new_version=_required(env, "NEW_VERSION"))


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment says to the watch over all organisations."""

    checkpoint_table: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "WatchSettings":
        """Reads the environment; raises SettingsError that names what is missing."""
        return cls(checkpoint_table=_required(env, "CHECKPOINT_TABLE"))


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise SettingsError(f"The environment variable {name} is missing. Deploy the stack's template, which sets it.")
    return value


def _org(env: Mapping[str, str]) -> str:
    return checked_org(_required(env, "ORG"))


def checked_org(name: object) -> str:
    """The name, if an organisation may have it: it becomes a part of keys. Raises SettingsError."""
    if not isinstance(name, str) or not re.fullmatch(ORG, name):
        raise SettingsError(
            f"Org {str(name)[:80]!r} is not allowed: letters, digits, - and _, at most 63, none of these first."
        )
    return name


def _number(env: Mapping[str, str], name: str, *, least: int) -> int:
    value = _required(env, name)
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < least:
        raise SettingsError(f"{name} is {value!r}; it must be a whole number of at least {least}.")
    return int(value)


def slack_api_url(value: str) -> str:
    """The base of the Audit Logs API with its path; raises SettingsError for one that the token may not go to."""
    return _url(value, "SlackApiUrl", "https://api.slack.com/audit/v1").rstrip("/")


def _url(value: str, name: str, example: str) -> str:
    """An address with its path. Plain http would show the token to the network: on loopback only."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    plain_is_safe = parts.scheme == "http" and host in LOOPBACK
    is_clean = re.fullmatch(r"[!-~]+", value) and not re.search(r"[@?#]", value)
    if not host or not is_clean or not (parts.scheme == "https" or plain_is_safe):
        raise SettingsError(
            f"{name} {value!r} is not allowed: an https address with its path, such as {example}, without user, query "
            "and fragment; plain http only to loopback."
        )
    return value


def _actions(env: Mapping[str, str]) -> str:
    """Each name once: one that stood in two calls would bring its events twice."""
    names = [name.strip() for name in env.get("ACTION_FILTER", "").split(",")]
    return ",".join(dict.fromkeys(filter(None, names)))


class DriftSettings(OfAnOrg, frozen=True, kw_only=True):
    """What a deployment says to the drift watch. It gets neither the token nor the stream nor the table."""

    slack_api_url: str
    archive_bucket: str
    filter_names: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "DriftSettings":
        """Reads the environment; raises SettingsError that names what is wrong and where to mend it."""
        return cls(
            org=_org(env),
            slack_api_url=slack_api_url(_required(env, "SLACK_API_URL")),
            archive_bucket=_required(env, "ARCHIVE_BUCKET"),
            filter_names=tuple(filter(None, _actions(env).split(","))),
        )


class RotateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment says to the rotation of tokens. Which secret, the event says, and the role allows."""

    slack_api_url: str
    slack_oauth_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "RotateSettings":
        """Reads the environment; raises SettingsError that names what is wrong and where to mend it."""
        oauth = _url(_required(env, "SLACK_OAUTH_URL"), "SlackOauthUrl", "https://slack.com/api/oauth.v2.access")
        return cls(slack_api_url=slack_api_url(_required(env, "SLACK_API_URL")), slack_oauth_url=oauth)
