"""Builds the watch over all organisations."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slack_audit import watch
from slack_audit.adapters.dynamodb import DynamoDBStandpoints
from slack_audit.settings import WatchSettings
from slack_audit.wiring import STORES, client, requested_orgs


def standings(settings: WatchSettings, event: Mapping[str, Any]) -> list[watch.Standing]:
    """Where each org of `{"orgs": ["main"]}` stands. Raises StorageError where a checkpoint cannot be read."""
    table = DynamoDBStandpoints(client("dynamodb", STORES), settings.checkpoint_table)
    return watch.standings(requested_orgs(event), table, datetime.now(UTC).timestamp())
