import pytest

from slack_audit.windows import DAY, PAGE_LIMIT, WARY, Span, Window, window_from
from tests.builders import DAY_START


@pytest.mark.parametrize(
    ("lo", "span", "limit", "expected"),
    [
        pytest.param(DAY_START, 100, DAY_START + 500, Window(DAY_START, DAY_START + 99), id="as wide as the span"),
        pytest.param(DAY_START, 100, DAY_START + 30, Window(DAY_START, DAY_START + 30), id="no further than the limit"),
        pytest.param(
            DAY_START - 10, 100, DAY_START + 500, Window(DAY_START - 10, DAY_START - 1), id="not across midnight"
        ),
        pytest.param(DAY_START, DAY, DAY_START + 9 * DAY, Window(DAY_START, DAY_START + DAY - 1), id="a whole day"),
        pytest.param(DAY_START - 1, 9, DAY_START, Window(DAY_START - 1, DAY_START - 1), id="a day's last second"),
    ],
)
def test_the_next_window(lo, span, limit, expected):
    assert window_from(lo, span, limit) == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param(Window(10, 19), Window(10, 14), id="ten seconds"),
        pytest.param(Window(10, 12), Window(10, 11), id="three"),
        pytest.param(Window(10, 11), Window(10, 10), id="two"),
        pytest.param(Window(10, 10), Window(10, 10), id="one has no half"),
    ],
)
def test_a_cut_window_is_halved_from_its_new_end(window, expected):
    assert window.older_half() == expected
    assert Span(99).after_cut(window).seconds == expected.seconds


@pytest.mark.parametrize(
    ("span", "seconds", "count", "expected"),
    [
        pytest.param(100, 100, 0, 200, id="nothing there: doubled"),
        pytest.param(DAY, 100, 0, DAY, id="never more than a day"),
        pytest.param(100, 100, 10, 200, id="nearly nothing: at most doubled"),
        pytest.param(100, 100, PAGE_LIMIT * 6 // 10, 150, id="aims at nine tenths of a page"),
        pytest.param(100, 100, PAGE_LIMIT, 90, id="a full page: less"),
        pytest.param(100, 100, 5 * PAGE_LIMIT, 18, id="more than a page at one moment: far less"),
        pytest.param(1, 1, 25 * PAGE_LIMIT, 1, id="never less than a second"),
        pytest.param(3_600, 60, PAGE_LIMIT // 2, 108, id="by the window that was read, not by the span"),
    ],
)
def test_the_span_aims_at_nine_tenths_of_a_page(span, seconds, count, expected):
    assert Span(span).after_whole(Window(1, seconds), count).seconds == expected


def test_after_a_cut_the_same_is_not_tried_again_at_once():
    span = Span(800).after_cut(Window(1, 800))
    asked = [span.seconds]
    for _ in range(WARY + 1):
        span = span.after_whole(Window(1, span.seconds), 10)
        asked.append(span.seconds)
    assert asked == [400, 600, 600, 600, 600, 1_200]


@pytest.mark.parametrize(("page", "most"), [(100, 1.7), (1_000, 1.7), (9_999, 1.5)])
def test_a_steady_history_is_read_in_few_calls_whatever_the_size_of_a_page(page, most):
    """Calls, as a multiple of what full pages would need."""
    events, seconds = 30 * page, 200_000
    span, at, calls = Span(3_600), 0, 0
    while at < seconds:
        window = Window(at, min(at + span.seconds, seconds) - 1)
        count = events * window.hi // seconds - events * window.lo // seconds
        calls += 1
        if count > page:
            span = span.after_cut(window)
        else:
            span, at = span.after_whole(window, count), window.hi + 1
    assert calls <= most * events / page


def test_both_ends_belong_to_a_window():
    window = Window(10, 12)
    assert [second in window for second in (9, 10, 12, 13)] == [False, True, True, False]
    assert window.seconds == 3


def test_a_window_knows_its_day():
    assert Window(DAY_START, DAY_START + 5).day == "2026-01-01"
    assert Window(DAY_START - 1, DAY_START - 1).day == "2025-12-31"
