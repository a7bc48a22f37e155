"""Invented events: deterministic, of every action and shape, and as odd as the real ones."""

import ipaddress
import json
import random
import re
from collections import Counter
from itertools import chain

import pytest

from local.slack import catalogue
from local.slack.generate import Generator, Lateness, Order, generate
from tests.local.clients import NOON, is_uuid4

SHAPES = {
    "account_type_role", "app", "barrier", "canvas", "channel", "enterprise", "external_auth_oauth2_token", "file",
    "function", "huddle", "legal_hold_policy", "list", "message", "role", "template", "user", "usergroup", "workflow",
    "workflow_v2", "workspace",
}  # fmt: skip
KEYS = ["id", "date_create", "action", "actor", "entity", "context", "details"]


def order(count: int, seed: int = 1, **more: object) -> list[bytes]:
    wanted = Order(count=count, start=NOON - 3600, end=NOON, seed=seed, **more)  # type: ignore[arg-type]
    return [event.raw for event, _ in generate(wanted, organisation=1, lateness=Lateness())]


@pytest.fixture(scope="module")
def raws():
    return order(8000)


@pytest.fixture(scope="module")
def entries(raws):
    return [json.loads(raw) for raw in raws]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    assert order(200, seed=7) == order(200, seed=7)
    assert not set(order(200, seed=7)) & set(order(200, seed=8))


def test_ids_look_like_uuids_of_version_4_and_are_unique(entries):
    assert all(is_uuid4(entry["id"]) for entry in entries)
    assert len({entry["id"] for entry in entries}) == len(entries)


def test_events_are_about_750_bytes(raws):
    assert 700 < sum(map(len, raws)) / len(raws) < 800


def test_the_wire_is_compact_and_escapes_slashes(raws):
    assert all(b"\n" not in raw and b'": ' not in raw and not re.search(rb"(?<!\\)/", raw) for raw in raws)


def test_keys_are_in_slacks_order(entries):
    assert all([key for key in entry if key in KEYS] == [key for key in KEYS if key in entry] for entry in entries)
    assert all(set(entry) >= set(KEYS[:-1]) for entry in entries)


def test_every_action_is_there_and_everyday_life_dominates(entries):
    counts = Counter(entry["action"] for entry in entries)
    assert set(counts) == catalogue.names()
    files = sum(number for action, number in counts.items() if action.startswith("file_"))
    assert files / len(entries) > 0.3
    assert counts["user_login"] / len(entries) > 0.1


def test_full_coverage_walks_round_all_actions_evenly():
    names = len(catalogue.names())
    counts = Counter(json.loads(raw)["action"] for raw in order(names * 2, coverage=1))
    assert set(counts.values()) == {2}
    assert len(counts) == names


def test_entities_come_in_every_known_shape(entries):
    assert {entry["entity"]["type"] for entry in entries} == SHAPES
    assert all(isinstance(entry["entity"][entry["entity"]["type"]], dict) for entry in entries)


def test_a_login_is_done_to_oneself(entries):
    logins = [entry for entry in entries if entry["action"] == "user_login"]
    assert all(entry["actor"] == entry["entity"] for entry in logins)


def test_session_ids_are_numbers_texts_null_or_absent(entries):
    sessions = [entry["context"].get("session_id", "absent") for entry in entries]
    assert {type(session) for session in sessions} == {int, str, type(None)}
    assert "absent" in sessions
    assert max(session for session in sessions if isinstance(session, int)) > 2**31


def test_addresses_are_of_documentation_ranges_or_odd(entries):
    addresses = {entry["context"]["ip_address"] for entry in entries}
    assert addresses >= {"", "127.0.0.1", "redacted"}
    nets = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
    real = [ipaddress.ip_address(address) for address in addresses - {"", "127.0.0.1", "redacted"}]
    assert {address.version for address in real} == {4, 6}
    assert all(any(address in net for net in nets) for address in real)


def test_user_agents_may_be_empty(entries):
    assert "" in {entry["context"]["ua"] for entry in entries}


