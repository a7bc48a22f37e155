from hashlib import sha256

import pytest

from slack_audit.events import EARLIEST_SECOND, event_of, page_of
from tests.builders import DAY_START, body, raw_event


def test_the_bytes_stay_as_slack_sent_them():
    raw = rb'{"id":"a","date_create":1767225600,"action":"x","u":"https:\/\/example.com\/\u00e9","n":1.50e3,"k": null}'
    assert event_of(raw).raw == raw
    assert page_of(body([raw])).events[0].raw == raw


def test_an_event_is_one_line_whatever_stood_between_its_tokens():
    raw = b'{\n  "id": "a",\r\n  "text": "one\\ntwo"\n}'
    assert event_of(raw).raw == b'{   "id": "a",    "text": "one\\ntwo" }'
    assert event_of(raw).id == "a"


@pytest.mark.parametrize("field", ["", '"id":null', '"id":""', '"id":7', '"id":["a"]', '"id":{}', '"id":"\\ud800"'])
def test_an_event_without_a_usable_id_gets_one_from_its_bytes(field):
    raw = b'{"date_create":1767225600' + (b"," + field.encode() if field else b"") + b"}"
    event = event_of(raw)
    assert event.id == f"sha256:{sha256(raw).hexdigest()}"
    assert event.date_create == 1_767_225_600


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("null", id="null"),
        pytest.param('"1767225600"', id="text"),
        pytest.param("1767225600.5", id="fraction"),
        pytest.param("true", id="boolean"),
        pytest.param("-5", id="negative"),
        pytest.param("0", id="zero"),
        pytest.param("1767225600123", id="milliseconds"),
        pytest.param(str(EARLIEST_SECOND - 1), id="before March 2018"),
        pytest.param("99999999999999999999999", id="larger than 64 bits"),
        pytest.param("1e999", id="out of range"),
        pytest.param("[1767225600]", id="list"),
    ],
)
def test_an_unusable_second_is_none_and_costs_nothing_else(value):
    event = event_of(b'{"id":"a","date_create":' + value.encode() + b',"action":"x"}')
    assert (event.id, event.date_create, event.action) == ("a", None, "x")


@pytest.mark.parametrize("raw", [b"null", b'"text"', b"7", b"[]", b"true"])
def test_an_entry_that_is_no_object_is_kept_too(raw):
    event = event_of(raw)
    assert (event.raw, event.date_create, event.action) == (raw, None, None)


def test_an_unreadable_text_in_another_field_is_not_looked_at():
    raw = b'{"id":"a","date_create":1767225600,"bad":"\xff\xfe","lone":"\\ud800"}'
    assert event_of(raw).id == "a"
    assert event_of(raw).raw == raw


def test_half_a_surrogate_pair_in_a_text_stops_nothing_and_changes_nothing():
    entries = [
        raw_event(DAY_START, 1),
        b'{"id":"a","date_create":1767225600,"name":"\\ud83d"}',
        b'{"id":"\\ud83d\\ude00","date_create":1767225601,"name":"\\ude00 \\\\ud800"}',
        raw_event(DAY_START, 2),
    ]
    page = page_of(body(entries, '{"next_cursor":"x"}'))
    assert [event.raw for event in page.events] == entries
    assert [event.date_create for event in page.events] == [DAY_START, DAY_START, DAY_START + 1, DAY_START]
    assert page.events[1].id == "a"
    assert page.events[2].id.startswith("sha256:")
    assert page.next_cursor == "x"


@pytest.mark.parametrize(
    "metadata",
    [None, "null", "{}", "[]", '{"next_cursor":null}', '{"next_cursor":""}', '{"messages":["x"]}'],
)
def test_every_form_of_the_last_page_ends(metadata):
    assert page_of(body([raw_event(DAY_START)], metadata)).next_cursor is None


def test_a_cursor_is_given_on_as_it_is():
    assert page_of(body([], '{"next_cursor":"MTc2Nw=="}')).next_cursor == "MTc2Nw=="


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>maintenance</html>", id="HTML"),
        pytest.param(b"{}", id="no entries"),
        pytest.param(b'{"entries":null}', id="entries null"),
        pytest.param(b'{"entries":{}}', id="entries an object"),
        pytest.param(b'{"entries":[{"id":"a"}', id="cut"),
        pytest.param(b'{"ok":false,"error":"internal_error"}', id="an error"),
        pytest.param(b'{"ok":false,"entries":[]}', id="not ok, with entries"),
        pytest.param(b'{"error":"fatal_error","entries":[]}', id="an error with entries"),
        pytest.param(b'{"entries":[],"response_metadata":{"next_cursor":7}}', id="a cursor that is no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"entries":[nul]}', id="broken"),
    ],
)
def test_anything_without_a_list_of_entries_is_an_error(answer):
    with pytest.raises(ValueError, match="an answer"):
        page_of(answer)
