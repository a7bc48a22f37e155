"""How many calls to Slack may be under way at once: as many as use up the call budget, where that is safe to do.

An answer takes one to four seconds, and 40 calls a minute are one every 1.5 seconds: asked one after another, a
backlog would wait for Slack most of the time. But what is read ahead of an answer that turns out not to be whole was
asked for in vain, so only a pass whose windows have settled is read far ahead (docs/adr/0034).
"""

from math import ceil

import msgspec

MOST_AHEAD = 3  # windows, each a page in memory
SETTLED = 0.7  # the share of a page from which a whole answer says that the window is as long as it should be
REMEMBERED = 0.8  # of the slowest call, with every call after it
STEADY = 2  # settled answers in a row for each window more


class Pace(msgspec.Struct, frozen=True):
    """`seconds` is what a call took lately, `settled` how many answers in a row were whole and well filled."""

    seconds: float = 0.0
    settled: int = 0

    def after_call(self, seconds: float) -> "Pace":
        """After a call that took so long: the slowest counts for a while."""
        return msgspec.structs.replace(self, seconds=max(seconds, self.seconds * REMEMBERED))

    def after_answer(self, *, whole: bool, filled: float) -> "Pace":
        """After an answer that filled this share of a page. A whole one with few events says nothing of the next."""
        settled = self.settled + (filled >= SETTLED) if whole else 0
        return msgspec.structs.replace(self, settled=settled)

    def ahead(self, per_minute: int) -> int:
        """How many windows to read ahead, at so many calls a minute: one at least."""
        needed = 1 + ceil(self.seconds * per_minute / 60)
        return min(MOST_AHEAD, needed, 1 + self.settled // STEADY)
