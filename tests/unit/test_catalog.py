"""Slack's own lists: read as they come, compared by what they say."""

import json
import re

import pytest

from local.slack import catalogue
from slack_audit.catalog import (
    Listing,
    catalog_key,
    difference,
    kept_listing,
    listing_of,
    says_the_same,
    unknown_names,
)
from slack_audit.errors import ArchiveDamagedError, UnavailableError

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z


def actions(**categories: object) -> bytes:
    return json.dumps({"actions": categories}).encode()


def schemas(*listed: object) -> bytes:
    return json.dumps({"schemas": listed}).encode()


# Reading


@pytest.mark.parametrize(
    ("body", "entries", "odd"),
    [
        pytest.param(actions(user=["b", "a"]), {"a": ("user",), "b": ("user",)}, 0, id="in order of the names"),
        pytest.param(actions(user=["a"], file=["a"]), {"a": ("file", "user")}, 0, id="a name in two categories"),
        pytest.param(actions(user=["a", "a"]), {"a": ("user",)}, 0, id="a name twice"),
        pytest.param(actions(user=["a"], new=[]), {"a": ("user",)}, 0, id="an empty category"),
        pytest.param(actions(user=["a", 1, None, {"name": "b"}, [], ""]), {"a": ("user",)}, 5, id="odd members"),
        pytest.param(actions(user=["a"], new={"b": "c"}, newer="d"), {"a": ("user",)}, 2, id="odd categories"),
        pytest.param(b'{"ok":true,"actions":{"u":["a"]},"cache_ts":1}', {"a": ("u",)}, 0, id="fields of Slack's own"),
    ],
)
def test_a_list_of_actions_is_read_as_it_comes(body, entries, odd):
    assert listing_of("actions", body) == Listing(entries, odd)
    assert list(listing_of("actions", body).entries) == sorted(entries)


@pytest.mark.parametrize(
    ("body", "entries", "odd"),
    [
        pytest.param(
            schemas({"type": "app", "app": {"id": "string", "scopes": "array"}}),
            {"app": ("type",), "app.id": ("string",), "app.scopes": ("array",)},
            0,
            id="a type and its fields",
        ),
        pytest.param(
            schemas({"type": "app", "app": {"id": "string"}}, {"type": "app", "app": {"id": "int", "team": "string"}}),
            {"app": ("type",), "app.id": ("int", "string"), "app.team": ("string",)},
            0,
            id="a type that is listed twice",
        ),
        pytest.param(schemas({"type": "app", "app": {}}), {"app": ("type",)}, 0, id="a type without fields"),
        pytest.param(
            schemas({"type": "app", "app": {"a": {"y": 1, "x": [2]}}}),
            {"app": ("type",), "app.a": ("{'x':[2],'y':1}",)},
            0,
            id="a field that is no word",
        ),
        pytest.param(
            schemas({"type": "app", "app": {}}, {"type": "file"}, {"type": 1}, {}, "app", None, {"type": "", "": {}}),
            {"app": ("type",)},
            6,
            id="odd members",
        ),
    ],
)
def test_a_list_of_schemas_is_read_as_it_comes(body, entries, odd):
    assert listing_of("schemas", body) == Listing(entries, odd)


NO_LIST = [
    b"",
    b"null",
    b"[]",
    b'"actions"',
    b"{}",
    b'{"actions":null,"schemas":null}',
    b'{"actions":[],"schemas":{}}',
    b'{"actions":{},"schemas":[]}',
    b'{"actions":{"user":[]},"schemas":[{}]}',
    b'{"actions":{"user":["user_login"]},"schemas":[{"type":"app","app":{}}]',
    b"<!DOCTYPE html><html></html>",
    b"\xff\xfe",
    b'{"actions":{"user":["\\ud800"]},"schemas":[{"type":"\\ud800"}]}',
    b"[" * 100_000,
    b'{"actions":{"user":[%s]},"schemas":[{"type":"a","a":{"b":%s}}]}' % (b"9" * 5_000, b"9" * 5_000),
]


