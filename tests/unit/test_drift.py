"""What the drift watch finds, tells and keeps; and that one failure costs no other finding."""

import json
import logging
from collections.abc import Sequence

import pytest

from slack_audit.batches import pack
from slack_audit.drift import MOST_NAMED, Drift, Watch
from slack_audit.errors import (
    ArchiveDamagedError,
    CollectorError,
    RateLimitedError,
    RefusedError,
    SettingsError,
    StorageError,
    UnavailableError,
)
from tests import fakes
from tests.builders import DAY_START, raw_event

DAY = 86_400
NOON = DAY_START + 10 * DAY + DAY // 2  # 2026-01-11T12:00:00Z
YESTERDAY, THE_DAY_BEFORE, EARLIER = "2026-01-10", "2026-01-09", "2026-01-08"
TODAY = "2026-01-11"


class World:
    """An archive, Slack's lists, and the runs of the watch, a day apart."""

    def __init__(self) -> None:
        self.faults = fakes.Faults()
        self.clock = fakes.Clock(NOON)
        self.archive = fakes.Archive(self.faults)
        self.catalog = fakes.Catalog()
        self.filter: Sequence[str] = ()

    def watch(self, seconds: float = 900.0) -> Watch:
        self.clock.new_run(seconds)
        return Watch("main", self.filter, catalog=self.catalog, archive=self.archive, clock=self.clock)

    def run(self, seconds: float = 900.0) -> Drift:
        return self.watch(seconds).run()

    def fails(self, kind: type[CollectorError]) -> tuple[str, Drift]:
        """The run's message, and what it did in spite of it."""
        watch = self.watch()
        with pytest.raises(kind) as raised:
            watch.run()
        return str(raised.value), watch.report

    def next_day(self) -> None:
        self.clock.time += DAY

    def actions(self, **categories: list[str]) -> None:
        self.catalog.lists["actions"] = json.dumps({"actions": categories}).encode()

    def schema(self, **fields: str) -> None:
        self.catalog.lists["schemas"] = json.dumps({"schemas": [{"type": "user", "user": fields}]}).encode()

    def events(self, day: str, *actions: object, number: int = 1) -> str:
        """An object of the archive with an event for each action; its key."""
        key = f"raw/org=main/dt={day}/1-2-{number}-0123456789ab.ndjson.gz"
        self.archive.objects[key] = pack(raw_event(1, it, action=action) for it, action in enumerate(actions))
        return key

    def kept(self, kind: str) -> list[bytes]:
        prefix = f"catalog/org=main/{kind}-"
        return [body for key, body in sorted(self.archive.objects.items()) if key.startswith(prefix)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "slack_audit.drift")
    return caplog


# Slack's lists


def test_the_first_run_keeps_both_lists_and_names_nothing_as_new(world):
    report = world.run()
    assert (report.new_actions, report.gone_actions, report.schema_changes) == ([], [], [])
    assert len(report.kept) == 2
    assert world.kept("actions") == [world.catalog.lists["actions"]]
    assert world.kept("schemas") == [world.catalog.lists["schemas"]]
    assert world.catalog.asked == ["actions", "schemas"]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(b'{"actions":{"user":["user_login","user_logout"],"file":["file_shared"]}}', id="the same"),
        pytest.param(b'{"actions":{"file":["file_shared"],"user":["user_logout","user_login"]}}', id="another order"),
    ],
)
def test_what_says_the_same_is_not_kept_again(world, again):
    world.run()
    world.next_day()
    world.catalog.lists["actions"] = again
    assert world.run().kept == []
    assert len(world.kept("actions")) == 1


def test_a_changed_list_is_kept_and_its_changes_are_named_once(world, told):
    world.run()
    world.next_day()
    world.actions(user=["user_login", "user_renamed"], file=["file_shared"])
    world.schema(id="string", name="vec<string>", team="string")
    told.clear()
    report = world.run()
    assert (report.new_actions, report.gone_actions) == (["user_renamed"], ["user_logout"])
    assert report.schema_changes == ["user.team", "user.name"]
    assert len(world.kept("actions")) == len(world.kept("schemas")) == 2
    named = [(it.message, it.__dict__.get("action") or it.__dict__.get("field")) for it in told.records]
    assert named[:2] == [("new action", "user_renamed"), ("gone action", "user_logout")]
    assert ("new in the schemas", "user.team") in named
    assert ("changed in the schemas", "user.name") in named
    assert told.records[0].__dict__["listed_as"] == ["user"]
    world.next_day()
    again = world.run()
    assert (again.kept, again.new_actions, again.gone_actions, again.schema_changes) == ([], [], [], [])


def test_a_field_that_goes_is_named(world, told):
    world.run()
    world.schema(id="string")
    world.next_day()
    assert world.run().schema_changes == ["user.name"]
    assert "gone from the schemas" in told.messages


def test_a_name_that_comes_into_another_category_is_not_new(world):
    world.run()
    world.next_day()
    world.actions(user=["user_login", "user_logout"], file=["file_shared", "user_login"])
    report = world.run()
    assert (report.new_actions, report.gone_actions, len(report.kept)) == ([], [], 1)


