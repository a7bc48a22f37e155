"""Which events a replay or a question wants: by time, pass, action, actor, entity, address and a free expression.

Slack changes the types of its fields without notice, so nothing here takes one for granted: a field of another type
than is asked for is simply not the one that was meant. The free expression alone may fail on an event, and says so.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import translate
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import jmespath
import jmespath.exceptions
import jmespath.parser
import msgspec

from slack_audit.errors import SelectionError
from slack_audit.events import NOT_READABLE, Event, without_surrogates
from slack_audit.log import LogEntry
from slack_audit.passes import BACKFILL, STANDING, kind_of
from slack_audit.windows import Window

PASSES = (*STANDING, BACKFILL)
ACTOR_FIELDS = ("id", "email", "name")
ENTITY_FIELDS = ("id", "email", "name", "domain", "title")
MOST_OF_A_REASON = 200  # characters: a library's error may quote the whole event

# What an expression of somebody's may end with on an event of any shape: ceil(`1e999`) is an ArithmeticError.
NOT_EVALUATED = (jmespath.exceptions.JMESPathError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError)

type Network = IPv4Network | IPv6Network


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is wanted: all that is said must hold, and of several values of one kind any. Nothing said is everything.

    `since` and `until` are epoch seconds, both inclusive. `passes` are kinds: live, late, final, backfill. An action
    may have `*` in it. An actor is a user's id, email or name; an entity the id, email, name, domain or title of what
    something was done to; an address an IP or a network such as 192.0.2.0/24. `where` is JMESPath on the whole event
    (https://jmespath.org): what it gives must be true, as JMESPath counts true.
    """

    since: int | None = None
    until: int | None = None
    passes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    where: str = ""

    @property
    def looks_inside(self) -> bool:
        """Does it ask for more than what every event's id, second and action tell?"""
        return bool(self.actors or self.entities or self.ips or self.where)

    def overlaps(self, window: Window) -> bool:
        """May an event of this window be wanted?"""
        return (self.since is None or window.hi >= self.since) and (self.until is None or window.lo <= self.until)

    def wants_entry(self, entry: LogEntry) -> bool:
        """May the batch of this entry hold an event that is wanted? No for an entry without a batch."""
        return (
            entry.key is not None
            and entry.window is not None
            and entry.pass_ is not None
            and self.overlaps(entry.window)
            and (not self.passes or kind_of(entry.pass_) in self.passes)
        )

    def wants(self, event: Event) -> bool:
        """Is this event of a wanted batch wanted?

        One without a usable second stands in the window that showed it, and is wanted wherever that is. Raises
        SelectionError where the free expression cannot be evaluated on it.
        """
        return self._in_time(event) and self._by_action(event) and (not self.looks_inside or self._inside(event))

    def _in_time(self, event: Event) -> bool:
        second = event.date_create
        return second is None or (
            (self.since is None or second >= self.since) and (self.until is None or second <= self.until)
        )

    def _by_action(self, event: Event) -> bool:
        return not self.actions or (event.action is not None and bool(_pattern(self.actions).fullmatch(event.action)))

    def _inside(self, event: Event) -> bool:
        said = readable(event.raw)
        return (
            (not self.actors or _names(_field(_field(said, "actor"), "user"), ACTOR_FIELDS, self.actors))
            and (not self.entities or _names(_entity(said), ENTITY_FIELDS, self.entities))
            and (not self.ips or _lies_in(_field(_field(said, "context"), "ip_address"), _networks(self.ips)))
            and (not self.where or _holds(self.where, said, event))
        )


def selection_of(asked: Mapping[str, Any]) -> Selection:
    """Reads what was asked, as JSON has it. Raises SelectionError with what would be right."""
    try:
        selection = msgspec.convert(asked, Selection)
    except msgspec.ValidationError as error:
        raise SelectionError(f"The selection cannot be read: {error}. docs/replay.md has what can be said.") from None
    return checked(selection)


def checked(selection: Selection) -> Selection:
    """The same. Raises SelectionError for a selection that can never be meant."""
    if selection.since is not None and selection.until is not None and selection.since > selection.until:
        raise SelectionError(f"The selection starts at {selection.since}, after it ends at {selection.until}.")
    if unknown := [name for name in selection.passes if name not in PASSES]:
        raise SelectionError(f"There is no pass {unknown[0]!r}: the passes are {', '.join(PASSES)}.")
    _networks(selection.ips)
    if selection.where:
        _expression(selection.where)
    return selection


type NoObject = str | int | float | bool | list[Any] | None
"""What may stand wherever an object should: Slack changes types without notice."""


def readable(raw: bytes) -> Any:
    """An event as values; None for one that is no JSON. Half a surrogate pair is read as a question mark, and a byte
    that is no UTF-8 as a replacement character."""
    try:
        return msgspec.json.decode(raw)
    except NOT_READABLE:
        pass
    with suppress(ValueError, RecursionError):  # json takes what msgspec does not: a number like 1e999
        return json.loads(without_surrogates(raw).decode(errors="replace"))
    return None


@cache
def _pattern(actions: Sequence[str]) -> re.Pattern[str]:
    """Only `*` is special. fnmatch's patterns take linear time on any action."""
    plain = (action.replace("[", "[[]").replace("?", "[?]") for action in actions)
    return re.compile("|".join(map(translate, plain)))


@cache
def _networks(ips: Sequence[str]) -> tuple[Network, ...]:
    networks = []
    for ip in ips:
        try:
            networks.append(ip_network(ip, strict=False))
        except ValueError:
            raise SelectionError(
                f"{ip!r} is no address: say an IP such as 192.0.2.7 or 2001:db8::1, or a network such as 192.0.2.0/24."
            ) from None
    return tuple(networks)


@cache
def _expression(where: str) -> jmespath.parser.ParsedResult:
    try:
        return jmespath.compile(where)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise SelectionError(
            f"{where!r} is no JMESPath ({_reason(error)}). See https://jmespath.org/tutorial.html."
        ) from None


def _reason(error: Exception) -> str:
    """What a library says, in one short line: it may quote the event, and that may hold anything."""
    first = str(error).partition("\n")[0].rstrip(":")[:MOST_OF_A_REASON]
    return "".join(it if it.isprintable() else " " for it in first) or type(error).__name__


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _entity(said: Any) -> Any:
    """What something was done to: the field that is named as the entity's type."""
    entity = _field(said, "entity")
    return _field(entity, kind) if isinstance(kind := _field(entity, "type"), str) else None


def _names(value: Any, fields: Sequence[str], wanted: Sequence[str]) -> bool:
    """Is it one of those? Slack has numbers for ids here and there; an email's case means nothing."""
    for name in fields:
        said = _field(value, name)
        if isinstance(said, str | int) and not isinstance(said, bool):
            if str(said) in wanted:
                return True
            if name == "email" and str(said).lower() in {it.lower() for it in wanted}:
                return True
    return False


def _lies_in(address: Any, networks: Sequence[Network]) -> bool:
    """Slack writes "redacted" or nothing for some: these lie nowhere. ::ffff:192.0.2.7 is 192.0.2.7 as well."""
    if not isinstance(address, str):
        return False
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return any(ip in network or (mapped is not None and mapped in network) for network in networks)


def _holds(where: str, said: Any, event: Event) -> bool:
    try:
        found = _expression(where).search(said)
    except NOT_EVALUATED as error:
        raise SelectionError(
            f"{where!r} cannot be evaluated on event {event.id!r} ({_reason(error)}). Ask for the field first: "
            "details.reason && contains(details.reason, 'tor')."
        ) from None
    return found is not None and found is not False and found not in ("", [], {})
