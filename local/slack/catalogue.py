"""What Slack says of itself: the names of actions and the schemas of entities.

The data files hold what `GET /actions` and `GET /schemas` answered on 2026-08-05, in a form of our own.
Both answers are known to be incomplete: events carry actions and entity types that are not in them.
"""

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@cache
def actions() -> dict[str, tuple[str, ...]]:
    """Action names by category; eight names stand in two of them."""
    found: dict[str, tuple[str, ...]] = {}
    category = ""
    for line in _lines("actions.txt"):
        if line.startswith(" "):
            found[category] += tuple(line.split())
        else:
            category = line
            found[category] = ()
    return found


@cache
def names() -> frozenset[str]:
    """Every action name."""
    return frozenset(name for group in actions().values() for name in group)


@cache
def schemas() -> tuple[dict[str, str | dict[str, str]], ...]:
    """The schemas as Slack lists them; some types are there more than once."""
    return tuple(_schema(line) for line in _lines("schemas.txt"))


def _schema(line: str) -> dict[str, str | dict[str, str]]:
    kind, *members = line.split(" | ")
    return {"type": kind, kind: dict(_member(member) for member in members)}


def _member(text: str) -> tuple[str, str]:
    name, _, words = text.partition(": ")
    return name, words


def _lines(name: str) -> list[str]:
    text = (_HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
