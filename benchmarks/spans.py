"""How many calls a full-speed backfill takes, as a multiple of what full pages of 9,999 events would need.

python -m benchmarks.spans            a table over generated histories

Steady histories have the same rate all day. Bursty ones follow a working day (six times as much at noon as at night),
with so many bursts a day, each of 1,000 to 20,000 events within one to ten minutes. A window never crosses midnight, so
a day costs at least one call, and the last one of a day is seldom full: quiet organisations pay for that, but their
whole history is a few thousand calls.
"""

import math
import random
from array import array
from bisect import bisect_right
from itertools import accumulate

from rich.console import Console
from rich.table import Table

from slack_audit.passes import FIRST_SPAN, Pass
from slack_audit.spans import Span
from slack_audit.windows import DAY, PAGE_LIMIT, Window

START = 20_454 * DAY  # a midnight


class History:
    """Events per second of some days, and what Slack would answer for a window of them."""

    def __init__(self, per_second: list[int]) -> None:
        self.seconds = len(per_second)
        self._before = array("q", accumulate(per_second, initial=0))

    @property
    def events(self) -> int:
        """All of them."""
        return self._before[-1]

    def answer(self, window: Window, page: int = PAGE_LIMIT) -> list[int]:
        """The seconds of the newest events of the window, at most a page of them, in order."""
        lo, hi = window.lo - START, window.hi - START
        first = max(lo, bisect_right(self._before, self._before[hi + 1] - page) - 1)
        shown = [START + s for s in range(first, hi + 1) for _ in range(self._before[s + 1] - self._before[s])]
        return shown[-page:]

    def count(self, window: Window) -> int:
        """How many events it has."""
        return self._before[window.hi - START + 1] - self._before[window.lo - START]


def steady(rate: float, days: int, seed: int = 1) -> History:
    """The same rate all day: events a second."""
    chance = random.Random(seed)
    return History([_poisson(chance, rate) for _ in range(days * DAY)])


def bursty(rate: float, bursts: float, days: int, seed: int = 1) -> History:
    """A working day, and bursts a day."""
    chance = random.Random(seed)
    per_second = [_poisson(chance, rate * _working_day(second % DAY / 3_600)) for second in range(days * DAY)]
    for day in range(days):
        for _ in range(_poisson(chance, bursts)):
            at, length = day * DAY + chance.randrange(DAY), chance.randint(60, 600)
            for _ in range(chance.randint(1_000, 20_000)):
                per_second[min(at + chance.randrange(length), days * DAY - 1)] += 1
    return History(per_second)


def _working_day(hour: float) -> float:
    return 0.3 + (1.5 * math.sin((hour - 6) / 14 * math.pi) if 6 <= hour <= 20 else 0.0)


def _poisson(chance: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def calls_of_a_backfill(history: History, page: int = PAGE_LIMIT) -> int:
    """Calls that a backfill of the whole history makes."""
    state, span, calls = Pass(START - 1), Span(FIRST_SPAN), 0
    end = START + history.seconds - 1
    while state.watermark < end:
        window = state.next_window(span, end)
        count = history.count(window)
        calls += 1
        if count > page and window.seconds > 1:
            span = span.after_cut(window, history.answer(window, page))
            continue
        calls += 2 * (count // page)  # a crowded second is walked twice
        span = span.after_whole(window, history.answer(window, count))
        state = state.at(window.hi)
    return calls


def share(history: History, page: int = PAGE_LIMIT) -> float:
    """Calls, as a multiple of what full pages would need."""
    return calls_of_a_backfill(history, page) / (history.events / page)


def _show() -> None:
    table = Table(title="Calls of a full-speed backfill")
    for name in ("history", "events", "calls", "full pages", "multiple"):
        table.add_column(name, justify="left" if name == "history" else "right")
    histories = {f"steady, {rate} a second": steady(rate, 5) for rate in (0.3, 1, 3, 10, 50)}
    histories |= {
        f"bursty, {rate} a second, {bursts} bursts a day": bursty(rate, bursts, 7)
        for rate, bursts in ((2, 6), (5, 6), (10, 12), (20, 6), (20, 24), (50, 24))
    }
    for name, history in histories.items():
        calls, ideal = calls_of_a_backfill(history), history.events / PAGE_LIMIT
        table.add_row(name, f"{history.events:,}", f"{calls:,}", f"{ideal:,.0f}", f"{calls / ideal:.2f}")
    Console().print(table)


if __name__ == "__main__":
    _show()
