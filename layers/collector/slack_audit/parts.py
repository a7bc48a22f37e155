"""What a run is given, and what it gives back."""

import msgspec

from slack_audit.log import Filters
from slack_audit.ports import Archive, Beside, Catalog, Checkpoints, Clock, Sink, Source
from slack_audit.prepare import Prepared


class Parts(msgspec.Struct, frozen=True):
    """The outside world of one run. `owner` is new for every run: it is the name on the lease. `ahead` starts calls of
    the source, `sending` calls of the sink."""

    owner: str
    source: Source
    archive: Archive
    checkpoints: Checkpoints
    sink: Sink
    clock: Clock
    ahead: Beside
    sending: Beside
    catalog: Catalog


class Policy(msgspec.Struct, frozen=True):
    """What a run does.

    `lags` names the kinds of passes that it drives (`live`, `late`, `final`, `backfill`), with their distance to
    Slack's clock in seconds.
    """

    org: str
    filters: Filters
    lags: dict[str, int]
    lookback_hours: int
    calls_per_minute: int
    version: str


class Report(msgspec.Struct, kw_only=True):
    """What the run did. `lag` is the distance of live's watermark to Slack's clock in seconds, `backlog` the number of
    log entries that are not in the stream in full, `publish_lag` the distance of the second up to which everything is
    in the stream. `found` and `longest_delay` are by the kind of a pass: events archived, and the most seconds between
    an event's `date_create` and its first sight."""

    org: str
    stopped: str = "failed"
    windows: int = 0
    batches: int = 0
    events: int = 0
    found: dict[str, int] = {}
    longest_delay: dict[str, int] = {}
    held: int = 0
    repeats: int = 0
    out_of_range: int = 0
    calls: int = 0
    calls_by_status: dict[str, int] = {}
    rate_limited: int = 0
    rate_limit_wait: int = 0
    published: int = 0
    failed_records: int = 0
    pointers: int = 0
    publishing: str = "not_tried"
    backlog: int | None = None
    watermark: int | None = None
    lag: int | None = None
    publish_lag: int | None = None
    backfill_remaining: int | None = None

    def note_window(self, kind: str, ready: Prepared, longest_delay: int | None) -> None:
        """Of a window that was committed by a pass of this kind."""
        self.windows += 1
        self.batches += ready.batch is not None
        self.events += ready.count
        self.out_of_range += ready.out_of_range
        self.repeats += ready.repeats
        self.held += ready.held
        self.found[kind] = self.found.get(kind, 0) + ready.count
        if longest_delay is not None:
            self.longest_delay[kind] = max(longest_delay, self.longest_delay.get(kind, 0))