def test_people_are_invented_and_some_have_no_address(entries):
    emails = {entry["actor"]["user"]["email"] for entry in entries}
    assert "" in emails
    assert {email.partition("@")[2] for email in emails - {""}} == {"example.com", "example.org"}
    assert all(re.fullmatch(r"[A-Za-z0-9.]+@example\.(com|org)", email) for email in emails - {""})
    assert {"USLACKUSER", "USLACKSECURITY"} <= {entry["actor"]["user"]["id"] for entry in entries}


def test_characters_beyond_ascii_come_raw_and_escaped(raws):
    assert any(not raw.isascii() for raw in raws)
    assert any(rb"\u00" in raw for raw in raws)
    assert any(rb"\ud83e" in raw for raw in raws)
    assert all(raw.decode("utf-8") for raw in raws)


def test_the_app_of_a_context_is_an_object_or_null_or_absent(entries):
    apps = [type(entry["context"].get("app", "")) for entry in entries]
    assert {dict, type(None), str} == set(apps)


def test_details_have_values_of_every_known_type(entries):
    found: dict[str, set[str]] = {}
    for entry in entries:
        for key, value in entry.get("details", {}).items():
            found.setdefault(key, set()).add(type(value).__name__)
    assert found["new_value"] == {"bool", "NoneType", "str", "list", "dict"}
    assert found["failed_users"] == {"list", "str"}
    assert found["reason"] == {"list", "str"}
    assert found["exporting_team_id"] == {"int"}
    assert "API" in found
    assert any("details" not in entry for entry in entries)


def test_anomalies_name_the_act_in_microseconds_some_seconds_before(entries):
    anomalies = [entry for entry in entries if entry["action"] == "anomaly"]
    lags = [entry["date_create"] - entry["details"]["action_timestamp"] / 1e6 for entry in anomalies]
    assert len(lags) > 20
    assert all(2 < lag < 53 for lag in lags)


def test_some_events_have_fields_that_nobody_knows(entries):
    assert any(set(entry) - set(KEYS) for entry in entries)


def test_events_are_inside_their_range_and_in_order(entries):
    seconds = [entry["date_create"] for entry in entries]
    assert seconds == sorted(seconds)
    assert NOON - 3600 <= seconds[0] <= seconds[-1] <= NOON


def test_bursts_put_many_events_into_one_second():
    seconds = Counter(json.loads(raw)["date_create"] for raw in order(1000, bursts=0.4, burst_size=100))
    assert [number >= 100 for _, number in seconds.most_common(4)] == [True] * 4
    assert len(seconds) > 400


def test_all_events_of_an_order_can_be_in_one_second():
    one = Order(count=500, start=NOON, end=NOON, seed=1)
    assert {event.second for event, _ in generate(one, organisation=1, lateness=Lateness())} == {NOON}


@pytest.mark.parametrize(
    "wrong", [{"count": -1}, {"start": NOON + 1}, {"coverage": 2}, {"bursts": -1}, {"burst_size": 0}]
)
def test_an_order_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        Order(**{"count": 1, "start": NOON, "end": NOON, "seed": 1} | wrong)


def test_what_the_filters_know_of_an_event_is_what_its_bytes_say():
    generator = Generator(organisation=1, seed=3, coverage=0.5)
    for event, visible_at in (generator.event(NOON, Lateness()) for _ in range(500)):
        entry = json.loads(event.raw)
        entity = entry["entity"][entry["entity"]["type"]]
        assert (event.second, event.action) == (entry["date_create"], entry["action"])
        assert (event.actor, event.entity) == (entry["actor"]["user"]["id"], str(entity.get("id", "")))
        assert visible_at == NOON


def test_lateness_is_within_its_range():
    dice = random.Random(1)
    late = [Lateness(0.5, (10, 20)).visible_at(dice, NOON) - NOON for _ in range(500)]
    assert set(filter(lambda wait: wait < 10, late)) == {0}
    assert 200 < sum(wait >= 10 for wait in late) < 300
    assert max(late) <= 20


def test_nobody_and_nothing_is_from_a_real_organisation(raws):
    domains = set(chain.from_iterable(re.findall(rb"@([a-z.]+)", raw) for raw in raws))
    assert domains <= {b"example.com", b"example.org"}
