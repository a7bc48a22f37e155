"""The rotation of a token: whatever fails, is killed or comes twice, the secret has a living token and goes on."""

import json
import logging
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_audit import rotate
from slack_audit.credentials import FORM, Credentials, Pair, credentials_of
from slack_audit.errors import (
    RateLimitedError,
    RefusedError,
    RotationError,
    StorageError,
    TokenLostError,
    TokenRefusedError,
    UnavailableError,
    VersionTakenError,
)
from slack_audit.rotate import CURRENT, PENDING, PROBE
from tests.fakes import KilledError
from tests.hygiene import SECRET as LOOKS_SECRET
from tests.rotating import SECRET, STEPS, World, shown

HOUR = 3_600


@pytest.fixture
def world() -> World:
    return World()


def fails(world: World, step: str, version: str, kind: type[Exception] = RotationError) -> str:
    """The message with which a step fails; neither it nor anything behind it shows a secret."""
    with pytest.raises(kind) as raised:
        world.step(step, version)
    assert not LOOKS_SECRET.search(shown(raised.value))
    return str(raised.value)


# As it should be


def test_a_rotation_gives_the_secret_a_new_pair_and_leaves_the_old_token_alive(world):
    before = world.secret.current
    outcomes = world.rotate()
    after = world.secret.current
    assert outcomes == ["refreshed and kept", "", "accepted", "made current"]
    assert (after["client_id"], after["client_secret"]) == (before["client_id"], before["client_secret"])
    assert not {after["token"], after["refresh_token"]} & {before["token"], before["refresh_token"]}
    assert after["expires_at"] == pytest.approx(world.clock.time + 12 * HOUR, abs=2)
    assert world.slack.lives(before["token"])
    assert world.slack.lives(after["token"])


def test_what_a_person_added_to_the_value_stays(world):
    world.secret.person_puts(world.new_version(), {**world.slack.install(), "owner": "Ada", "n": [1]})
    world.rotate()
    assert (world.secret.current["owner"], world.secret.current["n"]) == ("Ada", [1])


def test_the_new_token_is_tested_with_one_call_for_one_event(world):
    world.rotate()
    (query,) = world.slack.asked
    assert (query.limit, query.window, query.cursor) == (1, None, None)


def test_every_four_hours_for_a_month_there_is_a_living_token(world):
    for _ in range(180):
        world.clock.time += 4 * HOUR
        assert world.slack.lives(world.secret.current["token"])
        world.rotate()


def test_a_token_that_has_expired_is_replaced_all_the_same(world):
    world.clock.time += 13 * HOUR
    assert not world.slack.lives(world.secret.current["token"])
    world.rotate()
    assert world.survives()


# Again, and twice


@pytest.mark.parametrize("times", [2, 3])
def test_every_step_can_be_asked_for_again(world, times):
    version = world.begin()
    for step in STEPS:
        for _ in range(times):
            world.step(step, version)
    assert world.slack.refreshed == 1
    assert world.survives()


@given(steps=st.lists(st.sampled_from(STEPS), max_size=12))
def test_steps_in_any_order_and_number_spend_one_refresh_token_and_leave_a_living_token(steps):
    world = World()
    version = world.begin()
    for step in steps:
        with suppress(RotationError):
            world.step(step, version)
        assert world.slack.lives(world.secret.current["token"])
    assert world.slack.refreshed <= 1
    world.go_on(version)
    assert world.slack.refreshed == 1
    assert world.survives()


def test_a_rotation_that_is_over_is_left_alone_by_a_late_repetition(world):
    first = world.begin()
    world.go_on(first)
    world.rotate()
    now = world.secret.current
    for step in STEPS:
        if step != "setSecret":
            assert "rotate-secret" in fails(world, step, first)
    assert world.secret.current == now


