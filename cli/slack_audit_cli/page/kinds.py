"""Which actions belong together, and which a reader of a report looks for.

Slack adds actions without notice: the patterns are wide on purpose, and a name that no pattern takes is counted under
"Other" and stands in the table of all events.
"""

import re
from functools import lru_cache

import msgspec

REMEMBERED = 4_096  # names; Slack has fewer than a thousand


class Group(msgspec.Struct, frozen=True):
    """A colour of the timeline: `*` in a pattern stands for any letters, and the first group that takes it has it."""

    title: str
    patterns: tuple[str, ...]


class Section(msgspec.Struct, frozen=True):
    """What is shown in a table of its own. The first section that takes an action has it."""

    id: str
    title: str
    about: str
    patterns: tuple[str, ...] = ()


GROUPS = (
    Group(
        "Anomalies and protection",
        (
            "anomaly",
            "*_anomaly",
            "native_dlp_*",
            "file_malicious_*",
            "file_*_blocked*",
            "barrier_*",
            "legal_hold_*",
            "*_access_denied",
            "*_flagged",
            "*_flag_*",
        ),
    ),
    Group("AI and MCP", ("mcp_*", "*_mcp_*", "slack_ai_*", "slackbot_ai_*", "*agentforce*", "ai_*")),
    Group("Sign-in and sessions", ("user_log*", "cli_log*", "*_session*", "user_password_*", "user_passkey_*")),
    Group("Files", ("file_*",)),
    Group("Canvases and lists", ("canvas_*", "list_*", "template_*")),
    Group(
        "Apps and workflows",
        ("app_*", "*_app_*", "bot_token_*", "workflow_*", "function_*", "external_auth_*", "featured_workflow_*"),
    ),
    Group("Settings and exports", ("pref*", "*export*", "idp_*", "ekm_*", "auth_policy_*", "ip_allowlist_*", "team_*")),
    Group(
        "Channels and messages",
        ("*channel*", "*message*", "thread_*", "huddle_*", "connect_dm_*", "dm_*", "mpim_*", "group_*"),
    ),
    Group("People and roles", ("user_*", "guest_*", "role_*", "*owner*", "permissions_*", "*usergroup*")),
    Group("Other", ("*",)),
)

SECTIONS = (
    Section(
        "anomalies",
        "Anomalies",
        "What Slack itself found unusual, with its reasons. A reason is a hint to look, not a verdict.",
        ("anomaly", "*_anomaly"),
    ),
    Section(
        "failures",
        "Failed and refused sign-ins",
        "Sign-ins that failed, were refused by an address list, or ended because Slack took them for compromised.",
        ("user_login_failed", "*_access_denied", "user_logout_compromised", "user_logout_non_compliant_*"),
    ),
    Section(
        "exports",
        "Exports",
        "Data that was prepared to leave Slack: exports of workspaces, people, channels, audit logs and analytics.",
        ("*_export_*", "*_exports_*", "export_*", "*_exported", "*_csv_download"),
    ),
    Section(
        "roles",
        "Roles and owners",
        "Who became owner or administrator, or ceased to be, and permissions that were given or taken.",
        ("role_*", "*owner_transferred", "org_owner_created", "permissions_*"),
    ),
    Section(
        "ai",
        "MCP and AI",
        "Tools called over MCP, AI features and agents, and what an agent did for a person.",
        ("mcp_*", "*_mcp_*", "slack_ai_*", "slackbot_ai_*", "*agentforce*", "ai_*", "*_ai_*"),
    ),
    Section(
        "apps",
        "App changes",
        "Apps installed, approved, restricted or removed, and scopes that grew.",
        ("app_*", "org_app_*", "child_app_*", "cli_app_*", "admin_app_*", "bot_token_*"),
    ),
    Section(
        "dlp",
        "Data loss prevention and blocked files",
        "Rules of data loss prevention and what they did, malicious files, uploads and downloads that were blocked.",
        ("native_dlp_*", "file_malicious_*", "file_*_blocked*"),
    ),
    Section(
        "links",
        "Public links",
        "Files, canvases and lists that anybody with a link could open, or no longer can.",
        ("*_public_link_*", "*_linksharing_*"),
    ),
    Section(
        "external",
        "External organisations",
        "Channels and direct messages that are shared with other organisations.",
        ("external_*channel_*", "external_user_*", "connect_dm_*", "slack_connect_*", "approved_orgs_*"),
    ),
    Section(
        "sessions",
        "Sessions, passwords and passkeys",
        "Sessions that were reset or invalidated, passwords that were reset, passkeys that came and went.",
        ("*_session_reset_*", "*_sessions_reset_*", "user_session_*", "user_password_*", "user_passkey_*"),
    ),
    Section(
        "settings",
        "Security settings",
        "Preferences, sign-on, keys, address lists, domains, barriers and legal holds.",
        (
            "pref.*",
            "prefs_*",
            "idp_*",
            "ekm_*",
            "auth_policy_*",
            "ip_allowlist_*",
            "team_authorized_ip_*",
            "domain_*",
            "seamless_auth_*",
            "enterprise_managed_auth_*",
            "barrier_*",
            "legal_hold_*",
        ),
    ),
)
LATE = Section(
    "late",
    "Late events",
    "Slack showed these only after the live pass had read their time: a later pass found them.",
)
SHOWN = (*SECTIONS[:4], SECTIONS[5], LATE, *SECTIONS[6:], SECTIONS[4])
"""All sections, in the order of the page."""

LOGINS = ("user_login", "cli_login")
FAILURES = ("user_login_failed", "ip_allowlist_access_denied")
AGENT = "ai"  # the section of what an agent did for a person, whatever it was


@lru_cache(REMEMBERED)
def group_of(action: str) -> int:
    """The place of its group in GROUPS."""
    return next(place for place, group in enumerate(GROUPS) if _pattern(group.patterns).fullmatch(action))


@lru_cache(REMEMBERED)
def section_of(action: str) -> str:
    """The id of its section; empty for everyday actions."""
    return next((it.id for it in SECTIONS if _pattern(it.patterns).fullmatch(action)), "")


@lru_cache
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(".*".join(map(re.escape, it.split("*"))) for it in patterns), re.DOTALL)
