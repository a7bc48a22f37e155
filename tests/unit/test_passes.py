import pytest

from slack_audit.passes import Pass, limits, newest_readable, standing_passes, whose_turn
from slack_audit.windows import Window


@pytest.mark.parametrize(
    ("state", "limit", "due"),
    [
        pytest.param(Pass(100), 129, False, id="29 seconds are left for the next run"),
        pytest.param(Pass(100), 130, True, id="30 seconds"),
        pytest.param(Pass(100), 90, False, id="the limit is behind"),
        pytest.param(Pass(100, paused=True), 9_999, False, id="paused"),
        pytest.param(Pass(100, end=105), 105, True, id="the rest up to its end, however short"),
        pytest.param(Pass(100, end=105), 104, False, id="its end is not readable yet"),
        pytest.param(Pass(105, end=105), 9_999, False, id="at its end"),
        pytest.param(Pass(100, end=900), 140, True, id="far from its end"),
    ],
)
def test_when_a_pass_is_due(state, limit, due):
    assert state.is_due(limit) is due


def test_the_next_window_follows_the_watermark_and_ends_with_the_pass():
    assert Pass(100).next_window(50, 999) == Window(101, 150)
    assert Pass(100, end=110).next_window(50, 999) == Window(101, 110)


@pytest.mark.parametrize(("lag", "newest"), [(60, 940), (1, 999), (0, 999)])
def test_no_second_is_read_before_it_is_over(lag, newest):
    assert newest_readable(1_000, lag) == newest


def test_no_pass_reads_above_live():
    passes = {**standing_passes(501), "live": Pass(700)}
    assert limits(passes, 1_000, {"live": 60, "late": 100, "final": 400}) == {"live": 940, "late": 700, "final": 600}


def test_a_pass_without_a_lag_is_not_driven():
    assert limits(standing_passes(501), 1_000, {"live": 60}) == {"live": 940}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(None, "live", id="after the genesis"),
        pytest.param("live", "late", id="after live"),
        pytest.param("late", "final", id="after late"),
        pytest.param("final", "backfill-a", id="after final"),
        pytest.param("backfill-a", "backfill-b", id="after a backfill"),
        pytest.param("backfill-b", "live", id="round again"),
        pytest.param("backfill-gone", "live", id="after one that is gone"),
    ],
)
def test_passes_take_turns(last, expected):
    passes = {name: Pass(0) for name in ("live", "late", "final", "backfill-b", "backfill-a")}
    assert whose_turn(passes, dict.fromkeys(passes, 1_000), last) == expected


def test_a_pass_that_is_not_due_is_passed_over():
    passes = {"live": Pass(0), "late": Pass(990), "final": Pass(0)}
    assert whose_turn(passes, dict.fromkeys(passes, 1_000), "live") == "final"
    assert whose_turn({"live": Pass(990)}, {"live": 1_000}, "live") is None
