"""The named queries: each finds what it is for and nothing that only looks like it, in both dialects."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from slack_audit.selection import Selection
from slack_audit_cli.sql.dialect import question
from slack_audit_cli.sql.statements import LAST_WEEK, MUST_BE_EMPTY, queries, views
from slack_audit_cli.sql.store import Store
from tests.builders import DAY_START, raw_event
from tests.sql.events import FOUND, archive, filled
from tests.verify.archives import Forge, collected, pack

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OF_THE_LOG = {"coverage"}  # it reads no events


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """The archive whose answers are known."""
    with Store(tmp_path_factory.mktemp("known"), org="main") as store:
        yield filled(store, archive())


def asked(store: Store, name: str, since: str = "2025-12-31") -> list[dict[str, Any]]:
    answer = store.ask(question(queries()[name].since(since)))
    names = [it.name for it in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


# ---- what they find ----


@pytest.mark.parametrize("name", FOUND)
def test_it_finds_what_it_is_for_and_nothing_that_looks_like_it(known, name):
    actions = {row["action"] for row in asked(known, name)}
    anomalies = {"anomaly"} if name == "dlp_and_anomalies" else set()
    assert actions == set(FOUND[name]) | anomalies


def test_logins_are_told_by_person_address_and_network_with_what_anomalies_say_of_it(known):
    rows = {(it["actor_name"], it["ip_address"]): it for it in asked(known, "logins")}
    assert set(rows) == {
        ("Ada Example", "192.0.2.7"),
        ("Ben Example", "2001:db8:1::7"),
        ("Ben Example", "redacted"),
    }
    ada = rows["Ada Example", "192.0.2.7"]
    assert (ada["logins"], ada["network"], ada["anomalies"], ada["hints"]) == (2, "192.0.2.0/24", 1, '["new-asn"]')
    assert rows["Ben Example", "2001:db8:1::7"]["network"] == "2001:db8:1::/48"
    assert rows["Ben Example", "redacted"]["network"] is None


def test_an_anomaly_comes_with_its_reasons(known):
    (ada,) = [it for it in asked(known, "dlp_and_anomalies") if it["actor_name"] == "Ada Example" and it["reasons"]]
    assert (ada["reasons"], ada["hints"], ada["previous_ip_address"]) == ('["asn"]', '["new-asn"]', "198.51.100.4")


def test_a_late_event_comes_with_the_look_that_found_it_and_its_delay(known):
    (late,) = asked(known, "late_events")
    assert (late["action"], late["pass"]) == ("user_created", "late")
    assert late["archived"] == datetime(2026, 1, 1, 2)  # noqa: DTZ001 - UTC without an offset, as Athena has it
    assert late["delay_seconds"] == 7_200 - 4_970


def test_coverage_counts_the_windows_of_each_pass(known):
    rows = {it["pass"]: it for it in asked(known, "coverage")}
    assert {it["gaps"] for it in rows.values()} == {0}
    assert rows["late"]["events"] == 1
    assert rows["live"]["events"] == sum(map(len, FOUND.values())) + 11 + 6


def test_coverage_tells_a_gap_and_what_was_read_twice(tmp_path):
    forge = Forge(collected())
    forge.append("live", DAY_START + 10_000, DAY_START + 10_059)
    forge.append("live", DAY_START + 10_030, DAY_START + 10_089)
    with Store(tmp_path, org="main") as store:
        (live,) = [it for it in asked(filled(store, forge.sealed()), "coverage") if it["pass"] == "live"]
    assert (live["gaps"], live["overlaps"]) == (1, 1)
    assert live["missing_seconds"] > 9_000


def test_a_whole_archive_has_no_duplicates(known):
    assert asked(known, "duplicates") == []


def test_an_id_that_stands_twice_is_told_with_its_objects(tmp_path):
    forge = Forge(collected())
    forge.append("late", DAY_START, DAY_START + 59, [forge.lines(1)[0]])
    with Store(tmp_path, org="main") as store:
        (twice,) = asked(filled(store, forge.sealed()), "duplicates")
    assert twice["copies"] == 2
    assert twice["first_object"] != twice["last_object"]


def test_an_orphan_is_told_and_is_not_among_the_events(known):
    (orphan,) = asked(known, "orphans")
    assert (orphan["lines"], orphan["object"].endswith("-99-0123456789ab.ndjson.gz")) == (1, True)
    (both,) = known.ask(question("SELECT (SELECT count(*) FROM raw), (SELECT count(*) FROM events)")).rows
    assert both[0] == both[1] + 1


def test_a_query_of_events_begins_with_the_last_week_and_can_begin_elsewhere(known):
    for name, query in queries().items():
        assert (LAST_WEEK in query.sql) is (name not in OF_THE_LOG), name
        assert LAST_WEEK not in query.since("2026-01-01")
    assert asked(known, "exports", "2026-01-02") == []


# ---- both dialects ----


@pytest.mark.parametrize("dialect", ["athena", "trino"])
@pytest.mark.parametrize("statement", [*views().values(), *queries().values()], ids=lambda it: it.name)
def test_it_is_read_as_one_query(statement, dialect):
    (parsed,) = sqlglot.parse(statement.sql, read=dialect)
    assert isinstance(parsed, sqlglot.exp.Query)
    assert statement.answers.endswith(".")


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    """What others captured of Slack and published, if it is there."""
    lines = [line for path in sorted((SHARED / "events").glob("*.ndjson")) for line in path.read_bytes().splitlines()]
    if not lines:
        pytest.skip("the captured events are not there")
    with Store(tmp_path_factory.mktemp("captured"), org="main") as store:
        store.take_lines((b"s3://a/raw/org=main/1", b"2021-02-09", b"1", line) for line in lines)
        yield store, len(lines)


@pytest.mark.parametrize("name", queries())
def test_it_runs_over_what_was_captured_of_slack(captured, name):
    store, _ = captured
    assert isinstance(asked(store, name, "2018-03-01"), list)


def test_of_what_was_captured_of_slack_the_view_reads_every_event(captured):
    store, lines = captured
    (count,) = store.ask(question("SELECT count(*), count(id), count(time), count(action) FROM events")).rows
    assert count == (lines,) * 4


def test_every_action_that_a_query_names_is_one_of_slacks():
    known = SHARED / "actions.json"
    if not known.exists():
        pytest.skip("Slack's list of actions is not there")
    names = {it["action"] for it in json.loads(known.read_text())["actions"]}
    for query in queries().values():
        listed = {it for it in re.findall(r"'([a-z0-9_.]+)'", query.sql) if "_" in it}
        assert listed <= names, query.name
        for pattern in re.findall(r"regexp_like\(action, '([^']+)'", query.sql):
            assert any(re.search(pattern, it) for it in names), pattern


def test_what_must_be_empty_is_a_query():
    assert set(MUST_BE_EMPTY) <= set(queries())


# ---- what was asked for ----


def test_events_keep_to_the_seconds_that_were_asked_for(tmp_path):
    selection = Selection(since=DAY_START + 3, until=DAY_START + 5)
    with Store(tmp_path, org="main", since=selection.since, until=selection.until) as store:
        filled(store, archive(), selection)
        (count,) = store.ask(question("SELECT count(*), min(date_create), max(date_create) FROM events")).rows
    assert count == (3, DAY_START + 3, DAY_START + 5)


def test_entries_begin_with_those_that_were_written_since(tmp_path):
    objects = collected()
    selection = Selection(since=DAY_START - 1_500)
    with Store(tmp_path, org="main") as store:
        filled(store, objects, selection)
        (count,) = store.ask(question("SELECT count(*) < 10, count(*) > 0 FROM entries")).rows
    assert count == (True, True)


def test_an_archive_that_is_empty_has_no_answer_and_no_error(tmp_path):
    with Store(tmp_path, org="main") as store:
        filled(store, {"raw/org=main/dt=2026-01-01/odd": pack([raw_event(1)])})
        assert [asked(store, name) for name in queries() if name != "orphans"] == [[]] * (len(queries()) - 1)
        assert len(asked(store, "orphans")) == 1
