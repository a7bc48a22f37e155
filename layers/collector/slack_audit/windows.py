"""Windows of time: closed ranges of whole seconds."""

from datetime import UTC, datetime

import msgspec

DAY = 86_400  # seconds
PAGE_LIMIT = 9_999  # events; the largest that Slack allows for one call


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
