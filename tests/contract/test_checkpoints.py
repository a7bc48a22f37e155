"""Every table keeps the promises of `ports.Checkpoints`; then how the item in DynamoDB looks."""

from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest
from botocore.stub import Stubber

from slack_audit.adapters.dynamodb import DynamoDBCheckpoints, DynamoDBStandpoints
from slack_audit.budget import Budget
from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import LeaseLostError, StorageError, StorageRefusedError
from slack_audit.passes import FIRST_SPAN, Pass, Place
from slack_audit.ports import Checkpoints, TriedTable
from tests import fakes
from tests.conftest import Cloud
from tests.contract.wire import client_at, nobody

FULL = Checkpoint(
    next=1_234_567,
    head="ab" * 32,
    place=Place(None, "backfill-2018"),
    passes={
        "live": Pass(1_767_225_599),
        "late": Pass(1_767_225_500, publish=False),
        "final": Pass(1_767_139_199, paused=True),
        "backfill-2018": Pass(1_519_862_399, end=1_519_948_800, publish=False, paused=True),
    },
    published=1_234_560,
    spans={"live": 60, "late": 86_400, "final": 1, "backfill-2018": 3_600},
    plan=bytes(range(256)),
    clock=-7_200,
    budget=Budget(((1_767_225_590, 3), (1_767_225_598, 1)), 1_767_225_700, 1_767_226_300),
    streamed=1_767_225_000,
    succeeded=1_767_225_661,
    newest=1_767_224_000,
)
OTHER = Checkpoint(next=7, head="cd" * 32, passes={"live": Pass(5)}, published=2, spans={"live": 9})

NewRun = Callable[[], Checkpoints]


@pytest.fixture(params=["memory", "dynamodb"])
def new_run(request: pytest.FixtureRequest) -> NewRun:
    """Each call gives another run's view of one and the same item."""
    if request.param == "memory":
        table, faults = fakes.Table(), fakes.Faults()
        return lambda: fakes.Checkpoints(table, faults)
    cloud: Cloud = request.getfixturevalue("cloud")
    name = cloud.table()
    return lambda: DynamoDBCheckpoints(cloud.clients.dynamodb, name, "main")


@pytest.fixture
def run(new_run: NewRun) -> Checkpoints:
    return new_run()


@pytest.fixture
def other(new_run: NewRun) -> Checkpoints:
    return new_run()


def stored(new_run: NewRun) -> Checkpoint | None:
    """What a run would find that comes long after all the others."""
    return new_run().acquire("reader", now=9_000_000_000, until=9_000_000_001)


def test_the_first_run_ever_finds_an_empty_checkpoint(run):
    assert run.acquire("a", now=100, until=200) == Checkpoint()


def test_trying_to_write_changes_nothing_whoever_holds_the_lease(run, other, new_run):
    trial = cast(TriedTable, new_run())
    trial.try_to_write()
    assert run.acquire("a", now=100, until=200) == Checkpoint()
    trial.try_to_write()
    assert other.acquire("b", now=150, until=250) is None, "the lease is still held"
    run.release(FULL)
    trial.try_to_write()
    assert stored(new_run) == FULL


def test_a_held_lease_is_refused(run, other):
    run.acquire("a", now=100, until=200)
    assert other.acquire("b", now=101, until=300) is None


def test_a_refused_run_changes_nothing(new_run, run, other):
    run.acquire("a", now=100, until=200)
    other.acquire("b", now=101, until=900)
    run.save(FULL)
    assert new_run().acquire("c", now=201, until=300) == FULL


def test_a_refused_run_may_not_save(new_run, run, other):
    run.acquire("a", now=100, until=200)
    other.acquire("b", now=101, until=300)
    run.release(FULL)
    with pytest.raises(LeaseLostError):
        other.save(OTHER)
    assert stored(new_run) == FULL


@pytest.mark.parametrize(
    ("until", "now", "is_free"),
    [
        pytest.param(200, 199, False, id="not over"),
        pytest.param(200, 200, False, id="in its last second"),
        pytest.param(200, 200.9, False, id="late in its last second"),
        pytest.param(200, 201, True, id="over"),
        pytest.param(200.5, 201, False, id="it lasts to the end of the second that it names"),
        pytest.param(200.5, 202, True, id="that one is over, too"),
    ],
)
def test_a_lease_is_free_once_it_has_expired(run, other, until, now, is_free):
    run.acquire("a", now=100, until=until)
    assert (other.acquire("b", now=now, until=now + 100) is not None) == is_free


