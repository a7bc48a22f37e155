"""Builds the check before a new version takes over."""

from typing import TYPE_CHECKING, Any

import msgspec
from botocore.config import Config

from slack_audit import pretraffic
from slack_audit.adapters import aws
from slack_audit.adapters.clock import LambdaClock
from slack_audit.adapters.codedeploy import CodeDeployVerdict
from slack_audit.adapters.functions import CollectVersion
from slack_audit.check import Checked
from slack_audit.errors import SettingsError
from slack_audit.pretraffic import Hook, Verdict
from slack_audit.settings import PreTrafficSettings
from slack_audit.wiring import STORES

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# A check takes as long as its slowest service; it is not asked again by itself, for it may still be under way.
INVOCATION = Config(connect_timeout=3, read_timeout=150, retries={"mode": "standard", "total_max_attempts": 1})


def hook_of(event: Any) -> Hook:
    """What CodeDeploy asks with `{"DeploymentId": …, "LifecycleEventHookExecutionId": …}`. Raises SettingsError."""
    try:
        return msgspec.convert(event, type=Hook)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The event is none of CodeDeploy's ({error}). Only CodeDeploy invokes this.") from None


def check_new_version(settings: PreTrafficSettings, context: "LambdaContext") -> Checked:
    """What the new version sees. Raises CheckError."""
    version = CollectVersion(aws.client("lambda", INVOCATION), settings.new_version)
    return pretraffic.ask(version, settings.org, LambdaClock(context.get_remaining_time_in_millis))


def verdict(hook: Hook) -> Verdict:
    """Where to tell what came of it."""
    return CodeDeployVerdict(aws.client("codedeploy", STORES), hook)