def test_a_list_that_comes_back_is_kept_again(world):
    first = world.catalog.lists["actions"]
    for listed in (first, b'{"actions":{"user":["user_login"]}}', first):
        world.catalog.lists["actions"] = listed
        world.run()
        world.next_day()
    assert len(world.kept("actions")) == 3
    assert world.run().new_actions == []


def test_the_newest_kept_list_is_found_among_many(world, monkeypatch):
    monkeypatch.setattr("slack_audit.drift.PAGE", 3)
    for number in range(10):
        world.actions(user=["user_login", f"action_{number}"])
        world.run()
        world.next_day()
    world.actions(user=["user_login", "action_10"])
    assert world.run().gone_actions == ["action_9"]


def test_a_run_that_dies_before_it_keeps_a_list_leaves_the_news_to_the_next(world):
    world.run()
    world.next_day()
    world.actions(user=["user_login", "user_logout", "user_new"], file=["file_shared"])
    world.faults.fail("archive.put_new", 3, StorageError("no luck"))
    assert world.fails(StorageError)[1].new_actions == ["user_new"]
    assert world.run().new_actions == ["user_new"]


def test_a_list_that_another_run_kept_in_the_same_second_is_no_failure(world):
    world.archive.lost_replies = True
    assert len(world.run().kept) == 2


def test_odd_members_are_counted(world, told):
    world.catalog.lists["actions"] = b'{"actions":{"user":["user_login",7],"new":"x"}}'
    assert world.run().odd == 2
    assert "slack's list has members of no known form" in told.messages


def test_of_a_flood_of_news_only_so_many_are_logged(world, told):
    world.run()
    world.next_day()
    told.clear()
    world.actions(user=[f"new_{number:05}" for number in range(MOST_NAMED + 5)])
    assert len(world.run().new_actions) == MOST_NAMED + 5
    assert told.messages.count("new action") == MOST_NAMED


# Events


def test_actions_that_no_list_knows_are_counted_by_name(world, told):
    world.events(YESTERDAY, "user_login", "never_heard_of", "never_heard_of", number=1)
    world.events(YESTERDAY, "another", "never_heard_of", number=2)
    report = world.run()
    assert report.unknown_actions == {"never_heard_of": 3, "another": 1}
    assert (report.objects, report.events, report.looked_at_all) == (2, 5, True)
    named = [it.__dict__ for it in told.records if it.message == "unknown action in events"]
    assert [(it["action"], it["events"]) for it in named] == [("never_heard_of", 3), ("another", 1)]


@pytest.mark.parametrize(
    ("day", "looked_at"), [(TODAY, False), (YESTERDAY, True), (THE_DAY_BEFORE, True), (EARLIER, False)]
)
def test_the_last_two_complete_days_are_looked_at(world, day, looked_at):
    world.events(day, "never_heard_of")
    assert bool(world.run().unknown_actions) is looked_at


def test_events_of_another_org_are_not_looked_at(world):
    world.events(YESTERDAY, "user_login")
    key = f"raw/org=main2/dt={YESTERDAY}/1-2-1-0123456789ab.ndjson.gz"
    world.archive.objects[key] = pack([raw_event(1, action="never_heard_of")])
    assert world.run().unknown_actions == {}


def test_what_slack_just_retired_is_not_unknown(world):
    world.run()
    world.events(YESTERDAY, "user_logout")
    world.actions(user=["user_login"])
    assert world.run().unknown_actions == {}
    world.next_day()  # the list is the kept one by now, and the events are the day before yesterday's
    report = world.run()
    assert (report.events, report.unknown_actions) == (1, {})


def test_odd_lines_cost_nothing(world):
    key = world.events(YESTERDAY, "user_login")
    lines = [
        b"not json",
        b"[]",
        b"null",
        b'{"action":7}',
        b"{}",
        b'{"action":null}',
        b'{"action":"odd","id":"\\ud83d"}',
    ]
    world.archive.objects[key] = pack([*lines, b"[" * 100_000, raw_event(1, action="never_heard_of")])
    assert world.run().unknown_actions == {"odd": 1, "never_heard_of": 1}


@pytest.mark.parametrize("body", [b"", b"no gzip", pack([raw_event(1)])[:-12]], ids=["nothing", "no gzip", "half"])
def test_an_object_that_cannot_be_read_is_told_and_the_others_are_looked_at(world, told, body):
    damaged = world.events(YESTERDAY, number=1)
    world.archive.objects[damaged] = body
    world.events(YESTERDAY, "never_heard_of", number=2)
    report = world.run()
    assert (report.unreadable, report.objects, report.unknown_actions) == (1, 1, {"never_heard_of": 1})
    (line,) = [it for it in told.records if it.message == "an object of the archive could not be read"]
    assert line.__dict__["key"] == damaged


