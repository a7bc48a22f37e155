"""Where found events go, one after the other."""

import re
from collections.abc import Iterable
from typing import BinaryIO, Protocol

from slack_audit_cli.committed import Found
from slack_audit_cli.searching.columns import COLUMNS, row_of, visible

# What a spreadsheet takes for the start of a formula, which a display name may be: in any width.
FORMULA = frozenset("=+-@＝＋－＠")
BEGUN = re.compile(rf'(;"*)([{re.escape("".join(sorted(FORMULA)))}])')


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
        self._write(COLUMNS)

    def write(self, found: Found) -> None:
        """Its row."""
        self._write(map(cell, row_of(found).values()))

    def end(self) -> None:
        """Nothing is held back."""
        self._out.flush()

    def _write(self, cells: Iterable[str]) -> None:
        self._out.write((",".join(cells) + "\r\n").encode())


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
