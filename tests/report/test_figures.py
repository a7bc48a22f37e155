"""What is counted, which events a page holds, and what a proof says of the time that was asked for."""

import pytest

from slack_audit.events import event_of
from slack_audit.log import LogEntry
from slack_audit.selection import readable
from slack_audit.verify.coverage import Coverage, PassCoverage
from slack_audit_cli.committed import Found
from slack_audit_cli.page.covered import Stretch, covered
from slack_audit_cli.page.figures import Figures, Names
from slack_audit_cli.page.kinds import GROUPS, SECTIONS, SHOWN, group_of, section_of
from slack_audit_cli.page.reading import LONGEST_RAW, Who, detail_of, entity_of, raw_of, told_of, visible
from slack_audit_cli.page.rows import Rows, Table
from slack_audit_cli.page.timeline import MOST_BARS, WIDTHS, Timeline
from tests.builders import DAY_START, NO_FILTERS, raw_event

HOUR = 3_600


def entry(number: int = 1, name: str = "live", time: str = "2026-01-01T01:00:00+00:00") -> LogEntry:
    return LogEntry(
        org="main",
        number=number,
        previous=None,
        pass_=name,
        window=None,
        key=f"raw/{number}",
        filters=NO_FILTERS,
        calls=1,
        version="0.3.0",
        time=time,
        passes={},
        published=0,
    )


def found(second: object = DAY_START, number: object = 0, *, of: LogEntry | None = None, **fields) -> Found:
    return Found(event_of(raw_event(second, number, **fields)), of or entry(), 1)


def told(second: object = DAY_START, number: object = 0, *, of: LogEntry | None = None, **fields):
    return told_of(found(second, number, of=of, **fields))


# ---- kinds ----


@pytest.mark.parametrize(
    ("action", "group", "section"),
    [
        ("user_login", "Sign-in and sessions", ""),
        ("user_login_failed", "Sign-in and sessions", "failures"),
        ("anomaly", "Anomalies and protection", "anomalies"),
        ("manual_user_export_downloaded", "Settings and exports", "exports"),
        ("corporate_exports_enabled", "Settings and exports", "exports"),
        ("role_change_to_owner", "People and roles", "roles"),
        ("owner_transferred", "People and roles", "roles"),
        ("org_app_installed", "Apps and workflows", "apps"),
        ("app_mcp_server_added", "AI and MCP", "ai"),
        ("mcp_slack_read_file_tool_called", "AI and MCP", "ai"),
        ("file_download_blocked", "Anomalies and protection", "dlp"),
        ("canvas_linksharing_enabled", "Canvases and lists", "links"),
        ("external_shared_channel_connected", "Channels and messages", "external"),
        ("bulk_session_reset_by_admin", "Sign-in and sessions", "sessions"),
        ("pref.two_factor_auth_changed", "Settings and exports", "settings"),
        ("legal_hold_policy_created", "Anomalies and protection", "settings"),
        ("a_name_of_next_year", "Other", ""),
        ("", "Other", ""),
        ("with\na line break", "Other", ""),
    ],
)
def test_an_action_has_one_group_and_at_most_one_section(action, group, section):
    assert (GROUPS[group_of(action)].title, section_of(action)) == (group, section)


def test_every_section_is_shown_once():
    assert sorted(it.id for it in SHOWN) == sorted([*(it.id for it in SECTIONS), "late"])


# ---- one event ----


def test_an_event_is_told():
    it = told(
        action="anomaly",
        details={"reason": ["tor", "asn", "tor"]},
        context={"location": {"type": "enterprise", "id": "E1", "name": "Meridian"}, "ip_address": "192.0.2.7"},
    )
    assert (it.actor.key, it.actor.label) == ("W0001", "Ada Example · ada@example.com")
    assert (it.ip, it.location.label, it.section, it.reasons) == (
        "192.0.2.7",
        "Meridian (enterprise)",
        "anomalies",
        ("tor", "asn"),
    )
    assert it.delay is None


