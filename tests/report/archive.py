"""An archive with one of everything that a report shows, and with names that play tricks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.builders import DAY_START
from tests.fakes import World
from tests.verify.archives import Forge

NOON = DAY_START + 43_200
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "<b>bold</b>",
    "</script><script>alert(3)</script>",
    "<!--<script>",
    '"><svg onload=alert(4)>',
    "<a href='javascript:alert(5)'>here</a>",
    "javascript:alert(6)",
    "quote \" and ' and \\ and `",
    "\u202egnitsaf\u202c",
    "nul\x00 and bell\x07",
    "half \ud83d surrogate",
    "{{7*7}} ${7*7} %{y} $x^2$",
    "&lt;i&gt; &amp; &#60;",
    "line\u2028and\u2029ends",
    "__proto__",
    "x" * 5_000,
)


def event(second: object, number: object, action: object = "file_downloaded", **fields: Any) -> dict[str, Any]:
    """As Slack sends one, by Ada from 192.0.2.1 in Harbour unless it is said."""
    user = {
        "id": fields.pop("who", "W1"),
        "name": fields.pop("name", "Ada Example"),
        "email": fields.pop("email", "ada@example.com"),
    }
    name = fields.pop("place", "Harbour")
    place = {"type": "workspace", "id": f"T {name}", "name": name, "domain": "example"}
    return {
        "id": f"{number}",
        "date_create": second,
        "action": action,
        "actor": {"type": "user", "user": user},
        "entity": fields.pop("entity", {"type": "file", "file": {"id": "F1", "name": "plan.pdf"}}),
        "context": {
            "location": place,
            "ua": "Mozilla/5.0",
            "ip_address": fields.pop("ip", "192.0.2.1"),
            **fields.pop("context", {}),
        },
        **fields,
    }


def ordinary() -> list[dict[str, Any]]:
    """40 events from noon on, 30 seconds apart: 20 downloads and 8 sign-ins by Ada, the others by Bo from elsewhere."""
    bo = {"who": "W2", "name": "Bo Example", "email": "bo@example.com", "ip": "198.51.100.9", "place": "Engineering"}
    made = [event(NOON + 30 * n, n) for n in range(20)]
    made += [event(NOON + 30 * n, n, "user_login") for n in range(20, 28)]
    made += [event(NOON + 30 * n, n, "user_login_failed", **bo) for n in range(28, 31)]
    others: tuple[tuple[str, dict[str, Any]], ...] = (
        ("anomaly", {"details": {"reason": ["tor", "asn"], "action_timestamp": 1}}),
        ("anomaly", {"details": {"reason": ["tor"], "previous_ip_address": ""}}),
        ("manual_export_started", {"details": {"export_type": "STANDARD"}}),
        ("role_change_to_owner", {}),
        ("app_scopes_expanded", {"details": {"new_scopes": ["files:read"], "previous_scopes": [""]}}),
        ("native_dlp_rule_action_applied", {}),
        ("mcp_slack_send_message_tool_called", {}),
        ("a_name_that_nobody_knows", {"context": {"acting_agent": "Slackbot"}}),
        ("file_public_link_created", {}),
    )
    return made + [event(NOON + 30 * n, n, action, **bo, **more) for n, (action, more) in enumerate(others, 31)]


def hostile() -> list[dict[str, Any]]:
    """Every trick in every field that a page shows."""
    return [
        event(
            NOON + 1_300 + n,
            f"hostile {n}",
            f"{text}",
            who=f"W{n + 10}{text}",
            name=text,
            email=text,
            ip=text,
            place=text,
            entity={"type": "file", "file": {"name": text}},
            details={"reason": [text], text: text},
            context={"ua": text},
        )
        for n, text in enumerate(HOSTILE)
    ] + [
        event(NOON + 1_400 + n, f"anomaly {n}", "anomaly", details={"reason": [text]}) for n, text in enumerate(HOSTILE)
    ]


def archive(events: list[dict[str, Any]], late: Sequence[dict[str, Any]] = ()) -> Forge:
    """Read by live in one window from midnight to an hour after noon, and `late` found by late 40 minutes later."""
    world = World()
    world.clock.time = DAY_START + 3_600
    world.until_done()
    forge = Forge({key: body for key, body in world.archive.objects.items() if key == "log/org=main/000000000000.json"})
    lo, hi = forge.entries[0]["passes"]["live"]["watermark"] + 1, NOON + 3_600
    _add(forge, "live", lo, hi, events, "2026-01-01T13:01:00+00:00")
    _add(forge, "late", lo, hi, list(late), "2026-01-01T13:10:00+00:00")
    return forge


def write(forge: Forge, folder: Path) -> Path:
    """As a copied bucket."""
    for key, body in forge.sealed().items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)
    return folder


def _add(forge: Forge, name: str, lo: int, hi: int, events: list[dict[str, Any]], time: str) -> None:
    lines = sorted(
        (it.get("date_create") or 0, it["id"], json.dumps(it, separators=(",", ":")).encode()) for it in events
    )
    forge.append(name, lo, hi, [line for _, _, line in lines])["time"] = time