def test_two_calls_of_a_step_at_the_same_time_keep_one_pair(world, caplog):
    version = world.begin()
    put = world.secret.put

    def put_late(version: str, value: str, label: str) -> None:
        """Another call of the same step is faster."""
        if label == PENDING:
            world.secret.put = put
            world.step("createSecret", version)
        put(version, value, label)

    world.secret.put = put_late
    assert world.step("createSecret", version) == "was kept by another call"
    assert "another call kept a pair first" in caplog.text
    assert world.slack.refreshed == 2
    assert world.step("testSecret", version) == "accepted"
    world.step("finishSecret", version)
    assert world.survives()


# Killed


def calls_of_a_rotation() -> int:
    world = World()
    world.rotate()
    return len(world.faults.calls)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, calls_of_a_rotation() + 1))
def test_a_function_that_is_killed_at_any_call_is_made_up_for_by_the_next_try(number, moment):
    world = World()
    version = world.begin()
    world.faults.kill = (number, moment)
    with pytest.raises(KilledError):
        world.go_on(version)
    world.faults.dead, world.faults.kill = False, None
    assert world.slack.lives(world.secret.current["token"])
    world.clock.time += 20
    world.go_on(version)
    assert world.secret.version_with(CURRENT) == version
    assert world.slack.refreshed <= 2
    assert world.survives()


def test_a_function_that_is_killed_between_refresh_and_write_is_lost_only_after_the_grace_period():
    """What no order of writes can prevent: the answer was in memory only."""
    world = World(refresh_grace=60)
    version = world.begin()
    world.fail("put", 2, error=KilledError())  # type: ignore[arg-type]
    with pytest.raises(KilledError):
        world.go_on(version)
    world.clock.time += 61
    assert "invalid_refresh_token" in fails(world, "createSecret", version, TokenRefusedError)
    assert world.slack.lives(world.secret.current["token"]), "until it expires"


# The write that must not fail


def test_nothing_is_spent_where_nothing_can_be_written(world):
    version = world.begin()
    world.fail("put", *range(1, 100))
    fails(world, "createSecret", version, StorageError)
    assert world.slack.refreshed == 0
    world.faults.at.clear()
    world.go_on(version)
    assert world.survives()


@pytest.mark.parametrize("times", [1, 2, 5, 20])
def test_the_new_pair_is_written_again_until_it_is_kept(world, times, caplog):
    world.fail("put", *range(2, 2 + times))
    version = world.begin()
    assert world.step("createSecret", version) == "refreshed and kept"
    assert caplog.text.count("new tokens not kept, writing again") == times
    assert world.slack.refreshed == 1
    world.go_on(version)
    assert world.survives()


def test_a_reply_to_the_write_that_was_lost_does_no_harm(world):
    put = world.secret.put

    def lose_reply(version: str, value: str, label: str) -> None:
        put(version, value, label)
        if label == PENDING:
            world.secret.put = put
            raise StorageError("did not answer")

    world.secret.put = lose_reply
    assert world.rotate()[0] == "refreshed and kept"
    assert world.survives()


def test_a_pair_that_cannot_be_kept_to_the_end_of_the_time_is_told_with_what_a_person_must_do(world, caplog):
    version = world.begin()
    world.fail("put", *range(2, 10_000))
    message = fails(world, "createSecret", version, TokenLostError)
    assert 0 < world.clock.time_left() <= rotate.LAST_WRITE + rotate.LONGEST_WRITE_BACK_OFF
    for said in ("organisation owner install the app again", "not now", "lives on until it expires", SECRET):
        assert said in message
    (critical,) = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert (critical.getMessage(), critical.__dict__["reason"]) == ("new tokens lost", message)
    assert world.slack.lives(world.secret.current["token"])


def test_without_the_time_to_keep_a_pair_none_is_asked_for(world):
    version = world.begin()
    run = rotate.Rotation(SECRET, world.secret, world.slack, world.slack.source, world.clock)
    world.clock.new_run(rotate.WRITING_TIME - 1)
    with pytest.raises(RotationError, match="Too little time"):
        run.create(version)
    assert world.slack.refreshed == 0


