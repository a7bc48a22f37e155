"""The checkpoint in DynamoDB: one item per org, every write conditional on the lease.

    taken                                     given back
    |-- owner, lease_until ------------------|-- both removed
    free:  attribute_not_exists(owner), or lease_until has passed
    ours:  owner = the name of this run

An owner whose lease was taken over finds the condition failed at its next write, and stops.
"""

from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.adapters.refusals import is_lasting
from slack_audit.budget import Budget
from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import LeaseLostError, StorageError, StorageRefusedError
from slack_audit.passes import Pass, Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_to_dynamodb = TypeSerializer()
_from_dynamodb = TypeDeserializer()


class _StoredPass(Pass, frozen=True):
    span: int | None = None


class _Item(msgspec.Struct, kw_only=True):
    org: str
    owner: str | None = None
    lease_until: int | None = None
    next: int = 0
    head: str | None = None
    turn: str | None = None
    other_turn: str | None = None
    passes: dict[str, _StoredPass] = {}
    published: int = 0
    plan: bytes | None = None
    clock: int | None = None
    calls: tuple[tuple[int, int], ...] = ()
    blocked_until: int = 0
    shy_until: int = 0
    streamed: int | None = None
    succeeded: int | None = None
    newest: int | None = None


class DynamoDBCheckpoints:
    """The checkpoint of one org."""

    def __init__(self, client: "DynamoDBClient", table: str, org: str) -> None:
        self._client = client
        self._table = table
        self._org = org
        self._owner: str | None = None
        self._until = 0

    def acquire(self, owner: str, *, now: float, until: float) -> Checkpoint | None:
        """Takes the lease; None if another run holds it. Our own name on it is success: that reply was lost."""
        self._owner, self._until = owner, ceil(until)
        try:
            reply = self._client.update_item(
                TableName=self._table,
                Key=_attributes({"org": self._org}),
                UpdateExpression="SET #owner = :owner, lease_until = :until",
                ConditionExpression="attribute_not_exists(#owner) OR lease_until < :now OR #owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues=_attributes({":owner": owner, ":until": self._until, ":now": int(now)}),
                ReturnValues="ALL_OLD",
            )
        except ClientError as error:
            if _is_condition(error):
                return None
            raise self._failure("take the lease", error) from error
        except BotoCoreError as error:
            raise self._failure("take the lease", error) from error
        before = reply.get("Attributes", {"org": {"S": self._org}})
        checkpoint = _checkpoint(before)
        return checkpoint.abandoned() if "owner" in before else checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        """Replaces the whole item, as long as the lease is ours."""
        self._replace(checkpoint, {"owner": self._owner, "lease_until": self._until})

    def release(self, checkpoint: Checkpoint) -> None:
        """The same, without an owner. A lease that is no longer ours needs no giving back."""
        try:
            self._replace(checkpoint, {})
        except LeaseLostError:
            # Either an earlier try of this very call landed, or another run holds the lease and the log's newer state.
            return

    def try_to_write(self) -> None:
        """Both writes of a run, on a condition that never holds: whoever is refused for it was allowed to write."""
        key = _attributes({"org": self._org})
        put = partial(self._client.put_item, Item=key)
        update = partial(self._client.update_item, Key=key, UpdateExpression="REMOVE #owner")
        for write in (put, update):
            try:
                write(
                    TableName=self._table,
                    ConditionExpression="attribute_not_exists(org) AND #owner = :nobody",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues=_attributes({":nobody": "nobody"}),
                )
            except ClientError as error:
                if not _is_condition(error):
                    raise self._failure("try the writes", error) from error
            except BotoCoreError as error:
                raise self._failure("try the writes", error) from error

    def _replace(self, checkpoint: Checkpoint, lease: dict[str, Any]) -> None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_attributes({"org": self._org, **_stored(checkpoint), **lease}),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues=_attributes({":owner": self._owner}),
            )
        except ClientError as error:
            if _is_condition(error):
                raise LeaseLostError(
                    f"The lease of org {self._org} belongs to another run: this one outlived its own. Nothing is lost. "
                    "If it repeats, look for a second stack that collects this organisation into this table."
                ) from error
            raise self._failure("save the checkpoint", error) from error
        except BotoCoreError as error:
            raise self._failure("save the checkpoint", error) from error

    def _failure(self, what: str, error: ClientError | BotoCoreError) -> StorageError:
        kind = StorageRefusedError if is_lasting(error) else StorageError
        return kind(
            f"Could not {what} of org {self._org} in table {self._table} ({error}). Nothing is lost: the next run "
            "goes on from the log. If it repeats, check the function's role and the table."
        )