@pytest.mark.parametrize(
    "odd", [None, 7, "text", [], ["x"], {}, {"type": 7}, {"user": 7}, {"type": "user", "user": []}]
)
def test_no_type_of_a_field_is_taken_for_granted(odd):
    strange = found(actor=odd, entity=odd, context=odd, details=odd, action="anomaly")
    it, said = told_of(strange), readable(strange.event.raw)
    assert (it.action, it.ip, it.section) == ("anomaly", "(none)", "anomalies")
    assert it.actor.label in {"(nobody)", "7"}
    assert isinstance(entity_of(said) + detail_of(said), str)


def test_what_is_no_json_at_all_is_still_counted():
    broken = Found(event_of(b"{broken"), entry(), 1)
    it, said = told_of(broken), readable(broken.event.raw)
    assert (it.action, it.actor.label, it.second) == ("(none)", "(nobody)", None)
    assert (entity_of(said), detail_of(said), raw_of(broken)) == ("", "", "{broken")


def test_what_an_agent_did_for_a_person_is_with_ai_unless_it_is_notable_itself():
    assert told(action="file_downloaded", context={"acting_agent": "Slackbot"}).section == "ai"
    assert told(action="user_login_failed", context={"acting_agent": "Slackbot"}).section == "failures"


@pytest.mark.parametrize(("name", "delay"), [("late", 3_600), ("final", 3_600), ("live", None), ("backfill-1-2", None)])
def test_late_is_what_late_and_final_found(name, delay):
    assert told(of=entry(name=name)).delay == delay


def test_details_begin_with_what_matters():
    assert (
        detail_of({"details": {"a": 1, "empty": [], "reason": ["tor", "asn"], "on": True}})
        == "reason: tor, asn · a: 1 · on: true"
    )
    assert detail_of({"context": {"ua": "Mozilla/5.0"}}) == "Mozilla/5.0"


