"""Orders for backfills: what is understood, what is refused and why, and what they do to the passes."""

import pytest

from slack_audit.backfill import MOST_AT_ONCE, Cancel, List, Pause, Start, order_of, remaining, states
from slack_audit.errors import SettingsError
from slack_audit.passes import Pass, standing_passes
from slack_audit.windows import DAY
from tests.builders import DAY_START

NOW = DAY_START + 40_000
PASSES = standing_passes(DAY_START)
MARCH_2018 = 1_519_862_400


def start(lo: object, hi: object, **more: object) -> Start:
    order = order_of({"from": lo, "to": hi, **more})
    assert isinstance(order, Start)
    return order


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        pytest.param("2026-01-01", DAY_START, DAY_START + DAY - 1, id="a day is from its first second to its last"),
        pytest.param("20260101", DAY_START, DAY_START + DAY - 1, id="a day without hyphens"),
        pytest.param("2026-01-01T00:00:00Z", DAY_START, DAY_START, id="a time"),
        pytest.param("2026-01-01T00:00:00", DAY_START, DAY_START, id="a time without a zone is UTC"),
        pytest.param("2026-01-01 01:00:00+01:00", DAY_START, DAY_START, id="a time of another zone"),
        pytest.param("2026-01-01T00:00:00.9Z", DAY_START, DAY_START, id="a fraction of a second"),
        pytest.param(DAY_START, DAY_START, DAY_START, id="epoch seconds"),
    ],
)
def test_a_range_is_days_times_or_epoch_seconds(value, first, last):
    order = start(value, value)
    assert (order.lo, order.hi) == (first, last)


def test_a_backfill_is_not_published_unless_that_is_asked_for():
    assert start(DAY_START, DAY_START).publish is False
    assert start(DAY_START, DAY_START, publish=True).publish is True


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        pytest.param({"from": MARCH_2018 - 1, "to": DAY_START}, "2018-02-28T23:59:59Z.*no audit events", id="too old"),
        pytest.param({"from": "2026-01-02", "to": "2026-01-01"}, "before its start", id="end before start"),
        pytest.param({"from": "yesterday", "to": "2026-01-01"}, "from is 'yesterday'", id="no time"),
        pytest.param({"from": "2026-01-01", "to": None}, "to is None", id="nothing"),
        pytest.param({"from": True, "to": "2026-01-01"}, "from is True", id="a truth"),
        pytest.param({"from": 1.5e9, "to": "2026-01-01"}, "from is 1500000000.0", id="a fraction"),
        pytest.param({"from": -1, "to": "2026-01-01"}, "from is -1", id="before 1970"),
        pytest.param({"from": 10**12, "to": 10**12}, "from is 1000000000000", id="milliseconds"),
        pytest.param({"from": "0001-01-01T00:00:00+01:00", "to": "2026-01-01"}, "from is '0001", id="the year 0"),
        pytest.param({"from": "2026-01-01", "to": "9999-12-31T23:59:59-01:00"}, "to is '9999", id="the year 10000"),
        pytest.param({"from": "2026-01-01", "to": "2026-01-31t12"}, "to is '2026-01-31t12'", id="a small t"),
        pytest.param({"from": "2026-W01", "to": "2026-01-31"}, "from is '2026-W01'", id="a week"),
        pytest.param({"from": "2026-01-32", "to": "2026-01-31"}, "from is '2026-01-32'", id="no such day"),
        pytest.param(
            {"from": "2026-01-01", "to": "2026-01-01", "publish": "no"}, "must be true or false", id="publish"
        ),
        pytest.param({"from": "2026-01-01"}, "not understood", id="no end"),
        pytest.param({"from": "2026-01-01", "to": "2026-01-01", "name": "x"}, "not understood", id="something else"),
        pytest.param({"pause": 7}, "not understood", id="a name that is none"),
        pytest.param({"list": False}, "not understood", id="not a list"),
        pytest.param({"stop": "x"}, "not understood", id="an unknown verb"),
        pytest.param({}, "Send one of", id="empty"),
        pytest.param("list", "Send one of", id="a text"),
    ],
)
def test_nonsense_is_refused_with_the_reason(wanted, says):
    with pytest.raises(SettingsError, match=says):
        order_of(wanted)


def test_the_other_orders():
    assert order_of({"list": True}) == List()
    assert order_of({"pause": "x"}) == Pause("x", paused=True)
    assert order_of({"resume": "x"}) == Pause("x", paused=False)
    assert order_of({"cancel": "x"}) == Cancel("x")


def test_a_start_adds_a_pass_with_an_end_and_is_carried_out_once():
    order = start("2025-12-01", "2025-12-31", publish=True)
    passes = order.applied(PASSES, NOW)
    assert passes == {**PASSES, order.name: Pass(order.lo - 1, order.hi, publish=True)}
    moved = {**passes, order.name: passes[order.name].at(order.lo + 500)}
    assert order.applied(moved, NOW) == moved


def test_the_same_range_cannot_be_both_published_and_not():
    passes = start("2025-12-01", "2025-12-31").applied(PASSES, NOW)
    with pytest.raises(SettingsError, match="is under way with publish=false: cancel it first"):
        start("2025-12-01", "2025-12-31", publish=True).applied(passes, NOW)


def test_today_may_be_asked_for_and_tomorrow_may_not():
    assert start("2026-01-01", "2026-01-01").applied(PASSES, NOW) != PASSES
    with pytest.raises(SettingsError, match="after today"):
        start("2026-01-01", DAY_START + DAY).applied(PASSES, NOW)


def test_only_so_many_at_once():
    passes = PASSES
    for number in range(MOST_AT_ONCE):
        passes = start(DAY_START - DAY + number, DAY_START).applied(passes, NOW)
    with pytest.raises(SettingsError, match="10 backfills are under way"):
        start("2025-12-01", "2025-12-31").applied(passes, NOW)
    assert start(DAY_START - DAY, DAY_START).applied(passes, NOW) == passes


def test_pause_resume_and_cancel():
    order = start("2025-12-01", "2025-12-31")
    passes = order.applied(PASSES, NOW)
    paused = Pause(order.name, paused=True).applied(passes, NOW)
    assert paused[order.name].paused
    assert Pause(order.name, paused=True).applied(paused, NOW) == paused
    assert Pause(order.name, paused=False).applied(paused, NOW) == passes
    assert Cancel(order.name).applied(paused, NOW) == PASSES


@pytest.mark.parametrize("name", ["backfill-1-2", "live", "final"])
def test_only_a_backfill_that_is_there_can_be_changed(name):
    passes = start("2025-12-01", "2025-12-01").applied(PASSES, NOW)
    for order in (Pause(name, paused=True), Pause(name, paused=False), Cancel(name)):
        with pytest.raises(SettingsError, match=f"no backfill '{name}'.*Now: backfill-1764547200-1764633599"):
            order.applied(passes, NOW)


def test_a_person_is_told_how_far_each_is():
    order = start("2025-12-01", "2025-12-02")
    passes = order.applied(PASSES, NOW)
    passes[order.name] = passes[order.name].at(order.lo + DAY - 1)
    (state,) = states(passes)
    assert (state.from_, state.to, state.read_up_to, state.remaining_seconds) == (
        "2025-12-01T00:00:00Z",
        "2025-12-02T23:59:59Z",
        "2025-12-01T23:59:59Z",
        DAY,
    )
    assert remaining(passes) == DAY
    assert (states(PASSES), remaining(PASSES)) == ([], 0)
