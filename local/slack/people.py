"""An invented company: its people, its workspaces, the machines they work on.

Nobody here exists. Addresses are of example.com and example.org (RFC 2606), IP addresses of the documentation ranges
(RFC 5737, RFC 3849).
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local.slack.answers import wire

_WORDS = Path(__file__).parent / "words.txt"

_SCRIPTS = ("佐藤 陽葵", "Мария Соколова", "محمد الحداد", "김 서연", "Ελένη Παππά", "Robot 🤖 Helper")
_PLAIN = str.maketrans("äáâãïíéèëêöøóôñúüçłžšřąćßışŞŁŽÜ", "aaaaiieeeeoooonuuclzsracsisSLZU")

_WORKSPACES = (
    ("Harbour", "harbour"),
    ("Engineering", "meridian-eng"),
    ("Küche & Kantine", "meridian-kitchen"),
    ("北フェリー", "meridian-north"),
    ("Tickets/Support", "meridian-tickets"),
)
_BROWSER = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) {} Safari/537.36"
_DESKTOP = _BROWSER.format("{}", "Slack/4.4{}.1{} Chrome/14{}.0.7339.133 Electron/38.{}.0") + " Slack_SSB/4.4{}.1{}"
_SYSTEMS = ("Macintosh; Intel Mac OS X 10_15_7", "Windows NT 10.0; Win64; x64", "X11; Linux x86_64")
_OTHER_CLIENTS = (
    "com.tinyspeck.chatlyio/26.10.20 (iPhone; iOS 19.1; Scale/3.00)",
    "slack/26.10.30.0.30010834 (Google Pixel 10; Android 17)",
    "AppleCoreMedia/1.0.0.23B82 (iPhone; U; CPU OS 19_1 like Mac OS X; en_us)",
    "ApiApp/A0STANDIN01 python/3.13.9 slackclient/3.47.0 Linux/6.8.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as an object of Slack's and as bytes."""

    id: str
    fields: dict[str, Any]
    wire: bytes


@dataclass(frozen=True, slots=True)
class Company:
    """Who works where, from where, with what: everything as the bytes that go over the wire."""

    enterprise: dict[str, str]
    workspaces: tuple[dict[str, str], ...]
    people: tuple[Person, ...]
    locations: tuple[bytes, ...]
    clients: tuple[bytes, ...]
    addresses: tuple[bytes, ...]


@cache
def company(seed: int) -> Company:
    """The company of this seed: always the same one."""
    dice = random.Random(f"company {seed}")
    enterprise = {"id": identity(dice, "E"), "name": "Meridian Ferries", "domain": "meridian-ferries"}
    workspaces = tuple({"id": identity(dice, "T"), "name": name, "domain": domain} for name, domain in _WORKSPACES)
    places = [{"type": "workspace", **workspace} for workspace in workspaces] * 3 + [
        {"type": "enterprise", **enterprise}
    ]
    return Company(
        enterprise,
        workspaces,
        people=tuple(_people(dice, [place["id"] for place in places])),
        locations=tuple(mixed(dice, place) for place in places),
        clients=tuple(wire(client) for client in _clients(dice)),
        addresses=tuple(wire(address) for address in _addresses(dice)),
    )


@cache
def vocabulary(kind: str) -> tuple[str, ...]:
    """The words of a kind."""
    lines = (line.split() for line in _WORDS.read_text(encoding="utf-8").splitlines())
    return tuple(word for first, *words in lines if first == kind for word in words)


def identity(dice: random.Random, prefix: str) -> str:
    """An id in Slack's form: a letter that says of what, then ten of 36 characters."""
    return prefix + "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=10))


def mixed(dice: random.Random, value: Any) -> bytes:
    r"""JSON with characters beyond ASCII now as UTF-8, now as `\u` escapes: which of them Slack sends is not known."""
    return wire(value, ascii_only=dice.random() < 0.5)


def _people(dice: random.Random, teams: list[str]) -> list[Person]:
    people = [_person(dice, identity(dice, "U"), name, dice.choice(teams)) for name in _names(dice)]
    slack = [_person(dice, id_, "Slack", teams[0], email="") for id_ in ("USLACKUSER", "USLACKSECURITY")]
    return people + slack


def _names(dice: random.Random) -> list[str]:
    firsts, lasts = vocabulary("first"), vocabulary("last")
    return [f"{dice.choice(firsts)} {dice.choice(lasts)}" for _ in range(240)] + list(_SCRIPTS)


def _person(dice: random.Random, id_: str, name: str, team: str, email: str | None = None) -> Person:
    fields = {"id": id_, "name": name, "email": _email(dice, name, id_) if email is None else email, "team": team}
    if dice.random() < 0.1:
        fields["account_type"] = dice.choice(("regular", "guest", "admin"))
    return Person(id_, fields, mixed(dice, {"type": "user", "user": fields}))


def _email(dice: random.Random, name: str, id_: str) -> str:
    if dice.random() < 0.02:
        return ""
    plain = "".join(
        c for c in name.lower().translate(_PLAIN).replace(" ", ".") if c.isascii() and (c.isalpha() or c == ".")
    )
    return f"{plain.strip('.') or id_.lower()}@{dice.choice(('example.com', 'example.com', 'example.org'))}"


def _clients(dice: random.Random) -> list[str]:
    desktops = [_desktop(dice) for _ in range(45)]
    return desktops + list(_OTHER_CLIENTS) * 2 + [""] * 4


def _desktop(dice: random.Random) -> str:
    major, minor = dice.randint(5, 9), dice.randint(0, 9)
    return _DESKTOP.format(dice.choice(_SYSTEMS), major, minor, dice.randint(0, 4), dice.randint(0, 3), major, minor)


def _addresses(dice: random.Random) -> list[str]:
    nets = ("192.0.2", "198.51.100", "203.0.113")
    short = [f"{dice.choice(nets)}.{dice.randint(1, 254)}" for _ in range(150)]
    long = [f"2001:db8:{dice.getrandbits(16):x}:{dice.getrandbits(16):x}::{dice.getrandbits(16):x}" for _ in range(30)]
    return short + long + ["127.0.0.1"] * 12 + [""] * 4 + ["redacted"] * 2
