"""Cursors as Slack's documents describe them: opaque base64 that often ends in `=`, and expires.

A cursor holds a position and nothing of the question: without `oldest` a walk goes on to the beginning of history.
"""

import base64
import binascii
from dataclasses import dataclass

from local.slack.history import Place

_MARK = "audit"


class BrokenCursorError(ValueError):
    """This text was never a cursor of ours."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page starts, when that was said, and whether the page that said it was empty."""

    place: Place
    issued: float
    after_empty: bool = False

    def encode(self) -> str:
        """Base64 that ends in `=`, so that whoever forgets to escape it finds out."""
        second, rank, seed = self.place
        text = f"{_MARK}:{second}:{rank}:{seed}:{int(self.issued * 1000)}:{int(self.after_empty)}"
        padded = text + ":" * (len(text) % 3 == 0)
        return base64.b64encode(padded.encode()).decode()

    def expired(self, now: float, life: float | None) -> bool:
        """Whether it was issued longer ago than cursors live."""
        return life is not None and now - self.issued > life


def decode(text: str) -> Cursor:
    """The cursor that `encode` wrote."""
    try:
        mark, *numbers = base64.b64decode(text, validate=True).decode("ascii").rstrip(":").split(":")
        second, rank, seed, issued, after_empty = map(int, numbers)
    except (binascii.Error, ValueError) as error:
        raise BrokenCursorError(text) from error
    if mark != _MARK:
        raise BrokenCursorError(text)
    return Cursor(Place(second, rank, seed), issued / 1000, bool(after_empty))
