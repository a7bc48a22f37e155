"""Builds the drift watch."""

from typing import TYPE_CHECKING

from slack_audit import __version__
from slack_audit.adapters.catalog import SlackCatalog
from slack_audit.adapters.clock import LambdaClock
from slack_audit.drift import Watch
from slack_audit.settings import DriftSettings
from slack_audit.wiring import archive

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def drift_watch(settings: DriftSettings, context: "LambdaContext") -> Watch:
    """One run of the drift watch."""
    return Watch(
        settings.org,
        settings.filter_names,
        catalog=SlackCatalog(settings.slack_api_url, settings.org, __version__),
        archive=archive(settings),
        clock=LambdaClock(context.get_remaining_time_in_millis),
    )