def test_the_probe_holds_no_secret_and_is_one_version_for_all_tries(world):
    version = world.begin()
    for _ in range(3):
        world.fail("refresh", 1, error=RefusedError("bad_client_secret"))
        fails(world, "createSecret", version, RefusedError)
    probes = [it for it in world.secret.versions.values() if PROBE in it.labels]
    assert [it.value for it in probes] == [rotate.PROBE_VALUE]
    assert len(world.secret.versions) == 3


# Slack


def test_an_answer_that_was_lost_is_asked_for_again_at_once(world):
    before = world.secret.current["token"]
    world.lose_answer()
    version = world.begin()
    assert world.step("createSecret", version) == "refreshed and kept"
    assert world.slack.refreshed == 2
    assert sum(world.clock.slept) <= 1
    assert not world.slack.lives(before), "the third of two: Slack ends the oldest, the one in force"
    world.go_on(version)
    assert world.survives()


def test_an_answer_that_was_lost_for_good_is_told(caplog):
    world = World(refresh_grace=0)
    world.lose_answer()
    message = fails(world, "createSecret", world.begin(), TokenLostError)
    assert message.startswith("An answer of Slack's was lost")
    assert "invalid_refresh_token" in message
    assert "new tokens lost" in caplog.text


def test_a_slack_that_is_away_is_left_to_the_next_try(world):
    version = world.begin()
    world.fail("refresh", 1, 2, 3, 4, error=UnavailableError("Slack is away."))
    assert "may have been lost" in fails(world, "createSecret", version)
    assert world.clock.slept == [1.0, 2.0, 4.0]
    world.go_on(version)
    assert world.survives()


def test_a_rate_limit_is_waited_for_as_long_as_slack_says(world):
    world.fail("refresh", 1, error=RateLimitedError("slow down", retry_after=30))
    world.rotate()
    assert world.clock.slept == [30]


def test_a_rate_limit_that_outlasts_the_run_is_left_to_the_next_try(world):
    version = world.begin()
    world.fail("refresh", 1, error=RateLimitedError("slow down", retry_after=3_600))
    fails(world, "createSecret", version, RateLimitedError)
    assert world.clock.slept == []
    world.go_on(version)
    assert world.survives()


def test_what_slack_refuses_changes_nothing_and_is_told(world):
    world.slack.settings = world.slack.settings.changed({"client_secret": "another"})
    version = world.begin()
    assert "bad_client_secret" in fails(world, "createSecret", version, RefusedError)
    assert world.secret.versions[version].value is None
    world.slack.settings = world.slack.settings.changed({"client_secret": world.secret.current["client_secret"]})
    world.go_on(version)
    assert world.survives()


def test_a_new_token_that_slack_refuses_does_not_become_current(world):
    version = world.begin()
    before = world.secret.current
    world.step("createSecret", version)
    world.slack.oauth._installations.clear()
    message = fails(world, "testSecret", version)
    assert "refuses the new token" in message
    assert "AWSCURRENT stays" in message
    assert world.secret.current == before


@pytest.mark.parametrize(
    "error", [UnavailableError("Slack is away."), RateLimitedError("slow down", retry_after=3_600)]
)
def test_a_new_token_that_cannot_be_tested_stays_pending_for_the_next_try(world, error):
    version = world.begin()
    world.step("createSecret", version)
    world.fail("logs", 1, 2, 3, 4, error=error)
    message = fails(world, "testSecret", version)
    assert "could not be tested" in message
    assert "is AWSPENDING stays so" in message
    assert world.secret.version_with(PENDING) == version
    world.faults.at.clear()
    world.clock.time += 2 * HOUR
    assert world.go_on(version) == ["was kept already", "", "accepted", "made current"]
    assert world.slack.refreshed == 1
    assert world.survives()


def test_a_new_schedule_is_tried_out_with_the_current_token(world):
    """Secrets Manager asks for testSecret alone, with a version that has no value, and takes it away again."""
    version = world.begin()
    assert world.step("testSecret", version) == "accepted, the current one"
    assert world.slack.refreshed == 0
    world.slack.oauth._installations.clear()
    assert "refuses the current token" in fails(world, "testSecret", version)


# The secret


