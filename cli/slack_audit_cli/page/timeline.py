"""Counts over time in as many bars as a chart can show, however long the time is."""

from collections import Counter

WIDTHS = (60, 300, 900, 3_600, 21_600, 86_400, 604_800, 2_419_200)  # seconds of a bar
ORIGIN = 345_600  # 1970-01-05, a Monday: bars of a week start on one
MOST_BARS = 170  # a week of hours


def width_of(span: int) -> int:
    """The narrowest bars that are few enough for so many seconds."""
    return next((it for it in WIDTHS if span // it < MOST_BARS), WIDTHS[-1])


class Timeline:
    """Counts by bar and series. The bars become wider as the time grows, so there are never many more of them."""

    def __init__(self, since: int | None, until: int | None) -> None:
        self._lo, self._hi = since, until
        self.width = WIDTHS[0]
        self._counts: Counter[tuple[int, int]] = Counter()
        if since is not None and until is not None:
            self.width = width_of(until - since)

    def add(self, second: int, series: int) -> None:
        """One more event of a series."""
        lo = self._lo = second if self._lo is None or second < self._lo else self._lo
        hi = self._hi = second if self._hi is None or second > self._hi else self._hi
        if (hi - lo) // self.width >= MOST_BARS:
            self._widen(width_of(hi - lo))
        self._counts[(second - ORIGIN) // self.width, series] += 1

    def counts(self) -> list[tuple[int, int, int]]:
        """The bar's first second, the series and how many, in order."""
        width = self.width
        return [(bar * width + ORIGIN, series, count) for (bar, series), count in sorted(self._counts.items())]

    def _widen(self, width: int) -> None:
        """Every width divides the next ones."""
        before, self._counts = self._counts, Counter()
        for (bar, series), count in before.items():
            self._counts[bar * self.width // width, series] += count
        self.width = width
