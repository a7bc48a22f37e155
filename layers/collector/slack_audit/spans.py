"""How much time a pass asks for at once: as much as one page can hold, by what earlier answers showed.

Nothing here decides what is archived: a wrong guess costs a call and no event. An answer that is not all of its window
proves nothing, but it shows how dense the newest part of the window is, and that plans the next windows.
"""

from bisect import bisect_left, bisect_right
from itertools import pairwise

import msgspec

from slack_audit.windows import DAY, PAGE_LIMIT, Window, window_from

FILL = 0.95  # the share of a page that a window is aimed at
GROWTH = 16  # a window is at most so many times as long as what was asked for before
SLICES = 8  # that a window is looked at in; the newest three say what comes next
FEW = 1_000  # events in a window, up to which its average says more than its slices
SHARED = 12  # windows up to midnight, up to which one less is worth a fuller page
STRETCH = 1.03  # times as long as aimed, at most, where that makes one less
WARY = 4  # whole answers after which a page that seemed small is tried to hold more
PATIENT = 1.25  # times as much, then
LEAST_RATE = 1e-6  # events a second


class Span(msgspec.Struct, frozen=True):
    """What one pass knows. Only `seconds` outlives a run.

    `page` is how many events a page seems to hold; `rate` the events a second that are expected where nothing is known;
    `known` the seconds, in order, of the events of cut answers that are still to be read, all of those from `first` to
    `last`; `cut` the end of the window that was cut last, None once an answer was whole; `cuts` more than one where the
    events of a cut answer are no guide, so that the window is halved.
    """

    seconds: int
    page: int = PAGE_LIMIT
    wary: int = 0
    rate: float | None = None
    known: tuple[int, ...] = ()
    first: int = 0
    last: int = -1
    cut: int | None = None
    cuts: int = 0

    def window(self, lo: int, limit: int) -> Window:
        """The next window from `lo` on: aimed at most of a page, smaller than one that was cut just before."""
        end = self._aimed(lo)
        if self.cut is None:
            return window_from(lo, _shared(max(1, end - lo + 1), window_from(lo, DAY, limit).seconds), limit)
        if self.cuts > 1:
            end = min(end, lo + (self.cut - lo) // 2)
        return window_from(lo, max(1, min(end, self.cut - 1) - lo + 1), limit)

    def after_cut(self, window: Window, seconds: list[int]) -> "Span":
        """After an answer that was not the whole window. `seconds` are those of its events."""
        seen = _within(window, seconds)
        page = max(1, min(len(seen), PAGE_LIMIT), self.page // 2)
        first = seen[0] + 1 if seen else window.hi + 1  # the oldest second may be there in part
        known = tuple(second for second in seen if second >= first) + tuple(s for s in self.known if s > window.hi)
        last = max(window.hi, self.last if self.first <= window.hi + 1 else window.hi)
        return msgspec.structs.replace(
            self,
            seconds=window.older_half().seconds,
            page=page,
            wary=WARY if page < PAGE_LIMIT else 0,
            rate=self._rate,
            known=known if first <= window.hi else (),
            first=first,
            last=last if first <= window.hi else -1,
            cut=window.hi,
            cuts=self.cuts + (1 if len(seen) >= self.page else 2),
        )

    def after_whole(self, window: Window, seconds: list[int]) -> "Span":
        """After all of the window. `seconds` are those of its events."""
        ahead = self.known[bisect_left(self.known, window.hi + 1) :]
        first = max(self.first, window.hi + 1)
        is_known = first <= self.last
        follows = is_known and first == window.hi + 1
        seen = _within(window, seconds)
        rate = _expected([*seen, *ahead] if follows else seen, window.lo, self.last if follows else window.hi)
        page, wary = self._page_after(len(seconds))
        longest = GROWTH * max(window.seconds, self.seconds)
        return Span(
            seconds=max(1, min(int(FILL * page / rate), longest, DAY)),
            page=page,
            wary=wary,
            rate=rate,
            known=ahead if is_known else (),
            first=first if is_known else 0,
            last=self.last if is_known else -1,
        )

    @property
    def _rate(self) -> float:
        return self.rate if self.rate is not None else FILL * self.page / self.seconds

    def _aimed(self, lo: int) -> int:
        """The last second that a page is expected to hold, from `lo` on."""
        if not self.first <= self.last or self.last < lo:
            return lo + self.seconds - 1
        target = FILL * self.page
        start = bisect_left(self.known, lo)
        count = bisect_left(self.known, self.last + 1) - start
        unknown = max(0, self.first - lo)
        density = max(LEAST_RATE, (self._rate * max(1, count) / (self.last - max(lo, self.first) + 1)) ** 0.5)
        room = target - unknown * density
        if room <= 0:
            return lo + max(1, int(target / density)) - 1
        if count <= room:
            return self.last + int((room - count) / max(LEAST_RATE, self._rate))
        return self.known[start + int(room)] - 1

    def _page_after(self, count: int) -> tuple[int, int]:
        """What a page seems to hold after a whole answer of so many events."""
        if self.page == PAGE_LIMIT:
            return self.page, 0
        if self.wary > 1:
            return max(self.page, min(count, PAGE_LIMIT)), self.wary - 1
        return min(PAGE_LIMIT, max(count, int(self.page * PATIENT) + 1)), WARY


def _within(window: Window, seconds: list[int]) -> list[int]:
    """Those of the window, in order."""
    seen = sorted(seconds)
    return seen[bisect_left(seen, window.lo) : bisect_right(seen, window.hi)]


def _shared(seconds: int, rest: int) -> int:
    """How long windows of about so many seconds are, if the rest of the day (or up to the limit) is shared out evenly:
    longer, where that makes one less of a few, for the last one of a day is seldom full."""
    windows = -(-rest // seconds)
    if 1 < windows <= SHARED and rest <= (windows - 1) * seconds * STRETCH:
        return -(-rest // (windows - 1))
    return seconds


def _expected(seconds: list[int], first: int, last: int) -> float:
    """Events a second after `last`, by the events (in order) of what lies before it. The median of the newest slices:
    one burst does not count. Of all slices, where these differ no more than by chance."""
    length, of_a_slice = last - first + 1, len(seconds) / SLICES
    if len(seconds) > FEW and length >= SLICES:
        edges = [bisect_left(seconds, first + length * number // SLICES) for number in range(SLICES - 3, SLICES)]
        edges.append(len(seconds))
        newest = sorted(after - before for before, after in pairwise(edges))[1]
        if abs(newest - of_a_slice) > of_a_slice**0.5:
            of_a_slice = newest
    return max(LEAST_RATE, of_a_slice * SLICES / length)
