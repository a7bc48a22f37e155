"""Where found events go, one after the other."""

import csv
from typing import BinaryIO, Protocol

from slack_audit_cli.committed import Found
from slack_audit_cli.searching.columns import COLUMNS, row_of, visible

# What a spreadsheet takes for the start of a formula, which a display name may be: in any width.
FORMULA = frozenset("=+-@＝＋－＠")


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
    """CSV in UTF-8 with a header, a line per event."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._rows = csv.writer(_Encoded(out))
        self._rows.writerow(COLUMNS)

    def write(self, found: Found) -> None:
        """Its row."""
        self._rows.writerow([cell(value) for value in row_of(found).values()])

    def end(self) -> None:
        """Nothing is held back."""
        self._out.flush()


class _Encoded:
    """Text for a file of bytes, which it does not close."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """As UTF-8."""
        return self._out.write(text.encode())


def cell(value: str | int | None) -> str | int:
    """What a spreadsheet shows and does not carry out: a text that it would take for a formula has an apostrophe before
    it, as OWASP advises. Line breaks and what else is unseen is written as an escape."""
    if not isinstance(value, str):
        return "" if value is None else value
    shown = visible(value)
    return f"'{shown}" if shown[:1] in FORMULA else shown