def test_ones_own_name_on_the_lease_is_success_because_the_reply_was_lost(run):
    run.acquire("a", now=100, until=200)
    run.save(FULL)
    assert run.acquire("a", now=101, until=201) == FULL


def test_a_lease_that_was_taken_again_lasts_until_its_new_end(run, other):
    run.acquire("a", now=100, until=200)
    run.acquire("a", now=190, until=300)
    assert other.acquire("b", now=250, until=400) is None


@pytest.mark.parametrize(
    "checkpoint",
    [
        pytest.param(Checkpoint(), id="empty"),
        pytest.param(FULL, id="every field"),
        pytest.param(Checkpoint(clock=0), id="a clock that is right is not an unknown one"),
        pytest.param(Checkpoint(clock=-1), id="a clock that is behind"),
        pytest.param(Checkpoint(plan=b""), id="a plan of no bytes is not no plan"),
        pytest.param(Checkpoint(plan=b"\x00\xff" * 50_000), id="a large plan"),
        pytest.param(Checkpoint(budget=Budget((), 1_767_225_700, 1_767_226_300)), id="blocked without calls"),
        pytest.param(Checkpoint(budget=Budget(tuple((second, 50) for second in range(61)))), id="a minute of calls"),
    ],
)
def test_what_is_saved_is_what_the_next_run_gets(new_run, run, checkpoint):
    run.acquire("a", now=100, until=200)
    run.save(checkpoint)
    assert stored(new_run) == checkpoint


def test_a_pass_whose_span_nobody_changed_asks_for_the_first_one(new_run, run):
    run.acquire("a", now=100, until=200)
    run.save(Checkpoint(passes={"live": Pass(5)}))
    found = stored(new_run)
    assert found is not None
    assert found.span("live") == FIRST_SPAN


def test_a_lease_that_was_given_back_comes_with_the_place_of_the_last_turn(new_run, run):
    run.acquire("a", now=100, until=200)
    run.release(Checkpoint(next=7, place=Place("late", "late")))
    found = new_run().acquire("b", now=110, until=300)
    assert found is not None
    assert found.place == Place("late", "late")


def test_a_lease_that_was_not_given_back_was_a_killed_runs_and_live_goes_first(new_run, run):
    run.acquire("a", now=100, until=200)
    run.save(Checkpoint(next=7, place=Place("live", "final")))
    found = new_run().acquire("b", now=300, until=400)
    assert found is not None
    assert found.place == Place(None, "final")


def test_the_last_save_counts(new_run, run):
    run.acquire("a", now=100, until=200)
    run.save(OTHER)
    run.save(FULL)
    assert stored(new_run) == FULL


def test_a_save_replaces_the_whole_item_and_leaves_nothing_stale_behind(new_run, run):
    run.acquire("a", now=100, until=200)
    run.save(FULL)
    run.save(OTHER)
    assert stored(new_run) == OTHER


def test_taking_the_lease_leaves_the_checkpoint_as_it_is(new_run, run, other):
    run.acquire("a", now=100, until=200)
    run.save(FULL)
    assert other.acquire("b", now=300, until=400) == FULL
    assert stored(new_run) == FULL


def test_a_save_keeps_the_lease(run, other):
    run.acquire("a", now=100, until=200)
    run.save(FULL)
    assert other.acquire("b", now=150, until=300) is None


def test_a_stale_owner_may_not_save_and_changes_nothing(new_run, run, other):
    run.acquire("a", now=100, until=200)
    other.acquire("b", now=201, until=300)
    other.save(FULL)
    with pytest.raises(LeaseLostError):
        run.save(OTHER)
    assert stored(new_run) == FULL


def test_a_stale_owner_may_not_save_even_after_the_lease_was_given_back(new_run, run, other):
    run.acquire("a", now=100, until=200)
    other.acquire("b", now=201, until=300)
    other.release(FULL)
    with pytest.raises(LeaseLostError):
        run.save(OTHER)
    assert stored(new_run) == FULL


def test_an_owner_may_save_after_the_lease_expired_if_nobody_took_it(new_run, run):
    run.acquire("a", now=100, until=101)
    run.save(FULL)
    assert stored(new_run) == FULL


def test_a_released_lease_is_free_at_once(run, other):
    run.acquire("a", now=100, until=200)
    run.release(FULL)
    assert other.acquire("b", now=100, until=200) == FULL


def test_a_release_replaces_the_whole_item_too(new_run, run):
    run.acquire("a", now=100, until=200)
    run.save(FULL)
    run.release(OTHER)
    assert stored(new_run) == OTHER


