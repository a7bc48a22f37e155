"""Athena's SQL in DuckDB: the same answers, also for events that are not what Slack sends today; and nothing else."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slack_audit_cli.sql.dialect import SqlError, question
from slack_audit_cli.sql.store import Store

NOW = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "date_create", "action", "actor", "entity", "context", "details")
ODD = st.dictionaries(st.sampled_from(FIELDS), JSON).map(lambda it: json.dumps(it).encode())
NESTED = st.builds(
    lambda kind, inner, second: json.dumps({"entity": {"type": kind, "file": inner}, "date_create": second}).encode(),
    JSON | st.just("file"),
    JSON,
    JSON,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("empty"), org="main") as store:
        yield store


def answer(store: Store, text: str) -> list[tuple[Any, ...]]:
    return list(store.ask(question(text, NOW)).rows)


# ---- events of any kind ----


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ODD | NESTED | st.binary(max_size=30), min_size=1, max_size=5))
@example([b"\xff\xfe", b"{", b'"', b"\x00", b"a\rb", b'{"id":"\\ud83d"}', b"\\N", b'{"date_create":1e300}'])
@example([b'{"entity":{"type":"file","file":{"id":{"a":1}}},"details":"x"}', b'{"date_create":9223372036854775807}'])
def test_no_event_makes_the_view_fail_and_none_is_left_out(empty, lines):
    lines = [line.replace(b"\n", b" ") for line in lines]
    before = answer(empty, "SELECT count(*) FROM events")[0][0]
    empty.take_lines((b"o", b"2026-01-01", b"1", line) for line in lines)
    assert len(answer(empty, "SELECT * FROM events")) == before + len(lines)


def test_a_line_longer_than_duckdb_expects_is_read(tmp_path):
    long = json.dumps({"id": "a", "details": {"text": "x" * 5_000_000}}).encode()
    with Store(tmp_path, org="main") as store:
        store.take_lines([(b"o", b"2026-01-01", b"1", long), (b"o", b"2026-01-01", b"1", b'{"id":"b"}')])
        assert answer(store, "SELECT id, length(event) FROM events ORDER BY 1") == [("a", len(long)), ("b", 10)]


def test_the_entity_is_found_whatever_its_type_is(tmp_path):
    events = [
        {"id": "1", "entity": {"type": "file", "file": {"id": "F1", "name": "", "title": "Plan"}}},
        {"id": "2", "entity": {"type": "yet_unknown", "yet_unknown": {"id": 1006, "name": "New"}}},
        {"id": "3", "entity": {"type": "message", "message": {"channel": "C1", "timestamp": "1.2"}}},
        {"id": "4", "entity": {"type": "file", "channel": {"id": "C1"}}},
        {"id": "5", "entity": ["file"]},
    ]
    with Store(tmp_path, org="main") as store:
        store.take_lines((b"o", b"2026-01-01", b"1", json.dumps(it).encode()) for it in events)
        rows = answer(store, "SELECT entity_type, entity_id, entity_name FROM events ORDER BY id")
    assert rows == [
        ("file", "F1", "Plan"),
        ("yet_unknown", "1006", "New"),
        ("message", "C1", None),
        ("file", None, None),
        (None, None, None),
    ]


# ---- what Athena answers ----


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("json_extract_scalar('{\"a\":10137226569043}', '$.a')", "10137226569043"),
        ("json_extract_scalar('{\"a\":true}', '$.a')", "true"),
        ("json_extract_scalar('{\"a\":{}}', '$.a')", None),
        ("json_extract_scalar('{\"a\":[1]}', '$.a')", None),
        ("json_extract_scalar('no JSON', '$.a')", None),
        ("json_extract_scalar('{\"a b\":1}', '$[\"a b\"]')", "1"),
        ("json_format(json_extract('{\"a\":[1,\"x\"]}', '$.a'))", '[1,"x"]'),
        ("json_format(json_extract('no JSON', '$.a'))", None),
        ("json_format(NULL)", None),
        ("regexp_extract('abc', 'x')", None),
        ("regexp_extract('abc', 'b(.)', 1)", "c"),
        ("count_if(NULL)", 0),
        ("date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')", "2026-11-21"),
        ("date_diff('second', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:01:00')", 60),
        ("date_format(from_unixtime(1767225600), '%Y-%m-%d %H:%i:%s')", "2026-01-01 00:00:00"),
        ("TRY(CAST(from_unixtime(9223372036854775807) AS timestamp(3)))", None),
        ("TRY_CAST('x' AS bigint)", None),
        ("array_join(array_agg(DISTINCT x), ' ')", "a"),
    ],
)
def test_it_answers_what_athena_answers(empty, asked, answered):
    assert answer(empty, f"SELECT {asked} FROM (VALUES ('a')) AS t(x)") == [(answered,)]


def test_a_time_with_an_offset_is_told_in_utc(empty):
    (row,) = answer(empty, "SELECT from_iso8601_timestamp('2026-01-01T12:00:00+02:00')")
    assert row == (datetime(2026, 1, 1, 10),)  # noqa: DTZ001 - UTC without an offset


def test_the_tables_of_a_query_are_told_without_its_own():
    assert question("WITH a AS (SELECT * FROM Events) SELECT * FROM a JOIN log ON true").tables == {"events", "log"}


# ---- what is no query, and what it may not reach ----


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no query"),
        (" ; ", "no query"),
        ("SELECT 1; SELECT 2", "one query at a time"),
        ("DROP TABLE lines", "Only queries"),
        ("INSERT INTO lines SELECT 1", "Only queries"),
        ("CREATE TABLE x AS SELECT 1", "Only queries"),
        ("SET memory_limit = '64GB'", "Only queries"),
        ("SELEC 1", "Line 1, column 7"),
        ("SELECT (1", "Line 1"),
        ("SELECT 'open", "cannot be read"),
    ],
)
def test_what_is_no_query_is_refused_in_a_line(text, why):
    with pytest.raises(SqlError, match=why) as refused:
        question(text)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_parquet('https://example.com/a')",
        "SELECT getenv('HOME')",
        "SELECT nothing FROM events",
        "SELECT * FROM nowhere",
    ],
)
def test_a_query_reaches_nothing_but_the_archive(empty, text):
    with pytest.raises(SqlError) as refused:
        answer(empty, text)
    assert "root:" not in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 3


def test_no_setting_can_be_changed_any_more(empty):
    for setting in ("enable_external_access", "memory_limit", "autoinstall_known_extensions"):
        with pytest.raises(Exception, match=r"locked|cannot be"):
            empty._connection.execute(f"SET {setting} = 'true'")
