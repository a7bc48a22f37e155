"""Windows of time, and the span that adapts to how much one answer can hold."""

from datetime import UTC, datetime

import msgspec

DAY = 86_400  # seconds
PAGE_LIMIT = 9_999  # events; the largest that Slack allows for one call
WARY = 4  # whole answers after a cut in which the span stays below what was cut
FILL = 0.9  # the share of a page that a window is aimed at


class Window(msgspec.Struct, frozen=True):
    """A closed range of whole seconds: both ends belong to it, as in Slack's `oldest` and `latest`."""

    lo: int
    hi: int

    @property
    def seconds(self) -> int:
        """How many seconds it has; at least one."""
        return self.hi - self.lo + 1

    @property
    def day(self) -> str:
        """The UTC day that it lies in, `YYYY-MM-DD`: a window never crosses midnight."""
        return datetime.fromtimestamp(self.lo, UTC).date().isoformat()

    def __contains__(self, second: int) -> bool:
        return self.lo <= second <= self.hi

    def overlaps(self, other: "Window") -> bool:
        """Do they share a second?"""
        return self.lo <= other.hi and other.lo <= self.hi

    def older_half(self) -> "Window":
        """The same start with half the distance to the end; of one second, itself."""
        return Window(self.lo, self.lo + (self.hi - self.lo) // 2)


def window_from(lo: int, span: int, limit: int) -> Window:
    """The window of at most `span` seconds that starts at `lo`, ends by `limit` and does not cross a UTC midnight."""
    midnight = lo - lo % DAY + DAY
    return Window(lo, min(lo + span - 1, limit, midnight - 1))


class Span(msgspec.Struct, frozen=True):
    """How many seconds a pass asks for at once. Shortly after a cut it does not try that much again: `ceiling` holds
    for the next `wary` whole answers."""

    seconds: int
    ceiling: int = DAY
    wary: int = 0

    def after_whole(self, window: Window, count: int) -> "Span":
        """Aims at a page filled to nine tenths, at most doubling what was asked for until now."""
        aimed = int(window.seconds * FILL * PAGE_LIMIT / count) if count else DAY
        ceiling = self.ceiling if self.wary else DAY
        return Span(max(1, min(aimed, 2 * self.seconds, ceiling)), self.ceiling, max(0, self.wary - 1))

    def after_cut(self, window: Window) -> "Span":
        """After an answer that was not the whole window: half of it, and for a while at most three quarters."""
        return Span(window.older_half().seconds, max(1, window.seconds * 3 // 4), WARY)
