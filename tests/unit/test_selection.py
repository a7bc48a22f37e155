"""Which events are wanted, whatever type Slack's fields have."""

import json
from typing import Any

import msgspec
import pytest

from slack_audit.errors import SelectionError
from slack_audit.events import event_of
from slack_audit.log import Filters, LogEntry
from slack_audit.selection import Selection, readable, selection_of
from slack_audit.windows import Window
from tests.builders import DAY_START, event, raw_event

USER = {"id": "W0001", "name": "Ada Example", "email": "Ada@example.com"}


def wants(asked: dict[str, Any], **fields: Any) -> bool:
    return selection_of(asked).wants(event(DAY_START, **fields))


def by(user: object) -> dict[str, object]:
    return {"actor": {"type": "user", "user": user}}


def to(kind: object, thing: object) -> dict[str, object]:
    return {"entity": {"type": kind, "file": thing}}


def at(ip: object) -> dict[str, object]:
    return {"context": {"ip_address": ip}}


# ---- time ----


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, True),
        (DAY_START, DAY_START, True),
        (DAY_START, None, True),
        (None, DAY_START, True),
        (DAY_START + 1, None, False),
        (None, DAY_START - 1, False),
    ],
)
def test_both_ends_belong_to_it(since, until, expected):
    selection = Selection(since=since, until=until)
    assert selection.wants(event(DAY_START)) is expected
    assert selection.overlaps(Window(DAY_START, DAY_START)) is expected


@pytest.mark.parametrize("second", [None, "1767225600", 1.5, 17, DAY_START * 1000, True, [DAY_START]])
def test_without_a_usable_second_an_event_is_wanted_with_its_window(second):
    assert Selection(since=DAY_START + 5, until=DAY_START + 6).wants(event_of(raw_event(second)))


# ---- action ----


@pytest.mark.parametrize(
    ("asked", "action", "expected"),
    [
        ("user_login", "user_login", True),
        ("user_login", "user_login_failed", False),
        ("login", "user_login", False),
        ("user_*", "user_login", True),
        ("*_failed", "user_login_failed", True),
        ("*log*", "user_login", True),
        ("*", "", True),
        ("", "", True),
        ("user*in", "user\nlog\nin", True),
        ("user_log?n", "user_login", False),
        ("user_[l]ogin", "user_login", False),
        ("a.c", "abc", False),
        ("a[?]", "a[?]", True),
        ("USER_LOGIN", "user_login", False),
        ("*", None, False),
        ("1006", 1006, False),
    ],
)
def test_an_action_is_wanted_by_name_and_only_a_star_is_special(asked, action, expected):
    assert wants({"actions": [asked]}, action=action) is expected


def test_of_several_actions_any_is_wanted():
    assert wants({"actions": ["file_*", "user_login"]})
    assert not wants({"actions": ["file_*", "user_logout"]})


@pytest.mark.timeout(20)
def test_stars_cannot_be_made_slow():
    assert not wants({"actions": ["a*" * 30 + "b"]}, action="a" * 20_000)


# ---- actor and entity ----


@pytest.mark.parametrize("said", ["W0001", "Ada Example", "Ada@example.com", "ada@EXAMPLE.com"])
def test_an_actor_is_named_by_id_name_or_email_whose_case_means_nothing(said):
    assert wants({"actors": ["W0002", said]}, **by(USER))


@pytest.mark.parametrize("said", ["w0001", "ada example", "Ada", "", "user"])
def test_ids_and_names_are_meant_as_they_are_written(said):
    assert not wants({"actors": [said]}, **by(USER))


@pytest.mark.parametrize(
    "user", [None, [], ["W0001"], "W0001", 1006, {}, {"id": ["W0001"]}, {"id": None}, {"id": True}]
)
def test_an_actor_of_another_type_is_nobody(user):
    assert not wants({"actors": ["W0001", "1006", "True", "None"]}, **by(user))


@pytest.mark.parametrize("actor", [None, [], "W0001", 5])
def test_an_event_without_an_actor_is_nobodys(actor):
    assert not wants({"actors": ["W0001"]}, actor=actor)


def test_a_number_is_an_id_too():
    assert wants({"actors": ["1006"]}, **by({"id": 1006}))
    assert wants({"entities": ["1006"]}, **to("file", {"id": 1006}))


@pytest.mark.parametrize("said", ["F1", "report.pdf", "Q3"])
def test_an_entity_is_named_by_any_of_its_names(said):
    assert wants({"entities": [said]}, **to("file", {"id": "F1", "name": "report.pdf", "title": "Q3"}))


@pytest.mark.parametrize("kind", [None, 7, ["file"], "workspace", {}])
def test_an_entity_without_its_field_is_none(kind):
    assert not wants({"entities": ["F1"]}, **to(kind, {"id": "F1"}))
    assert not wants({"entities": ["F1"]})


def test_escapes_are_read():
    raw = rb'{"id":"1","actor":{"user":{"name":"Ada \/ \u0045xample"}}}'
    assert Selection(actors=("Ada / Example",)).wants(event_of(raw))


# ---- address ----


