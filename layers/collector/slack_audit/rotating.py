"""Builds a step of a rotation of tokens."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from slack_audit import __version__
from slack_audit.adapters import aws
from slack_audit.adapters.clock import LambdaClock
from slack_audit.adapters.oauth import SlackOAuth
from slack_audit.adapters.slack import SlackSource
from slack_audit.adapters.versions import SecretVersions
from slack_audit.errors import SettingsError
from slack_audit.rotate import Rotation
from slack_audit.settings import RotateSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Rotation writes again by itself, for as long as there is time.
ROTATION = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})


def rotate(event: Any, settings: RotateSettings, context: "LambdaContext") -> tuple[str, str]:
    """Does the step that Secrets Manager asks for: its name, and what was done. Raises CollectorError."""
    secret, version, step = (_asked(event, name) for name in ("SecretId", "ClientRequestToken", "Step"))
    rotation = Rotation(
        secret,
        SecretVersions(aws.client("secretsmanager", ROTATION), secret),
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
