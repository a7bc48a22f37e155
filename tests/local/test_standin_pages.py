"""Pages of `/logs`: order, cursors, filters, and everything that may be odd about them."""

import base64
import json
from collections import Counter
from itertools import pairwise

import pytest

from local.slack.answers import LAST_PAGES
from local.slack.cursors import Cursor, decode
from local.slack.history import Place
from tests.local.clients import NOON, event, ids, true_ids


def test_an_answer_is_compact_json_without_ok_and_the_entries_are_verbatim(slack, client):
    raw = b'{"id":"a","date_create":1789999000,"action":"user_login","odd":  [1,2 ] ,"name":"\xc3\xa9 \\u00e9 \\/"}'
    slack.add(raw)
    answer = client.get()
    assert answer.content == b'{"entries":[' + raw + b'],"response_metadata":{"next_cursor":""}}'
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_an_empty_history_is_an_empty_page(client):
    assert client.get().content == b'{"entries":[],"response_metadata":{"next_cursor":""}}'


def test_entries_come_newest_first(slack, client):
    slack.generate(500)
    seconds = [entry["date_create"] for entry in client.walk(limit=60)]
    assert seconds == sorted(seconds, reverse=True)


def test_both_ends_of_the_range_are_inclusive(slack, client):
    slack.add(*(event(str(second), second) for second in range(NOON - 10, NOON)))
    found = client.get(oldest=NOON - 7, latest=NOON - 5).json()["entries"]
    assert ids(found) == [str(NOON - 5), str(NOON - 6), str(NOON - 7)]


def test_a_range_that_ends_before_it_starts_is_empty(slack, client):
    slack.add(event("a"))
    assert client.walk(oldest=NOON - 50, latest=NOON - 150) == []


@pytest.mark.parametrize("limit", [1, 7, 40, 9999])
def test_a_walk_brings_every_event_exactly_once(slack, client, limit):
    slack.generate(120, bursts=0.5, burst_size=30)
    assert sorted(ids(client.walk(limit=limit))) == sorted(true_ids(slack))


def test_a_walk_through_one_crowded_second_brings_every_event_exactly_once(slack, client):
    slack.generate(25_000, start=NOON - 60, end=NOON - 60)
    found = client.walk(limit=9999, oldest=NOON - 60, latest=NOON - 60)
    assert sorted(ids(found)) == sorted(true_ids(slack))


def test_the_order_inside_a_second_differs_from_walk_to_walk(slack, client):
    slack.add(*(event(str(number)) for number in range(20)))
    orders = {tuple(ids(client.walk(limit=6))) for _ in range(8)}
    assert len(orders) > 4
    assert len({frozenset(order) for order in orders}) == 1


def test_an_event_that_arrives_during_a_walk_moves_nothing(slack, client):
    slack.add(*(event(str(number)) for number in range(20)))
    found: list[str] = []
    for page in client.pages(limit=3):
        found += ids(page["entries"])
        slack.add(event(f"new {len(found)}"))
    assert max(Counter(found).values()) == 1
    assert {str(number) for number in range(20)} <= set(found)


@pytest.mark.parametrize("rank", [-1, 5, 55, 555, 5555, 2**32 - 1])
def test_a_cursor_is_opaque_base64_that_ends_in_an_equals_sign(rank):
    cursor = Cursor(Place(NOON, rank, 12345), NOON + 0.25, after_empty=True)
    assert cursor.encode().endswith("=")
    assert base64.b64decode(cursor.encode(), validate=True)
    assert decode(cursor.encode()) == cursor


def test_a_cursor_does_not_hold_the_window(slack, client):
    slack.add(*(event(str(second), second) for second in range(NOON - 30, NOON)))
    first = client.get(limit=2, oldest=NOON - 5).json()
    cursor = first["response_metadata"]["next_cursor"]
    rest = client.get(limit=9999, cursor=cursor).json()["entries"]
    assert ids(rest)[-1] == str(NOON - 30)
    assert len(client.get(limit=9999, cursor=cursor, oldest=NOON - 5).json()["entries"]) == 3


def test_a_cursor_goes_on_with_another_limit(slack, client):
    slack.generate(90)
    first = client.get(limit=20).json()
    rest = client.get(limit=9999, cursor=first["response_metadata"]["next_cursor"]).json()
    assert sorted(ids(first["entries"] + rest["entries"])) == sorted(true_ids(slack))


@pytest.mark.parametrize(("limit", "expected"), [(None, 100), (0, 20), (1, 1), (9999, 300)])
def test_the_limit_of_a_page(slack, client, limit, expected):
    slack.generate(300)
    assert len(client.get(limit=limit).json()["entries"]) == expected


