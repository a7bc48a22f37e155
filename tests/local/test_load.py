"""The day under load, half an hour long and at a small rate: so that the benchmark goes on working, and all that it does."""

import json
from collections import Counter

import pytest

from benchmarks.load.plan import HOUR, START, Plan
from benchmarks.load.proof import Seen
from benchmarks.load.recipe import Recipe
from benchmarks.load.record import Metrics, read
from benchmarks.load.stage import running

PLAN = Plan(hours=0.5, rate=4, seed=4, late=0.05, aws_chance=0.03, slack_chance=0.1, slow_chance=0.02, kill_chance=0.04)


def test_half_an_hour_in_which_everything_goes_wrong_loses_nothing(tmp_path):
    with running(PLAN, tmp_path) as simulation:
        simulation.run()
        findings = simulation.findings()
    assert findings.faults == []
    assert findings.proof.proven
    assert findings.archive.met == findings.happened == 7_200
    rows = [json.loads(line) for line in (tmp_path / "rows.ndjson").read_text().splitlines()]
    states = Counter(row["state"] for row in rows)
    assert states.keys() >= {"done", "failed", "killed", "lease busy"}
    assert findings.starts == states["killed"] + 1
    assert findings.slack["faults_spoiled"] > 5
    assert sum(row.get("spoiled", 0) for row in rows) > 5
    assert max(row["lag"] for row in rows) > 300
    assert rows[-1]["backlog"] == 0
    assert all(row["peak"] > 20_000 and row["cpu"] > 0 for row in rows if row["state"] == "done")
    names = {series.metric for series in simulation.metrics.series()}
    assert {"LiveLag", "EventsPublished", "VerifyFindings", "NewActions", "Duration"} <= names


@pytest.fixture(scope="module")
def recipe():
    return Recipe(Plan(hours=1, rate=100, late=0.1))


def test_a_recipe_has_the_plans_events_and_one_second_that_no_page_holds(recipe):
    assert recipe.total == 360_000
    assert max(recipe.counts) > 9_999
    assert recipe.count(START, START + HOUR - 1) == 360_000
    assert recipe.count(START - 50, START - 1) == recipe.count(START + HOUR, START + 2 * HOUR) == 0


def test_an_event_is_known_by_its_bytes_alone(recipe):
    for second in (START, START + 1_234, START + HOUR - 1):
        for place in (0, recipe.counts[second - START] - 1):
            raw = recipe.raw(second, place)
            assert recipe.place_of(raw) == (second, place)
            assert json.loads(raw)["date_create"] == second
    assert recipe.place_of(b'{"id":"no such event"}') is None
    assert recipe.place_of(b'{"id":"00000000-0000-0000-0000-000000000000"') is None


def test_a_second_shows_first_what_is_not_late_and_in_the_end_everything(recipe):
    second = START + 1_800
    shown = [len(recipe.shown(second, now)) for now in (second - 1, second, second + HOUR, second + 21 * HOUR)]
    assert shown == sorted(shown)
    assert shown[0] == 0 < shown[1] < shown[-1] == recipe.counts[second - START]


def test_what_was_seen_is_counted_and_what_was_never_shown_is_strange(recipe):
    seen = Seen(recipe)
    raw = recipe.raw(START + 5, 0)
    for found in (raw, raw, raw.replace(b'"action"', b'"Action"')):
        seen.note(found)
    assert (seen.met, seen.repeats, seen.missing, len(seen.strange)) == (2, 1, recipe.total - 1, 1)


def test_metrics_are_read_from_what_functions_write_and_read_back(tmp_path):
    line = {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "Ours",
                    "Dimensions": [["service"], ["service", "org"]],
                    "Metrics": [{"Name": "Lag", "Unit": "Seconds"}],
                }
            ]
        },
        "service": "stack",
        "org": "main",
        "Lag": [60.0],
    }
    metrics = Metrics()
    events = {"message": "events", "action": "user_login", "events": 3}
    said = [json.dumps(line), json.dumps({"message": "collected"}), json.dumps(events), "no JSON"]
    for minute in (4, 5, 9):
        assert metrics.read(minute, said) == [{"message": "collected"}, events]
    metrics.write(tmp_path / "metrics.ndjson")
    series, actions = read(tmp_path / "metrics.ndjson")
    assert actions == {"user_login": 9}
    assert [(it.dimensions, it.minutes, it.values) for it in series] == [
        ({"service": "stack"}, [4, 5, 9], [60, 60, 60]),
        ({"service": "stack", "org": "main"}, [4, 5, 9], [60, 60, 60]),
    ]
