"""An archive whose answers are known: events that each query must find, and some that look like them."""

from collections.abc import Iterator
from typing import Any

from slack_audit.selection import Selection
from slack_audit_cli.sql.source import Source
from slack_audit_cli.sql.store import Store
from tests.builders import DAY_START, raw_event
from tests.fakes import World
from tests.verify.archives import Forge, Memory, pack

DAY = 86_400
ADA = {"type": "user", "user": {"id": "W0001", "name": "Ada Example", "email": "ada@example.com", "team": "E1"}}
BEN = {"type": "user", "user": {"id": "W0002", "name": "Ben Example", "email": "ben@example.org", "team": "E1"}}

# By query: what it must find. Each a name of an action, or a whole event without id and second.
FOUND: dict[str, list[Any]] = {
    "exports": [
        "manual_export_started",
        "audit_logs_export_csv_started",
        "export_private_channel_analytics_created",
        "corporate_exports_approved",
    ],
    "owners_and_roles": ["owner_transferred", "role_change_to_admin", "permissions_assigned"],
    "apps": ["app_installed", "app_scopes_expanded", "org_app_installed"],
    "public_links": ["file_public_link_created", "pref.disallow_public_file_urls"],
    "shared_channels": ["external_shared_channel_invite_sent", "connect_dm_invite_accepted", "slack_connect_pref_set"],
    "dlp_and_anomalies": ["native_dlp_rule_action_applied", "file_malicious_content_detected"],
    "tokens_and_sessions": ["user_session_reset_by_admin", "user_passkey_created", "seamless_auth_user_token_revoked"],
    "mcp_and_ai": [
        "mcp_slack_send_message_tool_called",
        "slack_ai_summary_requested",
        "app_flows_execute_slack_action",
    ],
    "failed_logins": ["user_login_failed", "user_logout_non_compliant_mobile_app_version"],
}
NEAR_MISSES = [
    "user_logout",
    "exported",
    "role_change_to_owner_requested",
    "app_approved_by_nobody",
    "file_shared",
    "public_channel_created",
    "native_dlpx",
    "user_session_begun",
    "mail_read",
    "amcp",
    "emailed_ai",
]
LOGINS: list[dict[str, Any]] = [
    {"actor": ADA, "context": {"ip_address": "192.0.2.7"}},
    {"actor": ADA, "context": {"ip_address": "192.0.2.7"}},
    {"actor": BEN, "context": {"ip_address": "2001:db8:1::7"}, "action": "cli_login"},
    {"actor": BEN, "context": {"ip_address": "redacted"}},
    {
        "action": "anomaly",
        "actor": ADA,
        "context": {"ip_address": "192.0.2.7"},
        "details": {"reason": ["asn"], "ip_address_details": ["new-asn"], "previous_ip_address": "198.51.100.4"},
    },
    {"action": "anomaly", "actor": BEN, "context": {"ip_address": "203.0.113.9"}, "details": {"reason": ["tor"]}},
]
LATE = DAY_START + 5_000  # when what Slack showed late had happened
LATE_ARCHIVED = "2026-01-01T02:00:00+00:00"


def written() -> Iterator[bytes]:
    """All of them, a second apart."""
    said = [it for events in FOUND.values() for it in events] + NEAR_MISSES
    events = [{"action": it, "actor": ADA} for it in said] + LOGINS
    for at, event in enumerate(events):
        yield raw_event(DAY_START + at, "known", **event)


def archive() -> dict[str, bytes]:
    """Them in two batches, one event that was shown late, and an orphan with a line of the first batch."""
    world = World()
    world.clock.time = DAY_START + 1_500
    world.slack.add(written())
    world.until_done()
    forge = Forge(dict(world.archive.objects))
    forge.append("late", LATE - 60, LATE, [raw_event(LATE - 30, "late", action="user_created", actor=BEN)])
    forge.changed(-1, time=LATE_ARCHIVED)
    objects = forge.sealed()
    orphan = f"raw/org=main/dt=2026-01-01/{DAY_START}-{DAY_START + 59}-99-0123456789ab.ndjson.gz"
    return {**objects, orphan: pack([next(written())])}


def filled(store: Store, objects: dict[str, bytes], selection: Selection | None = None) -> Store:
    """With these objects read in."""
    source = Source(Memory(objects), "s3://archive", "main", selection or Selection())
    store.take_lines(source.lines(orphans=True))
    store.take_entries(source.entries())
    return store