@pytest.mark.parametrize(
    "value", ["9" * 30, "9" * 5_000, "1e400", "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, '"\\ud83d"']
)
def test_no_value_is_too_strange_for_a_row(value):
    raw = b'{"id":"1","date_create":1767225600,"action":"anomaly","details":{"reason":%b,"x":%b},"actor":{"user":{"id":%b}}}'
    strange = Found(event_of(raw % ((value.encode(),) * 3)), entry(), 1)
    it, said = told_of(strange), readable(strange.event.raw)
    assert it.second == DAY_START
    assert isinstance(detail_of(said) + entity_of(said), str)


def test_what_plays_with_how_a_text_is_shown_is_written_out():
    assert visible("a\u202eb\x00c\u2028d\ud800e\tf") == "a\\u202eb\\u0000c\\u2028d\\ud800e\tf"
    assert visible("x" * 200) == "x" * 160 + "…"


def test_a_huge_event_is_cut_and_says_where_it_stands():
    text = raw_of(found(padding="x" * 20_000))
    assert len(text) < LONGEST_RAW + 100
    assert text.endswith("… (cut: line 1 of raw/1 has all of it)")


# ---- figures ----


def test_two_people_never_share_a_label():
    names = Names()
    assert names.of(Who("W1", "Ada")) == "Ada"
    assert names.of(Who("W2", "Ada")) == "Ada · W2"
    assert names.of(Who("W1", "Ada, renamed")) == "Ada"
    assert names.of(Who("W2", "Ada")) == "Ada · W2"


def test_figures_count_what_was_added():
    figures = Figures(None, None)
    for it in (
        told(DAY_START, 1),
        told(DAY_START + 60, 2, action="user_login_failed", context={"ip_address": "192.0.2.7"}),
        told(DAY_START + 90, 3, action="anomaly", details={"reason": ["tor"]}, of=entry(name="late")),
        told("never", 4, action="anomaly", actor=None, details={"reason": ["tor", "asn"]}),
    ):
        figures.add(it)
    said = figures.as_json()
    assert (said["events"], said["undated"], said["late"], said["people"], said["addresses"]) == (4, 1, 1, 1, 1)
    assert (said["first"], said["last"]) == (DAY_START, DAY_START + 90)
    assert said["reasons"] == [("tor", 2), ("asn", 1)]
    assert said["delays"] == [("up to 1 h", 1)]
    assert said["sections"] == {"failures": 1, "anomalies": 2, "late": 1}
    signed_in, failed = len(GROUPS), len(GROUPS) + 1
    assert said["timeline"] == [
        (DAY_START, group_of("user_login"), 1),
        (DAY_START, signed_in, 1),
        (DAY_START + 60, group_of("anomaly"), 1),
        (DAY_START + 60, group_of("user_login"), 1),
        (DAY_START + 60, failed, 1),
    ]


@pytest.mark.parametrize("span", [0, 59, 3 * HOUR, 86_400, 30 * 86_400, 400 * 86_400, 8 * 365 * 86_400])
def test_a_timeline_has_no_more_bars_than_a_chart_can_show_and_loses_nothing(span):
    growing, known = Timeline(None, None), Timeline(DAY_START, DAY_START + span)
    seconds = [DAY_START + span * step // 1_000 for step in range(1_001)]
    for second in seconds:
        growing.add(second, 0)
        known.add(second, 0)
    assert growing.counts() == known.counts()
    assert sum(count for _, _, count in known.counts()) == len(seconds)
    assert len(known.counts()) <= MOST_BARS + 1
    assert all(start <= DAY_START + span < start + MOST_BARS * WIDTHS[-1] for start, _, _ in known.counts()[-1:])


# ---- rows ----


def test_all_events_are_kept_where_there_is_room():
    rows = Rows(100)
    events = [found(DAY_START + n, n) for n in range(100)]
    for it in events:
        rows.add(it, told_of(it))
    assert rows.kept() == events


def test_of_more_the_notable_are_kept_and_then_the_newest():
    rows = Rows(120)
    events = [
        found(
            DAY_START + n, n, action="anomaly" if n in {3, 7} else "user_login_failed" if 10 <= n < 60 else "user_login"
        )
        for n in range(1_000)
    ]
    for it in events:
        rows.add(it, told_of(it))
    kept = [(it.event.date_create or 0) - DAY_START for it in rows.kept()]
    assert kept == [3, 7, *range(50, 60), *range(892, 1_000)]


def test_rows_name_what_repeats_by_its_place():
    figures = Figures(None, None)
    some = [
        found(DAY_START, 1),
        found(DAY_START + 1, 2, action="anomaly", details={"reason": ["tor"]}, of=entry(name="late")),
    ]
    table = Table(figures.actors, figures.places).as_json(some)
    assert (table["actions"], table["passes"], table["reasons"]) == (
        ["user_login", "anomaly"],
        ["live", "late"],
        ["tor"],
    )
    assert [row[:9] for row in table["rows"]] == [
        [DAY_START, 0, 0, 0, 0, 0, 0, None, []],
        [DAY_START + 1, 1, 0, 0, 0, 1, 1, 3_599, [0]],
    ]
    assert table["rows"][0][-1] == some[0].event.raw.decode()


# ---- coverage ----


def read(name: str, first: int | None, last: int | None) -> PassCoverage:
    return PassCoverage(name, 0, last or 0, None, first=first, last=last)


def test_the_seconds_that_nobody_read_are_told_with_the_reason():
    coverage = Coverage(
        passes=[
            read("live", 1_000, 2_000),
            read("late", 1_000, 1_500),
            read("final", None, None),
            read("backfill-1-2", 500, 700),
        ]
    )
    assert covered(coverage, 100, 2_500).unread == [
        Stretch(100, 499, "from before what this archive has read"),
        Stretch(701, 999, "between two stretches that were read"),
        Stretch(2_001, 2_500, "not read yet"),
    ]
    assert covered(coverage, 1_000, 2_000).unread == []
    assert covered(coverage, None, 2_000).lo == 500
    assert covered(Coverage(), 5, 9).unread == [Stretch(5, 9, "nothing was read at all")]
    assert covered(Coverage(), None, 9).unread == []
    assert covered(coverage, 100, 300).unread == [Stretch(100, 300, "from before what this archive has read")]


def test_what_final_has_read_is_settled():
    assert covered(Coverage(passes=[read("live", 0, 9), read("final", 0, 5)]), 0, 9).settled == 5
    assert covered(Coverage(passes=[read("live", 0, 9), read("final", None, None)]), 0, 9).settled is None
