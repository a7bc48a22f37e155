"""Whatever JSON Slack answers with: a list, or an error that says whose fault it is."""

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slack_audit.catalog import Listing, difference, listing_of, says_the_same
from slack_audit.errors import UnavailableError

texts = st.sampled_from(["actions", "schemas", "type", "user", "app", "", "a"]) | st.text(max_size=5)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
likely = st.fixed_dictionaries({"actions": anything, "schemas": st.lists(anything, max_size=4)})
lists = st.dictionaries(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=4), max_size=4)


def read(kind: Any, body: bytes) -> Listing | None:
    try:
        return listing_of(kind, body)
    except UnavailableError:
        return None


@given(st.sampled_from(["actions", "schemas"]), anything | likely)
def test_any_json_is_a_list_or_a_classified_error(kind, answer):
    listing = read(kind, json.dumps(answer).encode())
    assert listing is None or all(
        isinstance(name, str) and words and all(isinstance(word, str) for word in words)
        for name, words in listing.entries.items()
    )


@given(st.sampled_from(["actions", "schemas"]), st.binary(max_size=60))
def test_any_bytes_are_a_list_or_a_classified_error(kind, body):
    assert read(kind, body) is None or b"{" in body


@given(likely, st.randoms(use_true_random=False))
def test_another_order_says_the_same_and_is_no_difference(answer, chance):
    body, other = json.dumps(answer).encode(), json.dumps(shuffled(answer, chance), indent=1).encode()
    for kind in ("actions", "schemas"):
        before, now = read(kind, body), read(kind, other)
        assert before == now
    assert says_the_same(body, other)


@given(lists, lists)
def test_what_says_the_same_has_no_difference_and_a_difference_does_not_say_the_same(one, other):
    first, second = (json.dumps({"actions": it}).encode() for it in (one, other))
    before, now = read("actions", first), read("actions", second)
    if before is None or now is None:
        return
    found = difference(before, now)
    assert set(now.entries) == set(before.entries) - set(found.gone) | set(found.new)
    if says_the_same(first, second):
        assert (found.new, found.gone, found.changed) == ({}, {}, {})


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        members = [(name, shuffled(member, chance)) for name, member in value.items()]
        chance.shuffle(members)
        return dict(members)
    if isinstance(value, list):
        listed = [shuffled(member, chance) for member in value]
        chance.shuffle(listed)
        return listed
    return value