def test_whoever_gave_the_lease_back_may_not_save(new_run, run):
    run.acquire("a", now=100, until=200)
    run.release(FULL)
    with pytest.raises(LeaseLostError):
        run.save(OTHER)
    assert stored(new_run) == FULL


def test_releasing_a_lost_lease_is_quiet_and_changes_nothing(new_run, run, other):
    run.acquire("a", now=100, until=200)
    other.acquire("b", now=201, until=300)
    other.save(FULL)
    run.release(OTHER)
    assert new_run().acquire("c", now=250, until=400) is None
    assert stored(new_run) == FULL


def test_releasing_twice_is_quiet_because_the_reply_was_lost(new_run, run):
    run.acquire("a", now=100, until=200)
    run.release(FULL)
    run.release(FULL)
    assert stored(new_run) == FULL


# DynamoDB alone


@pytest.fixture
def table(cloud: Cloud) -> str:
    return cloud.table()


@pytest.fixture
def dynamodb(cloud: Cloud, table: str) -> DynamoDBCheckpoints:
    return DynamoDBCheckpoints(cloud.clients.dynamodb, table, "main")


def item_of(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.clients.dynamodb.get_item(TableName=cloud.name, Key={"org": {"S": "main"}})["Item"])


def test_the_item_is_as_the_documents_show_it(dynamodb, cloud):
    dynamodb.acquire("a", now=100, until=199.2)
    dynamodb.save(FULL)
    backfill = {
        "watermark": {"N": "1519862399"},
        "end": {"N": "1519948800"},
        "publish": {"BOOL": False},
        "paused": {"BOOL": True},
        "span": {"N": "3600"},
    }
    item = item_of(cloud)
    assert item.pop("passes")["M"]["backfill-2018"] == {"M": backfill}
    assert item == {
        "org": {"S": "main"},
        "owner": {"S": "a"},
        "lease_until": {"N": "200"},
        "next": {"N": "1234567"},
        "head": {"S": "ab" * 32},
        "other_turn": {"S": "backfill-2018"},
        "published": {"N": "1234560"},
        "plan": {"B": bytes(range(256))},
        "clock": {"N": "-7200"},
        "calls": {"L": [{"L": [{"N": "1767225590"}, {"N": "3"}]}, {"L": [{"N": "1767225598"}, {"N": "1"}]}]},
        "blocked_until": {"N": "1767225700"},
        "shy_until": {"N": "1767226300"},
        "streamed": {"N": "1767225000"},
        "succeeded": {"N": "1767225661"},
        "newest": {"N": "1767224000"},
    }


def test_a_released_item_names_no_owner(dynamodb, cloud):
    dynamodb.acquire("a", now=100, until=200)
    dynamodb.release(FULL)
    assert not {"owner", "lease_until"} & set(item_of(cloud))


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({"next": {"S": "seven"}}, id="a number that is text"),
        pytest.param({"next": {"N": "7.5"}}, id="a number that is not whole"),
        pytest.param({"passes": {"L": []}}, id="passes that are a list"),
        pytest.param({"passes": {"M": {"live": {"M": {}}}}}, id="a pass without a watermark"),
        pytest.param({"plan": {"BS": [b"plan"]}}, id="a plan that is a set"),
        pytest.param({"calls": {"L": [{"L": [{"N": "1"}]}]}}, id="a call without a count"),
        pytest.param({"head": {"NULL": True}, "clock": {"S": "fast"}}, id="a clock that is text"),
    ],
)
def test_an_item_that_nobody_can_read_counts_as_empty(dynamodb, cloud, attributes):
    cloud.clients.dynamodb.put_item(TableName=cloud.name, Item={"org": {"S": "main"}, **attributes})
    assert dynamodb.acquire("a", now=100, until=200) == Checkpoint()


def test_what_a_newer_version_added_does_not_disturb_and_does_not_stay(dynamodb, cloud):
    cloud.clients.dynamodb.put_item(
        TableName=cloud.name, Item={"org": {"S": "main"}, "next": {"N": "7"}, "colour": {"S": "red"}}
    )
    assert dynamodb.acquire("a", now=100, until=200) == Checkpoint(next=7)
    dynamodb.save(OTHER)
    assert "colour" not in item_of(cloud)


def test_orgs_in_one_table_do_not_know_each_other(dynamodb, cloud, table):
    elsewhere = DynamoDBCheckpoints(cloud.clients.dynamodb, table, "elsewhere")
    dynamodb.acquire("a", now=100, until=200)
    dynamodb.save(FULL)
    assert elsewhere.acquire("b", now=100, until=200) == Checkpoint()
    elsewhere.release(OTHER)
    assert dynamodb.acquire("a", now=100, until=200) == FULL