def test_a_version_without_a_value_never_becomes_current(world):
    version = world.begin()
    before = world.secret.current
    assert "has no value" in fails(world, "finishSecret", version)
    assert world.secret.current == before


@pytest.mark.parametrize("step", ["createSecret", "testSecret", "finishSecret"])
def test_a_version_that_was_not_prepared_is_refused(world, step):
    assert "is not AWSPENDING" in fails(world, step, "00000000-0000-4000-8000-999999999999")
    assert world.slack.refreshed == 0


def test_a_secret_without_a_value_is_told(world):
    world.secret.versions.clear()
    assert "has no value yet" in fails(world, "createSecret", world.begin())


@pytest.mark.parametrize("step", ["createSecret", "finishSecret"])
def test_what_a_person_puts_meanwhile_stays_and_ends_the_rotation(world, step):
    version = world.begin()
    world.step("createSecret", version)
    theirs = world.slack.install()
    world.secret.person_puts(world.new_version(), theirs)
    assert "Another value was put" in fails(world, step, version)
    assert world.secret.current == theirs
    assert world.secret.version_with(PENDING) is None
    assert world.survives()


def test_what_a_person_changes_beside_the_tokens_does_not_end_the_rotation(world):
    version = world.begin()
    world.step("createSecret", version)
    world.secret.person_puts(world.new_version(), {**world.secret.current, "owner": "Ada"})
    world.go_on(version)
    assert world.survives()


def test_a_move_of_the_label_that_failed_is_made_by_the_next_try(world):
    version = world.begin()
    world.fail("make_current", 1)
    with pytest.raises(StorageError):
        world.go_on(version)
    assert world.secret.version_with(PENDING) == version
    assert world.go_on(version)[-1] == "made current"
    assert world.survives()


@pytest.mark.parametrize(
    "value",
    [
        "xoxp-nobody-may-see",
        '{"token": "xoxp-nobody-may-see"}',
        '["xoxp-nobody-may-see"]',
        "null",
        '{"token": "xoxp-nobody-may-see", "refresh_token": 5, "client_id": "1", "client_secret": "nobody-may-see"}',
        '{"token": "xoxp-nobody-may-see", "refresh_token": "xoxe-1-a", "client_id": "1", "client_secret": "a b"}',
        '{"token": "xoxp-nobody-may-see", "refresh_token": "", "client_id": "1", "client_secret": "nobody-may-see"}',
    ],
)
def test_a_value_of_another_form_is_refused_and_shown_in_no_error(world, value):
    world.secret.versions[world.secret.version_with(CURRENT)].value = value
    message = fails(world, "createSecret", world.begin())
    assert "cannot be rotated" in message
    assert FORM in message
    assert world.slack.refreshed == 0


def test_nothing_shows_what_the_values_hold():
    fields = {"token": "xoxp-nobody-may-see", "refresh_token": "xoxe-1-a", "client_id": "1", "client_secret": "b"}
    credentials = credentials_of(json.dumps({name: f" {text}\n" for name, text in fields.items()}), "name")
    assert credentials.fields == fields
    for value in (credentials, Pair("xoxe.xoxp-1-a", "xoxe-1-a", 5), [credentials]):
        assert not LOOKS_SECRET.search(f"{value!r} {value}")
    assert VersionTakenError.__mro__[1] is StorageError
    assert isinstance(credentials.renewed(Pair("a", "b", 5), 7.9), Credentials)


def test_no_log_shows_a_secret(world, caplog):
    caplog.set_level("DEBUG")
    world.lose_answer()
    world.fail("put", 2, 3)
    world.rotate()
    assert len(caplog.records) == 3
    assert not [record for record in caplog.records if LOOKS_SECRET.search(repr(vars(record)))]


def test_a_pair_that_expired_untested_does_not_block_the_rotations_after_it(world):
    version = world.begin()
    world.step("createSecret", version)
    world.clock.time += 13 * HOUR
    assert world.step("testSecret", version).startswith("expired untested")
    world.step("finishSecret", version)
    world.rotate()
    assert world.slack.lives(world.secret.current["token"])
