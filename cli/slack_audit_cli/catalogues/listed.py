"""Slack's own lists of actions and schemas, as Slack gives them now, and what is new since the archive kept one."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slack_audit import __version__
from slack_audit.catalog import Difference, Kind, Listing, catalog_prefix, difference, kept_listing, listing_of
from slack_audit.verify.vault import Vault
from slack_audit_cli.plain import plain
from slack_audit_cli.plain import said as said_plainly

TIMEOUT = 20.0  # seconds
MARKS = {"new": ("+", "bold green"), "gone": ("-", "bold red"), "changed": ("~", "bold yellow"), "": (" ", "")}


class Kept(msgspec.Struct, frozen=True):
    """A list that the archive keeps, and since when."""

    key: str
    listing: Listing

    @property
    def since(self) -> datetime | None:
        """When it was kept, as its key says."""
        found = re.search(r"-(\d{8}T\d{6}Z)-", self.key)
        return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else None


class Listed(msgspec.Struct, frozen=True):
    """Slack's list, and what became of the one that was kept, None where none is there or none was `looked_for`."""

    kind: Kind
    now: Listing
    kept: Kept | None = None
    looked_for: bool = False

    @property
    def changes(self) -> Difference:
        """Since the kept one; nothing where there is none."""
        return difference(self.kept.listing if self.kept else self.now, self.now)

    def rows(self, search: str) -> list[tuple[str, str, str]]:
        """(word, name, what became of it) of those that hold the text, in any case: an entry for each of its words,
        by word and name."""
        changes = self.changes
        became = dict.fromkeys(changes.new, "new") | dict.fromkeys(changes.changed, "changed")
        rows = [(word, name, became.get(name, "")) for name, words in self.now.entries.items() for word in words]
        rows += [(word, name, "gone") for name, words in changes.gone.items() for word in words]
        wanted = search.lower()
        return sorted(row for row in rows if wanted in row[0].lower() or wanted in row[1].lower())


def ask(kind: Kind, url: str, org: str) -> Listing:
    """Slack's list. No token is sent. Raises SourceError."""
    from slack_audit.adapters.catalog import SlackCatalog  # noqa: PLC0415 - what it brings is slow to load, and few commands need it

    return listing_of(kind, SlackCatalog(url, org, __version__).read(kind, TIMEOUT))


def newest_kept(kind: Kind, org: str, vault: Vault) -> Kept | None:
    """The one that the drift watch kept last. Raises StorageError."""
    prefix = catalog_prefix(org, kind)
    keys = [key for key in vault.keys(f"catalog/org={org}/") if key.startswith(prefix)]
    if not keys:
        return None
    return Kept(keys[-1], kept_listing(kind, vault.get(keys[-1]), keys[-1]))


def as_json(listed: Listed, search: str) -> str:
    """What is shown, indented: every entry with its words, and the names of what is new, gone and changed."""
    rows = listed.rows(search)
    entries: dict[str, list[str]] = {}
    for word, name, _ in sorted(rows, key=lambda it: (it[1], it[0])):
        entries.setdefault(name, []).append(word)
    became = {it: sorted({name for _, name, what in rows if what == it}) for it in ("new", "gone", "changed")}
    gone = set(became["gone"])
    said: dict[str, Any] = {
        listed.kind: {name: words for name, words in entries.items() if name not in gone},
        **became,
        "compared_with": listed.kept.key if listed.kept else None,
    }
    return msgspec.json.format(msgspec.json.encode(said), indent=2).decode()


def show(listed: Listed, search: str, console: Console) -> None:
    """Actions by category, fields by schema; each mark is told below."""
    rows = listed.rows(search) if listed.kind == "actions" else _by_schema(listed.rows(search))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("category", "action") if listed.kind == "actions" else ("schema", "field"):
        table.add_column(title, overflow="fold")
    table.add_column("" if listed.kind == "actions" else "is", overflow="fold")
    group = None
    for first, second, third, what in _marked(listed.kind, rows):
        mark, style = MARKS[what]
        said = Text(f"{mark} {second}" if listed.kept else second, style=style)
        table.add_row(said_plainly(first) if first != group else Text(), said, third)
        group = first
    console.print(table)
    console.print(_summary(listed, rows))


def _marked(kind: Kind, rows: list[tuple[str, str, str]]) -> list[tuple[str, str, Text, str]]:
    if kind == "actions":
        return [(word, plain(name), Text(what), what) for word, name, what in rows]
    return [(_schema(name), plain(name.partition(".")[2]), said_plainly(word), what) for word, name, what in rows]


def _by_schema(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Fields in the order of their names; a type itself is shown by its fields, unless something became of it."""
    return sorted((row for row in rows if "." in row[1] or row[2]), key=lambda it: (it[1], it[0]))


def _schema(name: str) -> str:
    return name.partition(".")[0]


def _summary(listed: Listed, rows: list[tuple[str, str, str]]) -> Text:
    count = len({name for _, name, what in rows if what != "gone"})
    said = Text(f"{count:,} {'actions' if listed.kind == 'actions' else 'fields'}", style="bold")
    if listed.now.odd:
        said.append(f", and {listed.now.odd:,} members of no known form left out", style="yellow")
    if listed.kept is None:
        none = "; the archive keeps none to compare with: the drift watch has not kept one yet"
        return said.append(none if listed.looked_for else "", style="default")
    since = f" since {listed.kept.since:%Y-%m-%d %H:%M} UTC" if listed.kept.since else f" since {listed.kept.key}"
    changes = listed.changes
    told = [
        f"{len(names):,} {what} ({MARKS[what][0]})"
        for what, names in (("new", changes.new), ("gone", changes.gone), ("changed", changes.changed))
        if names
    ]
    return said.append(f"; {', '.join(told) or 'nothing new'}{since}", style="default")
