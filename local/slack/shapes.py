"""Entities: what an action was done to, in every shape that Slack is known to send.

Sources: Slack's reference of the Audit Logs API and `GET /schemas`; the SDKs' models for `huddle`, `list`, `function`
and `external_auth_oauth2_token`, which the schemas lack; captured events for the rest (canvas actions carry a file,
an account type's role has a number as its id, a barrier's `barriered_from_usergroups` is plural).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.slack.people import Company, Person, company, identity, mixed, vocabulary

_EPOCH = 1_760_000_000  # times inside entities are around this
_FILES = (
    ("{}.png", "image/png"),
    ("{}_{}.pdf", "application/pdf"),
    ("{}_übersicht.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("{}/{}", "application/vnd.google-apps.document"),
    ("{}.mov", "video/quicktime"),
    ("{}", ""),
)
_SCOPES = ("channels:read", "channels:history", "chat:write", "files:read", "users:read.email", "team:read")
CANVAS_TYPE = "application/vnd.slack-docs"


@dataclass(frozen=True, slots=True)
class Shape:
    """An entity: its id, as the filter of `/logs` knows it, and its bytes."""

    id: str
    wire: bytes


@cache
def shapes(seed: int) -> dict[str, tuple[Shape, ...]]:
    """The entities of the company of this seed, by type."""
    firm, dice = company(seed), random.Random(f"shapes {seed}")
    made = {kind: tuple(_shape(dice, kind, make(dice, firm)) for _ in range(size)) for kind, size, make in _MAKERS}
    made["user"] = tuple(Shape(person.id, person.wire) for person in firm.people)
    made["workspace"] = tuple(_shape(dice, "workspace", dict(workspace)) for workspace in firm.workspaces)
    made["enterprise"] = (_shape(dice, "enterprise", dict(firm.enterprise)),)
    made["canvas as file"] = tuple(_shape(dice, "file", _canvas(dice, firm, CANVAS_TYPE)) for _ in range(20))
    return made


def word(dice: random.Random) -> str:
    """A word for a thing."""
    return dice.choice(vocabulary("thing"))


def words(dice: random.Random) -> str:
    """A short name for a thing."""
    return f"{word(dice)}-{word(dice)}-{dice.randint(1, 99)}"


def scopes(dice: random.Random) -> list[str]:
    """Scopes of an app: some, none, or the empty one that Slack sends."""
    return dice.choice(([], [""], dice.sample(_SCOPES, 2), dice.sample(_SCOPES, 4)))


def _shape(dice: random.Random, kind: str, fields: dict[str, Any]) -> Shape:
    return Shape(str(fields.get("id", "")), mixed(dice, {"type": kind, kind: fields}))


def _someone(dice: random.Random, firm: Company) -> Person:
    return dice.choice(firm.people)


def _file(dice: random.Random, _: Company) -> dict[str, Any]:
    pattern, filetype = dice.choice(_FILES)
    name = pattern.format(word(dice), word(dice))
    return {
        "id": identity(dice, "F"),
        "name": name,
        "filetype": filetype,
        "title": dice.choice(("", name, name.title())),
    }


def _channel(dice: random.Random, firm: Company) -> dict[str, Any]:
    shared = dice.random() < 0.2
    fields: dict[str, Any] = {
        "id": identity(dice, dice.choice("CCCCGD")),
        "name": dice.choice((words(dice), f"проект-{dice.randint(1, 9)}", f"café-{word(dice)}")),
        "privacy": dice.choice(("public", "public", "private", "mpim", "im")),
        "is_shared": shared,
        "is_org_shared": dice.random() < 0.1,
    }
    if shared:
        fields["teams_shared_with"] = [place["id"] for place in dice.sample(firm.workspaces, 2)]
        fields["original_connected_channel_id"] = identity(dice, "C")
    return fields


def _app(dice: random.Random, _: Company) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": identity(dice, "A"),
        "name": f"{word(dice).title()} Bot",
        "is_distributed": dice.random() < 0.5,
        "is_directory_approved": dice.random() < 0.3,
        "is_workflow_app": dice.random() < 0.2,
        "scopes": scopes(dice),
    }
    return fields | {dice.choice(("bot_scopes", "scopes_bot")): scopes(dice)}


def _workflow(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": identity(dice, "Wf"), "name": words(dice)}


def _workflow_v2(dice: random.Random, firm: Company) -> dict[str, Any]:
    step = {"name": "send/message", "step_function_type": "builtin", "step_function_app_id": identity(dice, "A")}
    return {
        "id": identity(dice, "Wf"),
        "app_id": identity(dice, "A"),
        "date_updated": _EPOCH + dice.randrange(10**7),
        "callback_id": words(dice),
        "name": f"Schicht {word(dice)} ✓",
        "updated_by": _someone(dice, firm).id,
        "step_configuration": [step] * dice.randint(0, 2),
    }


def _message(dice: random.Random, firm: Company) -> dict[str, Any]:
    timestamp = f"{_EPOCH + dice.randrange(10**7)}.{dice.randrange(10**6):06}"
    return {"team": dice.choice(firm.workspaces)["id"], "channel": identity(dice, "C"), "timestamp": timestamp}


def _huddle(dice: random.Random, firm: Company) -> dict[str, Any]:
    begin = _EPOCH + dice.randrange(10**7)
    end = dice.choice((0, begin + dice.randint(60, 7200)))
    people = [person.id for person in dice.sample(firm.people, dice.randint(1, 5))]
    return {"id": identity(dice, "R"), "date_start": begin, "date_end": end, "participants": people}


def _usergroup(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": identity(dice, "S"), "name": f"{word(dice)} équipe"}


def _role(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": f"Rl0{dice.choice('ABCDEFG')}", "name": f"{word(dice)} admin", "type": "0"}


def _account_type_role(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": dice.randint(1001, 1012), "name": "guest_permissions"}


def _barrier(dice: random.Random, _: Company) -> dict[str, Any]:
    return {
        "id": identity(dice, "Ib"),
        "primary_usergroup": identity(dice, "S"),
        "barriered_from_usergroups": [identity(dice, "S") for _ in range(2)],
        "restricted_subjects": ["im", "mpim", "call"],
    }


def _canvas(dice: random.Random, _: Company, filetype: str = "quip") -> dict[str, Any]:
    name = words(dice)
    return {"id": identity(dice, "F"), "name": name, "filetype": filetype, "title": name.replace("-", " ").title()}


def _list(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": identity(dice, "F"), "name": words(dice), "filetype": "list", "title": "Aufgaben 📋"}


def _template(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": identity(dice, "Tm"), "template_name": words(dice)}


def _legal_hold(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": identity(dice, "Lh"), "name": f"Matter {dice.randint(100, 999)}/{dice.randint(20, 26)}"}


def _function(dice: random.Random, _: Company) -> dict[str, Any]:
    return {"id": identity(dice, "Fn"), "title": words(dice), "type": "app", "app_id": identity(dice, "A")}


def _token(dice: random.Random, firm: Company) -> dict[str, Any]:
    app = {"id": identity(dice, "A"), "scopes": dice.choice((scopes(dice), "repo,user"))}
    provider = {"id": 10_000_000_000_000 + dice.randrange(10**12), "key": "example_oauth", "app": app}
    return {"id": identity(dice, "Et"), "user_id": _someone(dice, firm).id, "provider": provider}


_MAKERS: tuple[tuple[str, int, Callable[[random.Random, Company], dict[str, Any]]], ...] = (
    ("file", 300, _file),
    ("channel", 120, _channel),
    ("app", 40, _app),
    ("workflow", 20, _workflow),
    ("workflow_v2", 20, _workflow_v2),
    ("message", 200, _message),
    ("huddle", 40, _huddle),
    ("usergroup", 30, _usergroup),
    ("role", 7, _role),
    ("account_type_role", 12, _account_type_role),
    ("barrier", 5, _barrier),
    ("canvas", 30, _canvas),
    ("list", 30, _list),
    ("template", 10, _template),
    ("legal_hold_policy", 6, _legal_hold),
    ("function", 10, _function),
    ("external_auth_oauth2_token", 10, _token),
)