def test_the_server_may_have_a_lower_limit_than_the_one_asked_for(slack, client):
    slack.generate(100)
    slack.change(page_limit=30)
    assert [len(page["entries"]) for page in client.pages(limit=50)] == [30, 30, 30, 10]


def test_over_delivery_never_cuts_a_second(slack, client):
    slack.add(*(event(f"{second} {number}", second) for second in (NOON - 3, NOON - 2) for number in range(8)))
    slack.change(over_deliver=True)
    assert [len(page["entries"]) for page in client.pages(limit=3)] == [8, 8]


def test_short_pages_have_a_cursor_and_lose_nothing(slack, client):
    slack.generate(300)
    slack.change(short_pages=0.7)
    pages = list(client.pages(limit=40))
    assert len(pages) > 9
    assert sorted(ids([entry for page in pages for entry in page["entries"]])) == sorted(true_ids(slack))


def test_empty_pages_have_a_cursor_and_never_follow_each_other(slack, client):
    slack.generate(60)
    slack.change(empty_pages=1)
    pages = list(client.pages(limit=20))
    assert [len(page["entries"]) for page in pages] == [0, 20, 0, 20, 0, 20]
    cursors = [page["response_metadata"]["next_cursor"] for page in pages]
    assert len(set(cursors)) == len(cursors)


def test_a_dangling_cursor_leads_to_an_empty_last_page(slack, client):
    slack.generate(30)
    slack.change(dangling_cursors=1)
    assert [len(page["entries"]) for page in client.pages(limit=20)] == [20, 10, 0]


def test_an_answer_may_hold_an_entry_twice(slack, client):
    slack.generate(100)
    slack.change(duplicates=0.3)
    found = ids(client.get(limit=100).json()["entries"])
    assert len(found) > 110
    assert sorted(set(found)) == sorted(true_ids(slack))


LAST = {
    "empty": {"next_cursor": ""},
    "null": {"next_cursor": None},
    "missing": {"messages": [], "warnings": []},
    "object": {},
    "none": "not there",
}


@pytest.mark.parametrize("variant", LAST)
def test_the_last_page_says_so_in_several_ways(slack, client, variant):
    slack.add(event("a"))
    slack.change(last_page=variant)
    assert client.get().json().get("response_metadata", "not there") == LAST[variant]


def test_the_ways_of_the_last_page_can_take_turns(slack, client):
    slack.change(last_page="rotate")
    assert len({client.get().content for _ in LAST_PAGES}) == len(LAST) == len(LAST_PAGES)


def test_filters_by_action_actor_and_entity_add_up(slack, client):
    slack.generate(3000)
    everything = [json.loads(raw) for raw in slack.events()]
    sample = next(entry for entry in everything if entry["action"] == "file_shared")
    actor, entity = sample["actor"]["user"]["id"], sample["entity"]["file"]["id"]
    uploads = {"file_shared", "file_uploaded"}

    assert ids(client.walk(actor=actor, entity=entity, action="file_shared", limit=9999)) == [sample["id"]]
    assert sorted(ids(client.walk(action=",".join(uploads), limit=100))) == sorted(
        entry["id"] for entry in everything if entry["action"] in uploads
    )
    assert {entry["actor"]["user"]["id"] for entry in client.walk(actor=actor)} == {actor}
    assert {entry["entity"]["file"]["id"] for entry in client.walk(entity=entity)} == {entity}


def test_the_filter_by_entity_takes_a_number_that_is_an_id(slack, client):
    slack.add(event("a", entity={"type": "account_type_role", "account_type_role": {"id": 1006}}), event("b"))
    assert ids(client.walk(entity="1006")) == ["a"]


def test_unknown_parameters_are_tolerated(slack, client):
    slack.generate(10)
    assert len(client.get(count=3, max_date_seen_so_far="x").json()["entries"]) == 10


def test_a_page_of_the_largest_size(slack, client):
    slack.generate(12_000)
    answer = client.get(limit=9999)
    assert len(answer.json()["entries"]) == 9999
    assert len(answer.content) > 6_000_000


def test_overlapping_reads_of_the_same_seconds_agree(slack, client):
    slack.generate(400, start=NOON - 100, end=NOON)
    whole = set(ids(client.walk(oldest=NOON - 100, latest=NOON, limit=9999)))
    cuts = range(NOON - 100, NOON + 21, 20)
    parts = [set(ids(client.walk(oldest=low, latest=min(high, NOON), limit=50))) for low, high in pairwise(cuts)]
    assert set().union(*parts) == whole
