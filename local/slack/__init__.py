"""A stand-in for Slack's Audit Logs API, for development, demonstrations and tests. See docs/slack-stand-in.md."""

from local.slack.faults import Fault
from local.slack.settings import DEFAULT_TOKEN, Settings
from local.slack.standin import StandIn

__all__ = ["DEFAULT_TOKEN", "Fault", "Settings", "StandIn"]
