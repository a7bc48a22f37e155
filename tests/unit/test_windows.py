import pytest

from slack_audit.windows import DAY, Window, window_from
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


def test_both_ends_belong_to_a_window():
    window = Window(10, 12)
    assert [second in window for second in (9, 10, 12, 13)] == [False, True, True, False]
    assert window.seconds == 3


def test_a_window_knows_its_day():
    assert Window(DAY_START, DAY_START + 5).day == "2026-01-01"
    assert Window(DAY_START - 1, DAY_START - 1).day == "2025-12-31"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Window(1, 9), False),
        (Window(1, 10), True),
        (Window(11, 11), True),
        (Window(12, 20), True),
        (Window(13, 20), False),
    ],
)
def test_windows_that_share_a_second_overlap(other, expected):
    assert Window(10, 12).overlaps(other) is expected
    assert other.overlaps(Window(10, 12)) is expected