class DynamoDBStandpoints:
    """The checkpoints of all orgs, only to be looked at."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read(self, org: str) -> Checkpoint | None:
        """The org's checkpoint, None if there is none. Raises StorageError."""
        item = self._item(org)
        return None if item is None else _checkpoint(item)

    def look(self, org: str) -> tuple[Checkpoint, int | None] | None:
        """The same, and until when a run holds the lease (epoch seconds), None where it is free."""
        item = self._item(org)
        if item is None:
            return None
        until = item.get("lease_until", {}).get("N")
        return _checkpoint(item), int(until) if until is not None and "owner" in item else None

    def _item(self, org: str) -> dict[str, Any] | None:
        try:
            reply = self._client.get_item(TableName=self._table, Key=_attributes({"org": org}))
        except (ClientError, BotoCoreError) as error:
            raise StorageError(
                f"Could not read the checkpoint of org {org} in table {self._table} ({error}). Collection does not "
                "depend on it. If it repeats, check the function's role and the table."
            ) from error
        return reply.get("Item")


def _is_condition(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _attributes(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _to_dynamodb.serialize(value) for name, value in values.items() if value is not None}


def _stored(checkpoint: Checkpoint) -> dict[str, Any]:
    """The item without its key and its lease."""
    return {
        "next": checkpoint.next,
        "head": checkpoint.head,
        "turn": checkpoint.place.last,
        "other_turn": checkpoint.place.other,
        "passes": {
            name: {**msgspec.structs.asdict(state), "span": checkpoint.span(name)}
            for name, state in checkpoint.passes.items()
        },
        "published": checkpoint.published,
        "plan": checkpoint.plan,
        "clock": checkpoint.clock,
        "calls": [list(call) for call in checkpoint.budget.by_second()],
        "blocked_until": checkpoint.budget.blocked_until,
        "shy_until": checkpoint.budget.shy_until,
        "streamed": checkpoint.streamed,
        "succeeded": checkpoint.succeeded,
        "newest": checkpoint.newest,
    }


def _checkpoint(attributes: dict[str, Any]) -> Checkpoint:
    """What the item says. One that nobody can read says nothing: the log rebuilds it."""
    values = {name: _from_dynamodb.deserialize(value) for name, value in attributes.items()}
    try:
        item = msgspec.convert(_plain(values), type=_Item)
    except msgspec.ValidationError:
        return Checkpoint()
    return Checkpoint(
        next=item.next,
        head=item.head,
        place=Place(item.turn, item.other_turn),
        passes={name: Pass(p.watermark, p.end, p.publish, p.paused) for name, p in item.passes.items()},
        published=item.published,
        spans={name: p.span for name, p in item.passes.items() if p.span},
        plan=item.plan,
        clock=item.clock,
        budget=Budget(item.calls, item.blocked_until, item.shy_until),
        streamed=item.streamed,
        succeeded=item.succeeded,
        newest=item.newest,
    )


def _plain(value: Any) -> Any:
    """DynamoDB gives numbers as Decimal, of which ours are whole, and bytes in a wrapper."""
    if isinstance(value, Binary):
        return bytes(value)  # type: ignore[call-overload]  # its stub lacks __bytes__
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if hasattr(value, "to_integral_value") and value == int(value) else value
