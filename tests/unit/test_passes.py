import pytest

from slack_audit.passes import Pass, Place, finished, limits, newest_readable, standing_passes, whose_turn, without
from slack_audit.spans import Span
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
    assert Pass(100).next_window(Span(50), 999) == Window(101, 150)
    assert Pass(100, end=110).next_window(Span(50), 999) == Window(101, 110)


@pytest.mark.parametrize(("lag", "newest"), [(60, 940), (1, 999), (0, 999)])
def test_no_second_is_read_before_it_is_over(lag, newest):
    assert newest_readable(1_000, lag) == newest


def test_no_pass_reads_above_live():
    passes = {**standing_passes(501), "live": Pass(700)}
    assert limits(passes, 1_000, {"live": 60, "late": 100, "final": 400}) == {"live": 940, "late": 700, "final": 600}


def test_a_pass_without_a_lag_is_not_driven():
    assert limits(standing_passes(501), 1_000, {"live": 60}) == {"live": 940}


@pytest.mark.parametrize(
    ("last", "other", "expected"),
    [
        pytest.param(None, None, "live", id="after the genesis"),
        pytest.param("live", None, "late", id="after live"),
        pytest.param("late", "late", "live", id="live comes between any two others"),
        pytest.param("live", "late", "final", id="where the others stand is remembered"),
        pytest.param("live", "final", "backfill-a", id="after final"),
        pytest.param("live", "backfill-a", "backfill-b", id="after a backfill"),
        pytest.param("live", "backfill-b", "late", id="round again"),
        pytest.param("live", "backfill-gone", "late", id="after one that is gone"),
    ],
)
def test_passes_take_turns(last, other, expected):
    passes = {name: Pass(0) for name in ("live", "late", "final", "backfill-b", "backfill-a")}
    assert whose_turn(passes, dict.fromkeys(passes, 1_000), Place(last, other)) == expected


def test_live_goes_twice_in_a_row_only_where_nothing_else_is_due():
    passes = {"live": Pass(0), "late": Pass(990), "final": Pass(990)}
    assert whose_turn(passes, dict.fromkeys(passes, 1_000), Place("live", "late")) == "live"


def test_a_pass_that_is_not_due_is_passed_over():
    passes = {"live": Pass(990), "late": Pass(990), "final": Pass(0)}
    assert whose_turn(passes, dict.fromkeys(passes, 1_000), Place("final", "final")) == "final"
    assert whose_turn({"live": Pass(990)}, {"live": 1_000}, Place("live")) is None


def test_where_the_turns_stand_after_a_turn():
    place = Place().after("late").after("live")
    assert place == Place("live", "late")
    assert place.after("backfill-a") == Place("backfill-a", "backfill-a")
    assert place.after(None) == Place(None, "late")


def test_a_pass_with_an_end_is_finished_at_it():
    passes = {**standing_passes(5), "a": Pass(9, end=9), "b": Pass(8, end=9)}
    assert finished(passes) == ["a"]
    assert set(without(passes, "a")) == {"live", "late", "final", "b"}
