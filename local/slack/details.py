"""`details`: the free part of an event, in every form in which its values are known to come.

One key has one type here and another there: `new_value` is a text, a list, an object, a flag or null; `failed_users` a
list or JSON inside a text; `inviter` a user or an actor; `reason` a list in anomalies and else a text.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from local.slack.people import Company, identity, vocabulary
from local.slack.shapes import scopes, words

Details = dict[str, Any]


def details(dice: random.Random, action: str, firm: Company, second: int) -> Details | None:
    """The details of an event of this action, or None: most events have none."""
    if action == "anomaly":
        return _anomaly(dice, second)
    for mark, share, make in _MAKERS:
        if mark in action:
            return make(dice, firm) if dice.random() < share else None
    return _other(dice, firm) if dice.random() < 0.15 else None


def _anomaly(dice: random.Random, second: int) -> Details:
    """The act is some seconds older than its event, in microseconds: 3 to 52 s in the samples that are known."""
    return {
        "action_timestamp": (second - dice.randint(3, 52)) * 1_000_000 + dice.randrange(1_000_000),
        "location": dice.choice(("Reykjavík, Iceland", "Reno, Nevada", "")),
        "previous_ip_address": dice.choice(("", f"203.0.113.{dice.randint(1, 254)}")),
        "previous_ua": dice.choice(("", "Mozilla/5.0 (X11; Linux i686; rv:10.0) Gecko/20100101 Firefox/10.0")),
        "reason": dice.sample(vocabulary("reason"), dice.randint(1, 3)),
        "ip_address_details": dice.sample(("new-asn", "cloud-asn", "in-ioc-list"), dice.randint(0, 2)),
        "user_agent_change_details": [],
        "detected_client": "slack-desktop",
        "detected_os": "Linux",
        "api_call_method": "conversations.history",
    }


def _pref(dice: random.Random, firm: Company) -> Details:
    return {"new_value": _value(dice, firm), "previous_value": _value(dice, firm)}


def _value(dice: random.Random, firm: Company) -> Any:
    return dice.choice(
        (
            dice.random() < 0.5,
            None,
            "ORG_ADMINS_AND_OWNERS",
            ["admin", "owner", "日本"],
            {"type": ["TOPLEVEL_ADMINS_AND_OWNERS_AND_SELECTED"], "user": [dice.choice(firm.people).id]},
            '{"enabled":true,"hosts":["https://example.com/a"]}',
            str(dice.randint(0, 3600)),
        )
    )


def _joined(dice: random.Random, firm: Company) -> Details:
    person = dice.choice(firm.people).fields
    flat = dice.random() < 0.5
    return {dice.choice(("inviter", "inviter", "kicker")): person if flat else {"type": "user", "user": person}}


def _permissions(dice: random.Random, firm: Company) -> Details:
    people = [person.id for person in dice.sample(firm.people, dice.randint(1, 6))]
    failed = [people.pop()] if dice.random() < 0.2 else []
    wrapped = dice.random() < 0.5
    return {
        "permissions": [{"resource": {"type": "user", "grant": "view/edit"}, "permissions": ["message_read"]}],
        "succeeded_users": json.dumps(people) if wrapped else people,
        "failed_users": json.dumps(failed) if wrapped else failed,
    }


def _app(dice: random.Random, firm: Company) -> Details:
    return {
        "is_internal_integration": dice.random() < 0.5,
        "granular_bot_token": True,
        "is_token_rotation_enabled_app": False,
        "app_owner_id": dice.choice(firm.people).id,
        "new_scopes": scopes(dice),
        "previous_scopes": scopes(dice),
        "is_allowed": "ALLOWED",
    }


def _export(dice: random.Random, _: Company) -> Details:
    return {
        "exporting_team_id": 1_000_000_000_000 + dice.randrange(10**12),
        "export_type": "STANDARD",
        "export_start_ts": "1709251200",
        "export_end_ts": "1711929599",
        "barrier_id": identity(dice, "Ib"),
    }


def _external(dice: random.Random, _: Company) -> Details:
    return {
        "external_organization_id": identity(dice, "T"),
        "external_organization_name": "Förde & Söhne",
        "external_user_id": identity(dice, "U"),
        "external_user_email": "guest@example.org",
        "invite_id": identity(dice, "I"),
    }


def _retention(dice: random.Random, _: Company) -> Details:
    days = dice.choice((0, 30, 365))
    return {
        "old_retention_policy": {"type": "all", "duration_days": days},
        "new_retention_policy": {"type": "custom", "duration_days": days + 30},
    }


def _cell(dice: random.Random, _: Company) -> Details:
    return {"column_id": identity(dice, "Col"), "row_id": identity(dice, "Rec"), "cell_date_updated": 1_760_000_000}


def _workflow(dice: random.Random, firm: Company) -> Details:
    return {
        "trigger_config": {"type": "shortcut", "inputs": {"channel/id": {"value": "{{data.channel_id}}"}}},
        "md": f"*{words(dice)}* läuft",
        "affected_users": [person.id for person in dice.sample(firm.people, 2)],
    }


def _shared(dice: random.Random, _: Company) -> Details:
    return {
        "shared_to": identity(dice, "C"),
        "shared_with": {"channel_id": identity(dice, "C"), "access_level": "read"},
    }


def _tool(dice: random.Random, _: Company) -> Details:
    return {"arguments": {"query": 'näkymä\n"ferry"', "limit": dice.randint(1, 50)}, "API": "search.messages"}


def _other(dice: random.Random, firm: Company) -> Details:
    return dice.choice(
        (
            {"reason": "changed by an admin"},
            {"type": "general", "name": words(dice)},
            {"target_user": dice.choice(firm.people).id, "duration": dice.choice((0, 86400)), "mobile_only": False},
            {"entity_ids": [identity(dice, "C"), identity(dice, "C")]},
        )
    )


# The first mark that is a part of the action's name decides; the share says how many of its events have details.
_MAKERS: tuple[tuple[str, float, Callable[[random.Random, Company], Details]], ...] = (
    ("retention", 0.9, _retention),
    ("pref", 0.95, _pref),
    ("channel_join", 0.4, _joined),
    ("channel_leave", 0.2, _joined),
    ("permission", 0.9, _permissions),
    ("export", 0.8, _export),
    ("external_shared", 0.9, _external),
    ("connect_dm", 0.9, _external),
    ("workflow", 0.7, _workflow),
    ("list_", 0.6, _cell),
    ("_shared", 0.3, _shared),
    ("mcp", 0.8, _tool),
    ("app_", 0.8, _app),
    ("role_", 0.5, _permissions),
)