@pytest.mark.parametrize("body", NO_LIST)
@pytest.mark.parametrize("kind", ["actions", "schemas"])
def test_what_holds_no_list_is_no_answer(kind, body):
    with pytest.raises(UnavailableError, match=f"/{kind} holds no list of {kind}"):
        listing_of(kind, body)


def test_slacks_lists_of_today_are_read_whole():
    listed = listing_of("actions", json.dumps({"actions": catalogue.actions()}).encode())
    assert (frozenset(listed.entries), listed.odd) == (catalogue.names(), 0)
    assert len([name for name, categories in listed.entries.items() if len(categories) == 2]) == 8
    types = listing_of("schemas", json.dumps({"schemas": catalogue.schemas()}).encode())
    assert len([name for name, words in types.entries.items() if words == ("type",)]) == 16
    assert types.odd == 0


@pytest.mark.parametrize("body", [None, b"", b"altered"])
def test_a_kept_list_that_was_altered_says_which_and_what_to_do(body):
    with pytest.raises(ArchiveDamagedError, match=r"s3://bucket/key is no list.*Restore it"):
        kept_listing("actions", body, "s3://bucket/key")


# Comparing


def test_a_difference_has_what_came_went_and_changed():
    before = Listing({"stays": ("a",), "goes": ("b",), "moves": ("c",)})
    now = Listing({"stays": ("a",), "comes": ("d",), "moves": ("c", "e")})
    found = difference(before, now)
    assert (found.new, found.gone, found.changed) == ({"comes": ("d",)}, {"goes": ("b",)}, {"moves": ("c", "e")})


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(b'{"actions":{"a":["x","y"],"b":["z"]},"n":1}', True, id="the same bytes"),
        pytest.param(b'{ "n":1, "actions":{"b":["z"],"a":["y","x"]} }', True, id="another order"),
        pytest.param(b'{"actions":{"a":["\\u0078","y"],"b":["z"]},"n":1}', True, id="other escapes"),
        pytest.param(b'{"actions":{"a":["x","y","y"],"b":["z"]},"n":1}', False, id="a member twice"),
        pytest.param(b'{"actions":{"a":["x"],"b":["y","z"]},"n":1}', False, id="a member elsewhere"),
        pytest.param(b'{"actions":{"a":["x","y"],"b":["z"]},"n":"1"}', False, id="a number as a text"),
        pytest.param(b'{"actions":{"a":["x","y"],"b":["z"]},"n":1,"m":null}', False, id="a field of Slack's own"),
        pytest.param(b"altered", False, id="no JSON"),
        pytest.param(b"[" * 100_000, False, id="too deep"),
    ],
)
def test_answers_are_compared_by_what_they_say(other, same):
    assert says_the_same(b'{"actions":{"a":["x","y"],"b":["z"]},"n":1}', other) is same


@pytest.mark.parametrize(
    ("names", "unknown"),
    [
        ([], []),
        (["user_login", "file_shared"], []),
        (["user_login", "user_logn", "file_shared", "anomaly"], ["user_logn", "anomaly"]),
        (["User_Login"], ["User_Login"]),
        (["user"], ["user"]),
    ],
)
def test_names_that_slack_does_not_know_are_told_in_their_order(names, unknown):
    assert unknown_names(names, actions(user=["user_login"], file=["file_shared"])) == unknown


def test_without_a_list_no_name_is_taken_for_unknown():
    with pytest.raises(UnavailableError):
        unknown_names(["user_login"], b"<html>")


# Keys


def test_a_key_sorts_by_time_and_says_what_it_holds():
    key = catalog_key("main", "actions", NOON + 0.9, b"body")
    assert re.fullmatch(r"catalog/org=main/actions-20260101T120000Z-[0-9a-f]{12}\.json", key)
    assert key < catalog_key("main", "actions", NOON + 1, b"body") < catalog_key("main", "schemas", 0, b"body")
    assert key != catalog_key("main", "actions", NOON, b"other")
