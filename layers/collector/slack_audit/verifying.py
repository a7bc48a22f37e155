"""Builds the daily check of the archive."""

from datetime import UTC, datetime, timedelta
from typing import Any

from slack_audit.adapters.vault_s3 import CLIENT, S3Vault
from slack_audit.errors import SettingsError
from slack_audit.settings import VerifySettings
from slack_audit.verify.prove import Proof, prove
from slack_audit.wiring import check_log, client

MOST_DAYS = 3_650  # of a check; how many a function has time for, its timeout says


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
    vault = S3Vault(client("s3", CLIENT), settings.archive_bucket)
    return prove(settings.org, vault, since=datetime.now(UTC) - timedelta(days=days))
