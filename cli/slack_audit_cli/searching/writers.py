"""Where found events go, one after the other."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import BinaryIO, Protocol

from msgspec.structs import astuple

from slack_audit_cli.committed import Found
from slack_audit_cli.searching.columns import COLUMNS, Row, row_of, visible

# What a spreadsheet takes for the start of a formula, which a display name may be: in any width.
FORMULA = frozenset("=+-@＝＋－＠")
BEGUN = re.compile(rf'(;"*)([{re.escape("".join(sorted(FORMULA)))}])')
BEGUN_RAW = re.compile(rb';"*[=+@-]')  # the same in ASCII
PRINTABLE = bytes(range(32, 127))
QUOTE, REPLACED = ord('"'), "\ufffd"
ROLES = bytes(ord("," if it in ",;" else "=" if it in "=+-@" else it) for it in map(chr, range(256)))
AGENT, EVENT = COLUMNS.index("user_agent"), COLUMNS.index("event")


class Writer(Protocol):
    """Takes events in their order."""

    def write(self, found: Found) -> None:
        """One more. Raises OSError."""

    def end(self) -> None:
        """No more: what was held back is written. Raises OSError."""


class Lines:
    """NDJSON: each event's bytes as Slack sent them."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, found: Found) -> None:
        """Its line."""
        self._out.write(found.event.raw + b"\n")

    def end(self) -> None:
        """Nothing is held back."""
        self._out.flush()


class Sheet:
    """CSV in UTF-8 with a header, a line per event (RFC 4180). Python's own writer takes three times as long."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._out.write((",".join(COLUMNS) + "\r\n").encode())

    def write(self, found: Found) -> None:
        """Its row."""
        self._out.write(_line(row_of(found), found.event.raw))

    def end(self) -> None:
        """Nothing is held back."""
        self._out.flush()


def _line(row: Row, raw: bytes) -> bytes:
    """Of a row, and of its event's bytes."""
    values = astuple(row)
    agent_and_more = ",".join((_often(row.user_agent), *map(cell, values[AGENT + 1 : EVENT]))).encode()
    place = f"{_often(row.pass_)},{row.entry},{_often(row.object)},{row.line}\r\n".encode()
    return b",".join((_cells(values[:AGENT]), agent_and_more, _event(row.event, raw), place))


def _cells(values: Sequence[str | int | None]) -> bytes:
    """Some of them. Most are short and plain, which is told of all of them faster than of each."""
    joined = ",".join(["" if it is None else str(it) for it in values]).encode()
    roles = b"," + joined.translate(ROLES)
    if QUOTE not in roles and roles.find(b",=") < 0 and joined.count(b",") == len(values) - 1 and _is_plain(joined):
        return joined
    return ",".join(map(cell, values)).encode()


def _event(said: str, raw: bytes) -> bytes:
    """The cell of an event's text, which its bytes are, too, unless they are no UTF-8."""
    if raw.startswith(b'{"') and REPLACED not in said and _is_plain(raw) and not BEGUN_RAW.search(raw):
        return b'"' + raw.replace(b'"', b'""') + b'"'
    return cell(said).encode()


def _is_plain(said: bytes) -> bool:
    """Is all of it shown as it is? Most is ASCII, and what is not is little."""
    rest = said.translate(None, PRINTABLE)
    return not rest or ((others := rest.decode()).isprintable() and FORMULA.isdisjoint(others))


def cell(value: str | int | None) -> str:
    """As it stands between commas: no text in it has a line break."""
    if value is None or value == "":
        return ""
    said = inert(value) if isinstance(value, str) else str(value)
    return '"' + said.replace('"', '""') + '"' if '"' in said or "," in said else said


def inert(said: str) -> str:
    """What a spreadsheet shows and does not carry out: a text that it would take for a formula has an apostrophe before
    it, as OWASP advises, also after a semicolon, where spreadsheets of many countries begin a cell. Line breaks and
    what else is unseen is written as an escape."""
    shown = BEGUN.sub(r"\1'\2", visible(said)) if ";" in said else visible(said)
    return f"'{shown}" if shown[:1] in FORMULA else shown


_often = lru_cache(1_024)(cell)  # of what many events have in common