def test_when_time_is_up_it_stops_in_order_and_says_so(world: World, told):
    keys = [world.events(YESTERDAY, f"unknown_{number}", number=number) for number in range(5)]
    genuine = world.archive.get

    def slow(key: str) -> bytes | None:
        world.clock.time += 30 if key.startswith("raw/") else 0
        return genuine(key)

    world.archive.get = slow
    report = world.run(seconds=150)
    assert not report.looked_at_all
    assert list(report.unknown_actions) == ["unknown_0", "unknown_1", "unknown_2"]
    assert world.clock.time_left() >= 30
    (line,) = [it for it in told.records if it.message == "no time to look at all events"]
    assert (line.__dict__["day"], line.__dict__["first_left_out"]) == (YESTERDAY, keys[3])
    assert len(report.kept) == 2


def test_of_a_flood_of_unknown_actions_only_so_many_are_counted(world):
    world.events(YESTERDAY, *[f"unknown_{number}" for number in range(MOST_NAMED + 5)], "unknown_0", "x" * 5_000)
    report = world.run()
    assert len(report.unknown_actions) == MOST_NAMED
    assert report.unknown_actions["unknown_0"] == 2


def test_an_endless_name_is_cut(world):
    world.events(YESTERDAY, "x" * 5_000)
    assert world.run().unknown_actions == {"x" * 200: 1}


# The filter


def test_a_filter_that_slack_knows_is_fine(world):
    world.filter = ["user_login", "file_shared"]
    assert world.run().unknown_filter_actions == []


def test_an_unknown_name_in_the_filter_fails_after_all_else_is_done_and_is_named(world):
    world.filter = ["user_login", "user_logn", "no_such"]
    world.events(YESTERDAY, "never_heard_of")
    message, report = world.fails(SettingsError)
    for part in (
        "ActionFilter of org main",
        "user_logn, no_such",
        "invalid_action",
        "deploy again",
        "catalog/org=main",
    ):
        assert part in message
    assert "user_login," not in message
    assert report.unknown_filter_actions == ["user_logn", "no_such"]
    assert (len(report.kept), report.unknown_actions, report.looked_at_all) == (2, {"never_heard_of": 1}, True)


def test_a_name_that_slack_retires_fails_the_next_run(world):
    world.filter = ["user_logout"]
    world.run()
    world.next_day()
    world.actions(user=["user_login"])
    message, report = world.fails(SettingsError)
    assert "user_logout" in message
    assert report.gone_actions == ["file_shared", "user_logout"]


# Failures


FAILURES = [UnavailableError("html"), RateLimitedError("too fast", retry_after=30), RefusedError("404")]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_without_a_list_of_actions_the_schemas_are_still_watched_and_the_run_fails(world, error):
    world.filter = ["no_such"]
    world.events(YESTERDAY, "never_heard_of")
    world.catalog.lists["actions"] = error
    message, report = world.fails(type(error))
    assert message == str(error)
    assert len(world.kept("schemas")) == 1
    assert (report.unknown_actions, report.unknown_filter_actions, report.looked_at_all) == ({}, [], False)


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_without_schemas_all_else_is_done_and_the_run_fails(world, error):
    world.events(YESTERDAY, "never_heard_of")
    world.catalog.lists["schemas"] = error
    _, report = world.fails(type(error))
    assert (len(world.kept("actions")), report.unknown_actions) == (1, {"never_heard_of": 1})


def test_an_answer_that_is_no_list_is_not_kept(world):
    world.run()
    world.next_day()
    world.catalog.lists["actions"] = b'{"actions":{}}'
    world.fails(UnavailableError)
    assert len(world.kept("actions")) == 1
    world.actions(user=["user_login", "user_logout"], file=["file_shared"])
    assert world.run().gone_actions == []


def test_of_two_failures_both_are_told(world, told):
    world.filter = ["no_such"]
    world.catalog.lists["schemas"] = UnavailableError("schemas are down")
    assert "no_such" in world.fails(SettingsError)[0]
    (line,) = [it for it in told.records if it.levelname == "ERROR"]
    assert line.__dict__["reason"] == "schemas are down"


def test_a_kept_list_that_was_altered_is_told_and_all_else_is_done(world):
    world.run()
    (key,) = [key for key in world.archive.objects if key.startswith("catalog/org=main/actions-")]
    world.archive.objects[key] = b"altered"
    world.events(YESTERDAY, "never_heard_of")
    world.filter = ["no_such"]
    message, report = world.fails(ArchiveDamagedError)
    assert key in message
    assert (report.unknown_filter_actions, report.unknown_actions) == (["no_such"], {"never_heard_of": 1})


def test_an_archive_that_cannot_be_listed_fails_the_run_after_what_was_found_was_told(world: World, told):
    world.events(YESTERDAY, "never_heard_of")
    genuine = world.archive.keys

    def refusing(prefix: str, *, after: str, most: int) -> list[str]:
        if prefix.endswith(f"{THE_DAY_BEFORE}/"):
            raise StorageError("AccessDenied")
        return genuine(prefix, after=after, most=most)

    world.archive.keys = refusing
    assert world.fails(StorageError)[1].unknown_actions == {"never_heard_of": 1}
    assert "unknown action in events" in told.messages
