"""The checkpoint: a copy of the log's newest state, and its transitions. Frozen; each step returns the next one."""

import msgspec

from slack_audit.budget import Budget
from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import LogEntry, log_key
from slack_audit.passes import FIRST_SPAN, LIVE, Passes, Place


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where an org stands. Everything from `next` to `published` can be rebuilt from the newest log entry.

    `next` is the number of the next log entry, `head` the SHA-256 of the newest, `place` where the turns stand;
    `published` is the first entry that is not in the stream in full; `plan` the exact bytes of the entry about to be
    written; `clock` Slack's clock minus the host's, in seconds, None before it was ever seen.

    Only for figures: `streamed` is live's watermark as of the last entry that is in the stream in full, `succeeded`
    when the last run ended that did its work, `newest` when new events were last archived by a standing pass, or when
    the first run ended (both epoch seconds by the host).
    """

    next: int = 0
    head: str | None = None
    place: Place = Place()
    passes: Passes = {}
    published: int = 0
    spans: dict[str, int] = {}
    plan: bytes | None = None
    clock: int | None = None
    budget: Budget = Budget()
    streamed: int | None = None
    succeeded: int | None = None
    newest: int | None = None

    @property
    def backlog(self) -> int:
        """How many entries of the log are not in the stream yet."""
        return self.next - self.published

    def lag(self, slack_now: float) -> int | None:
        """Seconds between Slack's clock and live's watermark; None before there is one."""
        live = self.passes.get(LIVE)
        return None if live is None else int(slack_now) - live.watermark

    def publish_lag(self, slack_now: float) -> int | None:
        """Seconds between Slack's clock and the second up to which everything is in the stream; None if unknown."""
        if not self.backlog:
            return self.lag(slack_now)
        return None if self.streamed is None else int(slack_now) - self.streamed

    def span(self, name: str) -> int:
        """Seconds that the pass asks for."""
        return self.spans.get(name, FIRST_SPAN)

    def asking(self, name: str, span: int) -> "Checkpoint":
        """With another span for a pass."""
        return msgspec.structs.replace(self, spans={**self.spans, name: span})

    def planning(self, plan: bytes | None) -> "Checkpoint":
        """With the bytes of the entry about to be written, or without."""
        return msgspec.structs.replace(self, plan=plan)

    def passing_over(self, name: str) -> "Checkpoint":
        """As if it had been this pass's turn: the next one comes first."""
        return self.standing_at(self.place.after(name))

    def abandoned(self) -> "Checkpoint":
        """After a run that did not give its lease back. It was killed and kept no note of its last turn, which may be
        what killed it: live goes first."""
        return self.standing_at(Place(None, self.place.other))

    def standing_at(self, place: Place) -> "Checkpoint":
        """With the turns standing somewhere else."""
        return msgspec.structs.replace(self, place=place)

    def after(self, entry: LogEntry, head: str) -> "Checkpoint":
        """After a committed entry whose bytes have the digest `head`."""
        if (entry.number, entry.previous) != (self.next, self.head):
            raise ArchiveDamagedError(
                f"{log_key(entry.org, entry.number)} does not follow entry {self.next - 1} of the log, whose digest is "
                f"{self.head}: the log was altered. Compare both entries with their object versions and restore them."
            )
        return self.restored(entry, head, published=self.published)

    def restored(self, newest: LogEntry, head: str, *, published: int = 0) -> "Checkpoint":
        """From the newest entry alone, keeping what only the table knows."""
        return msgspec.structs.replace(
            self,
            next=newest.number + 1,
            head=head,
            place=self.place.after(newest.pass_),
            passes=newest.passes,
            published=max(published, newest.published),
            plan=None,
        )

    def delivered(self, published: int, streamed: int | None = None) -> "Checkpoint":
        """After every record of the entries below `published` was accepted by the stream. `streamed` is live's
        watermark as of the last one of them, None if none was added."""
        return msgspec.structs.replace(
            self, published=published, streamed=self.streamed if streamed is None else streamed
        )

    def enriched(self, now: float) -> "Checkpoint":
        """After new events were archived."""
        return msgspec.structs.replace(self, newest=int(now))

    def succeeding(self, now: float) -> "Checkpoint":
        """At the end of a run that did its work."""
        newest = int(now) if self.newest is None else self.newest
        return msgspec.structs.replace(self, succeeded=int(now), newest=newest)

    def timed(self, clock: int | None, budget: Budget) -> "Checkpoint":
        """With the clock and the calls as they were last seen."""
        return msgspec.structs.replace(self, clock=clock, budget=budget)