VERBS: dict[str, Callable[[DynamoDBCheckpoints], object]] = {
    "acquire": lambda run: run.acquire("a", now=100, until=200),
    "save": lambda run: run.save(FULL),
    "release": lambda run: run.release(FULL),
    "try_to_write": lambda run: run.try_to_write(),
}


@pytest.mark.parametrize("operation", ["put_item", "update_item"])
def test_a_try_is_refused_where_either_write_would_be(dynamodb, cloud, operation):
    with Stubber(cloud.clients.dynamodb) as stub:
        if operation == "update_item":
            stub.add_client_error("put_item", "ConditionalCheckFailedException", http_status_code=400)
        stub.add_client_error(operation, "AccessDeniedException", http_status_code=400)
        with pytest.raises(StorageRefusedError, match=f"Could not try the writes of org main in table {cloud.name}"):
            dynamodb.try_to_write()


def test_a_try_leaves_no_item_where_there_was_none(dynamodb, cloud):
    dynamodb.try_to_write()
    assert "Items" in (found := cloud.clients.dynamodb.scan(TableName=cloud.name))
    assert found["Items"] == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDeniedException", 400), ("ProvisionedThroughputExceededException", 400), ("InternalServerError", 500)],
)
def test_what_dynamodb_refuses_is_an_error_and_no_lost_lease(dynamodb, cloud, verb, code, status):
    dynamodb.acquire("a", now=100, until=200)
    with Stubber(cloud.clients.dynamodb) as stub:
        stub.add_client_error("update_item" if verb == "acquire" else "put_item", code, http_status_code=status)
        with pytest.raises(StorageError, match=f"org main in table {cloud.name} .*{code}") as error:
            VERBS[verb](dynamodb)
    assert isinstance(error.value, StorageRefusedError) is code.startswith("AccessDenied"), "only this one lasts"


def test_a_missing_table_is_an_error(cloud):
    with pytest.raises(StorageError, match="ResourceNotFoundException"):
        DynamoDBCheckpoints(cloud.clients.dynamodb, cloud.name, "main").acquire("a", now=100, until=200)


@pytest.mark.parametrize("verb", VERBS)
def test_a_dynamodb_that_does_not_answer_is_an_error(verb):
    with nobody() as url:
        run = DynamoDBCheckpoints(client_at("dynamodb", url), "table", "main")
        run._owner = "a"
        with pytest.raises(StorageError, match="org main in table table"):
            VERBS[verb](run)


def test_a_lost_lease_says_what_to_look_for(dynamodb, cloud, table):
    dynamodb.acquire("a", now=100, until=200)
    DynamoDBCheckpoints(cloud.clients.dynamodb, table, "main").acquire("b", now=201, until=300)
    with pytest.raises(LeaseLostError, match="org main belongs to another run"):
        dynamodb.save(FULL)


# looked at by the watch


def test_what_is_looked_at_is_what_was_saved_and_nobodys_lease(cloud: Cloud):
    table = cloud.table()
    run = DynamoDBCheckpoints(cloud.clients.dynamodb, table, "main")
    run.acquire("a", now=100, until=200)
    run.save(FULL)
    standpoints = DynamoDBStandpoints(cloud.clients.dynamodb, table)
    assert standpoints.read("main") == FULL
    assert standpoints.read("lab") is None
    assert (standpoints.look("main"), standpoints.look("lab")) == ((FULL, 200), None)
    run.release(FULL)
    assert standpoints.look("main") == (FULL, None)


def test_a_table_that_cannot_be_looked_at_is_an_error_that_names_org_and_table(cloud: Cloud):
    with pytest.raises(StorageError, match=f"checkpoint of org main in table {cloud.name} .*ResourceNotFound"):
        DynamoDBStandpoints(cloud.clients.dynamodb, cloud.name).read("main")


@pytest.mark.parametrize("lost", ["streamed", "succeeded", "newest"])
def test_an_item_of_a_version_without_the_figures_is_read(cloud: Cloud, lost: str):
    """As 0.1.0 and 0.2.0 wrote it."""
    table = cloud.table()
    run = DynamoDBCheckpoints(cloud.clients.dynamodb, table, "main")
    run.acquire("a", now=100, until=200)
    run.release(FULL)
    cloud.clients.dynamodb.update_item(TableName=table, Key={"org": {"S": "main"}}, UpdateExpression=f"REMOVE {lost}")
    assert run.acquire("b", now=100, until=200) == msgspec.structs.replace(FULL, **{lost: None})
