"""How much a pass asks for at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.spans import History, bursty, calls_of_a_backfill, share, steady
from slack_audit.spans import GROWTH, WARY, Span
from slack_audit.windows import DAY, PAGE_LIMIT, Window
from tests.builders import DAY_START

LO = DAY_START
FAR = DAY_START + DAY - 1


def evenly(window: Window, count: int) -> list[int]:
    return [window.lo + at * window.seconds // count for at in range(count)]


def wide(seconds: int) -> Window:
    return Window(LO, LO + seconds - 1)


@pytest.mark.parametrize(
    ("seconds", "count", "expected"),
    [
        pytest.param(100, 0, 100 * GROWTH, id="nothing there: much more"),
        pytest.param(DAY, 0, DAY, id="never more than a day"),
        pytest.param(100, 6_000, 149, id="aims at most of a page"),
        pytest.param(100, PAGE_LIMIT, 89, id="a full page: less"),
        pytest.param(1, 25 * PAGE_LIMIT, 1, id="never less than a second"),
    ],
)
def test_after_a_whole_answer_a_window_is_aimed_at_most_of_a_page(seconds, count, expected):
    window = wide(seconds)
    assert Span(seconds).after_whole(window, evenly(window, count)).seconds == pytest.approx(expected, rel=0.04)


def test_the_newest_part_of_a_window_says_what_comes_next():
    quiet, busy = evenly(Window(LO, LO + 499), 500), evenly(Window(LO + 500, LO + 999), 5_000)
    assert Span(1_000).after_whole(wide(1_000), quiet + busy).seconds == pytest.approx(950, abs=20)


def test_one_burst_does_not_count():
    quiet, burst = evenly(wide(1_000), 2_000), [LO + 950] * 5_000
    assert Span(1_000).after_whole(wide(1_000), quiet + burst).seconds == pytest.approx(4_750, abs=100)


def test_slices_that_differ_by_chance_only_are_averaged():
    even, late = [LO + at // 4 for at in range(4_000)], [LO + 900 + at for at in range(0, 100, 5)]
    assert Span(1_000).after_whole(wide(1_000), sorted(even + late)).rate == pytest.approx(4.02, abs=0.001)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(DAY // 9 - 100, 9_600, id="nine that are a little longer instead of ten"),
        pytest.param(DAY // 9 - 400, 9_200, id="ten, where nine would be much longer"),
        pytest.param(DAY - 1_000, DAY, id="the whole day"),
        pytest.param(DAY // 20 - 10, DAY // 20 - 10, id="one less of many is not worth it"),
        pytest.param(DAY, DAY, id="one is one"),
    ],
)
def test_the_rest_of_a_day_is_shared_out_where_that_makes_one_window_less(seconds, expected):
    assert Span(seconds).window(LO, FAR + DAY).seconds == expected


def test_what_is_left_up_to_the_limit_is_taken_with_a_window_that_is_a_little_longer():
    assert Span(600).window(LO, LO + 609).seconds == 610
    assert Span(600).window(LO, LO + 699).seconds == 600


def test_after_a_cut_answer_less_is_asked_for():
    cut = wide(800)
    span = Span(800).after_cut(cut, evenly(Window(LO + 400, LO + 799), PAGE_LIMIT))
    following = span.window(LO, FAR)
    assert following.lo == LO
    assert following.seconds < 510
    assert span.seconds == 400, "what the next run asks for, which knows nothing else"


def test_what_a_cut_answer_showed_plans_the_windows_behind_it():
    """A burst is known from the answer that it cut: windows end where it fills a page."""
    cut = wide(2_000)
    span = Span(2_000).after_cut(cut, [LO + 1_900 + at // 100 for at in range(PAGE_LIMIT)])
    before = span.window(LO, FAR)
    assert LO + 300 < before.hi < LO + 1_901
    span = span.after_whole(before, [LO + 10, LO + 20])
    burst = span.window(before.hi + 1, FAR)
    assert LO + 1_970 < burst.hi < LO + 1_999


@pytest.mark.parametrize("shown", [[], [LO + 799] * 50], ids=["no event", "all of the newest second"])
def test_a_cut_answer_that_tells_nothing_halves_the_window(shown):
    assert Span(800).after_cut(wide(800), shown).window(LO, FAR).seconds <= 400


def test_a_window_that_is_cut_again_and_again_ends_at_one_second():
    span, window, cuts = Span(DAY), Window(LO, FAR), 0
    while window.seconds > 1:
        span = span.after_cut(window, [window.hi] * 20)
        smaller = span.window(LO, FAR)
        assert smaller.seconds < window.seconds
        window, cuts = smaller, cuts + 1
    assert cuts <= 20


def test_a_page_that_holds_less_than_slack_says_is_noticed_and_tried_again_later():
    span = Span(800)
    for _ in range(8):
        span = span.after_cut(wide(800), evenly(wide(800), 100))
    assert span.page == 100
    for _ in range(WARY):
        span = span.after_whole(wide(90), evenly(wide(90), 90))
    assert span.page == 126


def test_one_short_page_is_forgotten():
    span = Span(800).after_cut(wide(800), evenly(wide(800), 3))
    for _ in range(30):
        span = span.after_whole(wide(100), evenly(wide(100), 4_000))
    assert span.page == PAGE_LIMIT


@pytest.mark.parametrize(("rate", "days"), [pytest.param(1, 4, id="1 a second"), pytest.param(10, 2, id="10 a second")])
def test_a_steady_history_takes_at_most_a_fifth_more_calls_than_full_pages(rate, days):
    assert share(steady(rate, days)) <= 1.2


def test_a_day_of_nine_pages_is_read_with_nine_or_ten_calls():
    assert calls_of_a_backfill(steady(1, 6)) <= 58


@pytest.mark.parametrize(
    "bursts",
    [pytest.param(12, id="20 a second, 12 bursts a day"), pytest.param(24, id="20 a second, 24 bursts a day")],
)
def test_a_bursty_history_takes_at_most_half_more_calls_than_full_pages(bursts):
    assert share(bursty(20, bursts, 1)) <= 1.5


@pytest.mark.parametrize("page", [100, 1_000, 5_000])
def test_pages_that_hold_less_than_slack_says_are_learned(page):
    assert share(steady(page / 1_500, 2), page) <= 1.8


@settings(max_examples=60, deadline=None)
@given(
    per_second=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 400)), max_size=40),
    page=st.integers(1, 300),
)
def test_any_history_is_read_to_its_end(per_second, page):
    counts = [0] * 900
    for second, count in per_second:
        counts[min(second, 899)] += count
    assert calls_of_a_backfill(History(counts), page) < 40 * 20 + 2 * sum(counts)