@pytest.mark.parametrize(
    ("asked", "ip", "expected"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.0/24", "192.0.2.7", True),
        ("192.0.2.9/24", "192.0.2.7", True),
        ("192.0.3.0/24", "192.0.2.7", False),
        ("2001:db8::/32", "2001:DB8::1", True),
        ("2001:db8::1", "2001:0db8:0:0:0:0:0:1", True),
        ("192.0.2.0/24", "::ffff:192.0.2.7", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("0.0.0.0/0", "redacted", False),
        ("0.0.0.0/0", "", False),
        ("0.0.0.0/0", None, False),
        ("0.0.0.0/0", 3221225985, False),
        ("0.0.0.0/0", ["192.0.2.7"], False),
        ("::/0", "fe80::1%eth0", True),
    ],
)
def test_an_address_lies_in_a_network(asked, ip, expected):
    assert wants({"ips": [asked]}, **at(ip)) is expected


@pytest.mark.parametrize("context", [None, "192.0.2.7", []])
def test_an_event_without_a_context_is_from_nowhere(context):
    assert not wants({"ips": ["0.0.0.0/0"]}, context=context)


# ---- the free expression ----


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("context.session_id == `10137226569043`", True),
        ("context.session_id", True),
        ("details", False),
        ("details.is_external == `true`", False),
        ("contains(action, 'log')", True),
        ("`0`", True),
        ("`false`", False),
        ("`[]`", False),
        ("`{}`", False),
        ("''", False),
        ("id && !details", True),
    ],
)
def test_what_an_expression_gives_must_be_true(where, expected):
    assert wants({"where": where}) is expected


@pytest.mark.parametrize("where", ["contains(details, 'x')", "ceil(to_number('1e999'))", "length(date_create)"])
def test_an_expression_that_fails_on_an_event_says_on_which_and_what_to_do(where):
    with pytest.raises(SelectionError, match=r"cannot be evaluated on event '1767225600-0' .*Ask for the field first"):
        wants({"where": where})


def test_an_error_quotes_nothing_that_moves_a_terminal():
    with pytest.raises(SelectionError) as raised:
        wants({"where": "length(details)", "actions": ["*"]}, id="a\x1b[2Jb", details=5, action="\x1b")
    assert str(raised.value).isprintable()
    with pytest.raises(SelectionError) as raised:
        wants({"where": "abs(details)"}, details="\x1b[2J\u202e" + "x" * 100_000)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("where", ["a[", " ", "a ||", "nope(a)(", "'", "(" * 5_000, "!" * 5_000 + "a"])
def test_what_is_no_expression_is_refused_before_anything_is_read(where):
    with pytest.raises(SelectionError, match=r"is no JMESPath \(.+\)\. See https"):
        selection_of({"where": where})


# ---- odd events ----


def test_half_a_surrogate_pair_hides_nothing():
    raw = rb'{"id":"1","details":{"t":"\ud83d"},"actor":{"user":{"id":"W0001"}}}'
    assert readable(raw)["details"] == {"t": "?"}
    assert Selection(actors=("W0001",)).wants(event_of(raw))


@pytest.mark.parametrize("odd", [b'"\xff"', b"1e999", b"9" * 400, rb'"\u0000"', b"-0"])
def test_an_odd_value_beside_it_hides_nothing(odd):
    raw = b'{"id":"1","details":' + odd + b',"actor":{"user":{"id":"W0001"}}}'
    assert Selection(actors=("W0001",), where="actor").wants(event_of(raw))


@pytest.mark.parametrize("raw", [b"", b"no JSON", b"[" * 100_000, b"[]", b'"W0001"', b"null", b"{", b"\x00"])
def test_what_is_no_event_is_wanted_only_where_nothing_is_asked_of_it(raw):
    assert Selection().wants(event_of(raw))
    for asked in ({"actors": ["W0001"]}, {"entities": ["x"]}, {"ips": ["::/0"]}, {"where": "id"}, {"actions": ["*"]}):
        assert not selection_of(asked).wants(event_of(raw))


# ---- as it is asked ----


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"since": 5, "until": 4}, "starts at 5, after it ends at 4"),
        ({"passes": ["live", "backfill-1-2"]}, "no pass 'backfill-1-2': the passes are live, late, final, backfill"),
        ({"ips": ["redacted"]}, "'redacted' is no address"),
        ({"ips": [""]}, "'' is no address"),
        ({"since": "2026-01-01"}, "cannot be read: Expected `int | null`, got `str`"),
        ({"since": True}, "cannot be read"),
        ({"actions": "user_login"}, "cannot be read"),
        ({"actions": [1]}, "cannot be read"),
        ({"from": 5}, "unknown field `from`"),
        ([], "cannot be read"),
    ],
)
def test_what_can_never_be_meant_is_refused_with_what_would_be_right(asked, reason):
    with pytest.raises(SelectionError) as raised:
        selection_of(asked)
    assert reason in str(raised.value)


def test_it_is_written_as_it_is_read():
    asked = {"since": 1, "until": 2, "passes": ["live"], "actions": ["a*"], "ips": ["192.0.2.0/24"], "where": "id"}
    assert json.loads(msgspec.json.encode(selection_of(asked))) == asked
    assert msgspec.json.encode(Selection()) == b"{}"


ENTRY = LogEntry(
    org="main",
    number=1,
    previous=None,
    pass_="late",
    window=Window(10, 20),
    key="raw/…",
    filters=Filters(),
    calls=1,
    version="0",
    time="",
    passes={},
    published=0,
)


@pytest.mark.parametrize(
    ("asked", "changes", "expected"),
    [
        ({}, {}, True),
        ({"passes": ["late"]}, {}, True),
        ({"passes": ["live", "final"]}, {}, False),
        ({"passes": ["backfill"]}, {"pass_": "backfill-1-2"}, True),
        ({"since": 20}, {}, True),
        ({"since": 21}, {}, False),
        ({"until": 10}, {}, True),
        ({"until": 9}, {}, False),
        ({}, {"key": None}, False),
        ({}, {"window": None}, False),
        ({}, {"pass_": None}, False),
    ],
)
def test_an_entry_is_wanted_by_pass_and_window_if_it_has_a_batch(asked, changes, expected):
    assert selection_of(asked).wants_entry(msgspec.structs.replace(ENTRY, **changes)) is expected
