"""docs/costs.md says what benchmarks/costs.py computes, and that rests on what a run really asks for."""

import re
from pathlib import Path

import msgspec
import pytest

from benchmarks import costs
from benchmarks.costs import MARKERS, PAGE, PARTS, PRICES, RATES, Setup, tables, total
from slack_audit import telemetry

README = (Path(__file__).parent.parent.parent / "README.md").read_text()


def test_the_page_shows_what_the_script_computes():
    start, end = MARKERS
    shown = PAGE.read_text().partition(start)[2].partition(end)[0]
    assert shown.strip() == tables().strip(), "python -m benchmarks.costs --write"


def test_the_readme_says_the_same_sums():
    one, hundred = (f"{total(Setup(rate)):,.0f} USD" for rate in (1, 100))
    said = README.partition("## Costs and limits")[2].partition("\n|")[0]
    assert one in said
    assert hundred in said
    assert f"{costs.stream(Setup()):,.0f} USD" in said
    assert "(docs/costs.md)" in said


def test_a_run_asks_for_what_the_costs_say():
    counted = costs.count(minutes=10)
    assert counted["slack.read"] == 3
    assert counted["archive.put_new"] == 3 + 1
    assert counted["archive.keys"] == costs.LISTS[0] + 1  # fewer than 1,000 keys a day, late and final in the same one
    assert counted["archive.get"] == costs.READS
    assert counted["checkpoints.acquire"] + counted["checkpoints.release"] == costs.SAVES
    assert counted["checkpoints.save"] == 1
    busy = Setup(rate=100)
    assert costs.reads_of_a_run(busy) == pytest.approx(costs.READS)
    assert costs.writes_of_a_run(busy) == pytest.approx(4 + sum(costs.LISTS))


def test_every_price_is_used(monkeypatch):
    used: set[str] = set()
    real = costs.usd

    def noted(name: str, units: float) -> float:
        used.add(name)
        return real(name, units)

    monkeypatch.setattr(costs, "usd", noted)
    for rate in RATES:
        for changes in ({}, {"on_demand": True}, {"architecture": "x86_64"}):
            total(msgspec.structs.replace(Setup(rate), **changes))
    assert used == set(PRICES)


def test_every_metric_is_counted():
    named = {value for name, value in vars(telemetry).items() if name.isupper() and name not in costs.NOT_METRICS}
    hourly, daily, of_an_org = costs.metric_names()
    by_pass = sum(number - 1 for name, number in costs.BY_PASS.items() if name in named)
    assert hourly + daily == len(named) + by_pass + sum(costs.ALSO.values())
    assert of_an_org == len(costs.OF_AN_ORG & named) == 4
    assert daily == 8
    assert set(costs.BY_PASS) <= named


def test_no_part_falls_with_more_events_and_the_sum_is_of_all_parts():
    for part in PARTS.values():
        amounts = [part(Setup(rate)) for rate in RATES]
        assert amounts == sorted(amounts)
        assert amounts[0] >= 0
    assert total(Setup()) == pytest.approx(sum(part(Setup()) for part in PARTS.values()))


def test_the_share_of_a_known_price_list():
    """By hand: a shard for 730 hours at 0.015, kept for a week at 0.020, and a month of one event a second."""
    assert costs.stream(Setup()) == pytest.approx(730 * 0.015 + 730 * 0.020 + 2.628 * 0.014)
    assert costs.token(Setup()) == pytest.approx(0.40 + 730 / 10_000 * 0.05)


def test_what_the_readme_says_of_a_dimension_is_what_is_charged():
    """Organisations cost in proportion: the 200th costs as much as the second."""
    rate = 0.001
    first = [total(Setup(rate * orgs, orgs)) for orgs in (1, 2, 3)]
    assert first[1] - first[0] == pytest.approx(first[2] - first[1])
    assert not re.search(r"\b17 USD\b", README)
