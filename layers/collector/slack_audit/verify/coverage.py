"""What an archive covers: which stretches of time each pass read, with how many events, under which filters."""

from datetime import datetime

import msgspec

from slack_audit.verify.evidence import Entry, Filters


class PassCoverage(msgspec.Struct):
    """What one pass read. `first` and `last` are the first and last second, None before its first window."""

    name: str
    created: int  # the entry that made it
    watermark: int  # after the newest entry that has it
    end: int | None  # of a backfill
    state: str = "running"  # running, paused, or for a backfill ended or cancelled
    first: int | None = None
    last: int | None = None
    windows: int = 0
    events: int = 0
    seconds: int = 0
    gaps: int = 0  # stretches between two of its windows that it did not read
    missing: int = 0  # seconds in them


class Since(msgspec.Struct, frozen=True):
    """Something that holds from an entry on, until the next one."""

    entry: int
    time: datetime
    filters: Filters
    version: str


class Coverage(msgspec.Struct):
    """The figures of a verification. `stored` and `unpacked` are bytes; `days` counts events by `dt=`."""

    entries: int = 0
    objects: int = 0
    stored: int = 0
    unpacked: int = 0
    events: int = 0
    exempt: int = 0  # events without a usable second
    calls: int = 0
    first_time: datetime | None = None
    newest_time: datetime | None = None
    published: int = 0
    passes: list[PassCoverage] = []
    in_force: list[Since] = []
    days: dict[str, int] = {}

    def starts_from(self, entry: Entry) -> None:
        """The passes that are there before the first entry that is looked at."""
        self._follow_passes(entry)

    def add(self, entry: Entry) -> None:
        """One more entry of the log, in its order."""
        self.entries += 1
        self.calls += entry.calls
        self.first_time = self.first_time or entry.time
        self.newest_time = entry.time
        self.published = entry.published
        self._follow_passes(entry)
        self._note_what_is_in_force(entry)
        if entry.window is not None and (read := self._current(entry.pass_)) is not None:
            _extend(read, entry.window.lo, entry.window.hi)
            read.events += entry.count

    def add_object(self, day: str, *, stored: int, unpacked: int, events: int, exempt: int) -> None:
        """One more batch that is as its entry says."""
        self.objects += 1
        self.stored += stored
        self.unpacked += unpacked
        self.events += events
        self.exempt += exempt
        self.days[day] = self.days.get(day, 0) + events

    def lag(self, name: str) -> int | None:
        """Seconds from what the pass has read to the newest entry."""
        read = self._current(name)
        if read is None or self.newest_time is None:
            return None
        return int(self.newest_time.timestamp()) - read.watermark

    def _current(self, name: str | None) -> PassCoverage | None:
        return next((it for it in reversed(self.passes) if it.name == name), None)

    def _follow_passes(self, entry: Entry) -> None:
        for name, it in entry.passes.items():
            read = self._current(name)
            if read is None or read.state in {"ended", "cancelled"}:
                read = PassCoverage(name, entry.number, it.watermark, it.end)
                self.passes.append(read)
            read.watermark, read.state = it.watermark, "paused" if it.paused else "running"
        for read in self.passes:
            if read.name not in entry.passes and read.state in {"running", "paused"}:
                read.state = "ended" if read.watermark == read.end else "cancelled"

    def _note_what_is_in_force(self, entry: Entry) -> None:
        newest = self.in_force[-1] if self.in_force else None
        if newest is None or (newest.filters, newest.version) != (entry.filters, entry.version):
            self.in_force.append(Since(entry.number, entry.time, entry.filters, entry.version))


def _extend(read: PassCoverage, lo: int, hi: int) -> None:
    if read.last is not None and lo > read.last + 1:
        read.gaps += 1
        read.missing += lo - read.last - 1
    read.first = lo if read.first is None else read.first
    read.last = hi if read.last is None else max(read.last, hi)
    read.windows += 1
    read.seconds += max(0, hi - lo + 1)
