"""What Slack says of itself: its lists of actions and of schemas, and how two of them differ.

Both are known to be incomplete and change without notice, so nothing in them is taken for granted: what has another
form than expected is left out and counted. https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec

from slack_audit.errors import ArchiveDamagedError, UnavailableError

Kind = Literal["actions", "schemas"]
NOT_READABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what the decoder raises


class Listing(msgspec.Struct, frozen=True):
    """One list. An action has the categories that it stands in, a field of a schema (`app.scopes`) its type's words.

    `odd` counts what has no known form and was left out.
    """

    entries: dict[str, tuple[str, ...]]
    odd: int = 0


class Difference(msgspec.Struct, frozen=True):
    """What became of one list: entries that came, that went, and that stand there with something else."""

    new: dict[str, tuple[str, ...]]
    gone: dict[str, tuple[str, ...]]
    changed: dict[str, tuple[str, ...]]


def listing_of(kind: Kind, body: bytes) -> Listing:
    """Reads an answer of `/actions` or `/schemas`. Raises UnavailableError for one that holds no such list."""
    try:
        answer = msgspec.json.decode(body)
        listed = answer.get(kind) if isinstance(answer, dict) else None
        members = list(_actions(listed) if kind == "actions" else _schemas(listed))
    except NOT_READABLE as error:
        raise UnavailableError(_not_a_list(kind)) from error
    entries: defaultdict[str, set[str]] = defaultdict(set)
    for name, word in (member for member in members if member is not None):
        entries[name].add(word)
    if not entries:
        raise UnavailableError(_not_a_list(kind))
    return Listing({name: tuple(sorted(entries[name])) for name in sorted(entries)}, members.count(None))


def kept_listing(kind: Kind, body: bytes | None, uri: str) -> Listing:
    """Reads one that we kept; raises ArchiveDamagedError where these are not the bytes of one."""
    try:
        return listing_of(kind, body or b"")
    except UnavailableError as error:
        raise ArchiveDamagedError(
            f"{uri} is no list of {kind} any more. Restore it from its object versions, or delete it: then the next "
            "run of the drift watch compares with the one kept before, and keeps Slack's list anew."
        ) from error


def difference(before: Listing, now: Listing) -> Difference:
    """From one list to the next one."""
    return Difference(
        new={name: words for name, words in now.entries.items() if name not in before.entries},
        gone={name: words for name, words in before.entries.items() if name not in now.entries},
        changed={name: words for name, words in now.entries.items() if before.entries.get(name, words) != words},
    )


def unknown_names(filter_names: Iterable[str], actions_body: bytes) -> list[str]:
    """Those names of a filter that are not in an answer of `/actions`, in their order. Raises UnavailableError."""
    known = listing_of("actions", actions_body).entries
    return [name for name in filter_names if name not in known]


def says_the_same(one: bytes, other: bytes) -> bool:
    """Do two answers hold the same, in whatever order? Slack promises none, and a new order is no news."""
    try:
        return one == other or _unordered(msgspec.json.decode(one)) == _unordered(msgspec.json.decode(other))
    except NOT_READABLE:
        return False


def catalog_prefix(org: str, kind: Kind) -> str:
    """`catalog/org=<org>/<kind>-`"""
    return f"catalog/org={org}/{kind}-"


def catalog_key(org: str, kind: Kind, now: float, body: bytes) -> str:
    """`catalog/org=<org>/<kind>-<UTC, YYYYMMDDTHHMMSSZ>-<first 12 of SHA-256>.json`"""
    when = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{catalog_prefix(org, kind)}{when}-{sha256(body).hexdigest()[:12]}.json"


def _not_a_list(kind: Kind) -> str:
    return (
        f"Slack's answer to /{kind} holds no list of {kind}. It is asked again by the next run; if it lasts, compare "
        "the answer with https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference."
    )


type _Member = tuple[str, str] | None  # a name and a word of it, None for what has no known form


def _actions(listed: Any) -> Iterator[_Member]:
    """`{"<category>": ["<name>", …], …}`"""
    for category, names in listed.items() if isinstance(listed, dict) else ():
        if not isinstance(names, list):
            yield None
            continue
        yield from ((name, category) if isinstance(name, str) and name else None for name in names)


def _schemas(listed: Any) -> Iterator[_Member]:
    """`[{"type": "<type>", "<type>": {"<field>": "<words>", …}}, …]`, a type more than once with other fields."""
    for schema in listed if isinstance(listed, list) else ():
        kind = schema.get("type") if isinstance(schema, dict) else None
        fields = schema.get(kind) if isinstance(kind, str) else None
        if not kind or not isinstance(fields, dict):
            yield None
            continue
        yield kind, "type"
        for field, words in fields.items():
            yield f"{kind}.{field}", words if isinstance(words, str) else _unordered(words)


def _unordered(value: Any) -> str:
    """A text that is the same for the same JSON, whatever the order of its members."""
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{name!r}:{_unordered(member)}" for name, member in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(map(_unordered, value))) + "]"
    return repr(value)
