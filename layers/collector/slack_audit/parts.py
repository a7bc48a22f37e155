"""What a run is given, and what it gives back."""

import msgspec

from slack_audit.log import Filters
from slack_audit.ports import Ahead, Archive, Checkpoints, Clock, Sink, Source


class Parts(msgspec.Struct, frozen=True):
    """The outside world of one run. `owner` is new for every run: it is the name on the lease."""

    owner: str
    source: Source
    archive: Archive
    checkpoints: Checkpoints
    sink: Sink
    clock: Clock
    ahead: Ahead


class Policy(msgspec.Struct, frozen=True):
    """What a run does. `lags` names the passes that it drives, with their distance in seconds to Slack's clock."""

    org: str
    filters: Filters
    lags: dict[str, int]
    lookback_hours: int
    calls_per_minute: int
    version: str


class Report(msgspec.Struct, kw_only=True):
    """What the run did. `lag` is the distance of live's watermark to Slack's clock in seconds, `backlog` the number of
    log entries that are not in the stream in full."""

    org: str
    stopped: str = "failed"
    windows: int = 0
    batches: int = 0
    events: int = 0
    repeats: int = 0
    out_of_range: int = 0
    calls: int = 0
    rate_limited: int = 0
    published: int = 0
    failed_records: int = 0
    pointers: int = 0
    publishing: str = "not_tried"
    backlog: int | None = None
    watermark: int | None = None
    lag: int | None = None
