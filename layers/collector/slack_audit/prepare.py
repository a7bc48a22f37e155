"""A whole answer made ready for the archive: what does not belong and what is held is dropped, the rest is a batch."""

import msgspec

from slack_audit.batches import Batch, batch_of, belonging, in_order
from slack_audit.events import Event
from slack_audit.held import Holdings
from slack_audit.passes import LIVE
from slack_audit.windows import Window


class Prepared(msgspec.Struct, frozen=True):
    """The batch, None if nothing is new, and how many events were dropped and why."""

    batch: Batch | None
    out_of_range: int
    repeats: int
    held: int

    @property
    def count(self) -> int:
        """How many events are new."""
        return len(self.batch.events) if self.batch else 0

    def longest_delay(self, seen_at: int) -> int | None:
        """The most seconds between an event's second and its first sight at `seen_at`; None without such an event."""
        events = self.batch.events if self.batch else []
        oldest = next((event.date_create for event in events if event.date_create is not None), None)  # in their order
        return None if oldest is None else seen_at - oldest


def prepared(org: str, name: str, window: Window, events: list[Event], *, holdings: Holdings, number: int) -> Prepared:
    """What the pass `name` archives of its window as entry `number`. Raises StorageError.

    To be called after the entry before was committed and never when an answer was read ahead: in between, another
    window may have archived the same events. Live has nothing to drop, for no pass reads above its watermark.
    """
    belong = belonging(events, window)
    unique = in_order(belong)
    held = holdings.ids(window, unique, number) if unique and name != LIVE else set()
    new = [event for event in unique if event.id not in held] if held else unique
    return Prepared(
        batch=batch_of(org, window, number, new) if new else None,
        out_of_range=len(events) - len(belong),
        repeats=len(belong) - len(unique),
        held=len(unique) - len(new),
    )
