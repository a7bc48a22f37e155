"""The AWS services that speak JSON, as far as the collector uses them; and the counts of all calls."""

import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from benchmarks.performance.objects import Answer, Objects

TOKEN = "xoxp-stand-in-not-a-real-token"  # the stand-in's for Slack
MOST_RECORDS = 500  # of one call
MOST_MESSAGES = 10
JSON_TYPE = {"Content-Type": "application/x-amz-json-1.1"}
NAMES = {"DynamoDB": "dynamodb", "Kinesis": "kinesis", "secretsmanager": "secretsmanager", "AmazonSQS": "sqs"}
_TARGET = re.compile(r"(DynamoDB|Kinesis|secretsmanager|AmazonSQS)[^.]*\.(\w+)")
_CONDITION = re.compile(r"attribute_not_exists\(([#\w]+)\)|([#\w]+) ([<=]) (:\w+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, "<": operator.lt}

type Item = dict[str, Any]


class Services:
    """Everything that the wire answers as."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.calls: Counter[str] = Counter()
        self.records = 0
        self._items: dict[str, Item] = {}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Carries out one call of whichever service it is for."""
        named = _TARGET.match(headers.get("x-amz-target", ""))
        if named is None:
            self.calls["s3"] += 1
            return self.objects.answer(method, target, headers, body)
        self.calls[NAMES[named[1]]] += 1
        if named[2] == "PutRecords":
            return self._take(body)
        if named[2] == "SendMessageBatch":
            return self._queue(body)
        return self._json(named[2], json.loads(body))

    def counts(self) -> dict[str, int]:
        """The calls of each service, and the records that the stream and the queue took."""
        return {**{name: self.calls[name] for name in ("s3", *NAMES.values())}, "records": self.records}

    def _take(self, body: bytes) -> Answer:
        """All records: only counted. Their data is base64, which holds no quotes."""
        number = body.count(b'"PartitionKey"')
        if not 0 < number <= MOST_RECORDS:
            return _refused("InvalidArgumentException")
        self.records += number
        return Answer(200, _taken(number), JSON_TYPE)

    def _queue(self, body: bytes) -> Answer:
        """All messages: only counted, as each has one id of the two that it is sent with."""
        number = body.count(b'"event_id"')
        if not 0 < number <= MOST_MESSAGES:
            return _refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        self.records += number
        return Answer(200, _queued(number), JSON_TYPE)

    def _json(self, operation: str, asked: dict[str, Any]) -> Answer:
        match operation:
            case "GetSecretValue":
                return _said({"Name": asked["SecretId"], "SecretString": json.dumps({"token": TOKEN})})
            case "DescribeStreamSummary":
                return _said({"StreamDescriptionSummary": {"StreamStatus": "ACTIVE", "OpenShardCount": 4}})
            case "GetQueueAttributes":
                return _said({"Attributes": {"MaximumMessageSize": "1048576"}})
            case "GetItem":
                item = self._items.get(_key(asked["Key"]))
                return _said({"Item": item} if item else {})
            case "PutItem" | "UpdateItem":
                return self._write(asked)
        return _refused("UnknownOperationException")

    def _write(self, asked: dict[str, Any]) -> Answer:
        key = _key(asked.get("Key") or asked["Item"])
        before = self._items.get(key, {})
        if not _holds(asked, before):
            return _refused("ConditionalCheckFailedException")
        self._items[key] = asked["Item"] if "Item" in asked else {**asked["Key"], **before, **_set(asked)}
        return _said({"Attributes": before} if asked.get("ReturnValues") == "ALL_OLD" and before else {})


def _key(item: Item) -> str:
    return str(item["org"]["S"])


def _holds(asked: dict[str, Any], item: Item) -> bool:
    """The condition: parts that are joined by AND or by OR, never by both."""
    condition = asked.get("ConditionExpression", "")
    parts = [_is_true(found, asked, item) for found in _CONDITION.finditer(condition)]
    return any(parts) if " OR " in condition else all(parts)


def _is_true(found: re.Match[str], asked: dict[str, Any], item: Item) -> bool:
    names = asked.get("ExpressionAttributeNames", {})
    if found[1]:
        return names.get(found[1], found[1]) not in item
    value = item.get(names.get(found[2], found[2]))
    return value is not None and _COMPARE[found[3]](_plain(value), _plain(asked["ExpressionAttributeValues"][found[4]]))


def _set(asked: dict[str, Any]) -> Item:
    """The attributes that `SET a = :x, b = :y` gives."""
    names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
    pairs = re.findall(r"([#\w]+) = (:\w+)", asked["UpdateExpression"])
    return {names.get(name, name): values[value] for name, value in pairs}


def _plain(value: Item) -> str | int:
    return int(value["N"]) if "N" in value else str(value["S"])


@cache
def _taken(number: int) -> bytes:
    """The answer to so many records, as long as Kinesis's."""
    each = {"SequenceNumber": "49" + "5" * 54, "ShardId": "shardId-000000000000"}
    return json.dumps({"FailedRecordCount": 0, "Records": [each] * number}, separators=(",", ":")).encode()


@cache
def _queued(number: int) -> bytes:
    """The answer to so many messages, as long as SQS's."""
    each = {"MessageId": "0" * 36, "MD5OfMessageBody": "0" * 32, "MD5OfMessageAttributes": "0" * 32}
    taken = [{"Id": str(it), **each} for it in range(number)]
    return json.dumps({"Successful": taken, "Failed": []}, separators=(",", ":")).encode()


def _said(value: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(value, separators=(",", ":")).encode(), JSON_TYPE)


def _refused(code: str) -> Answer:
    return Answer(400, json.dumps({"__type": code, "message": code}).encode(), JSON_TYPE)
