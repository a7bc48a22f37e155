"""S3, DynamoDB, Kinesis and Secrets Manager in memory, behind boto3's own clients.

Only the connection is replaced: what is sent is what boto3 makes of a call, and its parsing, its error classes and its
retries see real answers. The services know exactly the requests that the adapters make, and fail on any other.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from io import BytesIO
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, quote, unquote, urlsplit

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.retries import quota
from urllib3 import HTTPResponse

from slack_audit.bootstrap import STREAM
from slack_audit.wiring import STORES
from tests.faults.border import Border, Exchange, Reply, SilenceError

SERVICES = {"s3": STORES, "dynamodb": STORES, "kinesis": STREAM, "secretsmanager": STORES}
PATIENCE = {service: vars(config)["read_timeout"] for service, config in SERVICES.items()}  # seconds
FREE = "attribute_not_exists(#owner) OR lease_until < :now OR #owner = :owner"
OURS = "#owner = :owner"
UNANSWERED = {"connect": EndpointConnectionError, "read": ReadTimeoutError, "reset": ConnectionClosedError}


def aws_error(service: str, status: int, code: str) -> Reply:
    """A refusal in the form of its service."""
    if service == "s3":
        return Reply(status, f"<Error><Code>{code}</Code><Message>storm</Message></Error>".encode())
    return Reply(status, json.dumps({"__type": code, "message": "storm"}).encode())


@dataclass
class Bucket:
    """Objects that nobody can overwrite without `If-None-Match` being noticed."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def answer(self, request: AWSPreparedRequest) -> Reply:
        address = urlsplit(request.url)
        key = unquote(address.path).removeprefix("/")
        if request.method == "PUT":
            return self._put(key, request)
        if not key:
            return self._list({name: values[0] for name, values in parse_qs(address.query).items()})
        if key not in self.objects:
            return aws_error("s3", 404, "NoSuchKey") if request.method == "GET" else Reply(404)
        body = self.objects[key]
        headers = {"Content-Length": str(len(body)), "x-amz-checksum-sha256": checksum(body)}
        return Reply(200, body if request.method == "GET" else b"", headers)

    def _put(self, key: str, request: AWSPreparedRequest) -> Reply:
        body = body_of(request)
        assert header(request, "If-None-Match") == "*", f"{key} would be overwritten"
        assert header(request, "x-amz-checksum-sha256") == checksum(body)
        if key in self.objects:
            return aws_error("s3", 412, "PreconditionFailed")
        self.objects[key] = body
        return Reply(200)

    def _list(self, asked: dict[str, str]) -> Reply:
        prefix, after = asked.get("prefix", ""), asked.get("start-after", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        shown = "".join(f"<Contents><Key>{quote(key)}</Key></Contents>" for key in keys[: int(asked["max-keys"])])
        return Reply(200, f"<ListBucketResult><EncodingType>url</EncodingType>{shown}</ListBucketResult>".encode())


@dataclass
class Table:
    """One org's item, in DynamoDB's own JSON."""

    item: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: AWSPreparedRequest) -> Reply:
        asked = json.loads(body_of(request))
        if not self._holds(asked["ConditionExpression"], asked["ExpressionAttributeValues"]):
            return aws_error("dynamodb", 400, "ConditionalCheckFailedException")
        if operation_of(request) == "PutItem":
            self.item = asked["Item"]
            return Reply(200, b"{}")
        assert asked["UpdateExpression"] == "SET #owner = :owner, lease_until = :until"
        values = asked["ExpressionAttributeValues"]
        self.item = {**self.item, **asked["Key"], "owner": values[":owner"], "lease_until": values[":until"]}
        return Reply(200, json.dumps({"Attributes": self.item}).encode())

    def _holds(self, condition: str, values: dict[str, Any]) -> bool:
        ours: bool = self.item.get("owner") == values[":owner"]
        if condition == OURS:
            return ours
        assert condition == FREE
        return ours or "owner" not in self.item or self.lease_until < int(values[":now"]["N"])

    @property
    def lease_until(self) -> int:
        return int(self.item.get("lease_until", {"N": "0"})["N"])

    def number(self, name: str) -> int:
        return int(self.item[name]["N"]) if name in self.item else 0


@dataclass
class Stream:
    """A stream that keeps what it accepted; while it is `down` it takes nothing."""

    records: list[bytes] = field(default_factory=list)
    down: bool = False

    def answer(self, request: AWSPreparedRequest) -> Reply:
        return self.take(request, lambda _number: True)

    def take(self, request: AWSPreparedRequest, accepts: Callable[[int], bool]) -> Reply:
        """Of one call, the records whose number it accepts."""
        if self.down:
            return aws_error("kinesis", 400, "ProvisionedThroughputExceededException")
        results = []
        for number, record in enumerate(json.loads(body_of(request))["Records"]):
            if accepts(number):
                self.records.append(base64.b64decode(record["Data"]))
                results.append({"SequenceNumber": str(len(self.records)), "ShardId": "shardId-000000000000"})
            else:
                results.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "storm"})
        failed = sum("ErrorCode" in result for result in results)
        return Reply(200, json.dumps({"FailedRecordCount": failed, "Records": results}).encode())


@dataclass
class Secret:
    """The secret, and the token that it holds."""

    token: str = "xoxp-0-storm"

    def answer(self, request: AWSPreparedRequest) -> Reply:
        assert operation_of(request) == "GetSecretValue"
        return Reply(200, json.dumps({"SecretString": json.dumps({"token": self.token})}).encode())


@dataclass
class Cloud:
    """The services of one world."""

    border: Border
    s3: Bucket = field(default_factory=Bucket)
    dynamodb: Table = field(default_factory=Table)
    kinesis: Stream = field(default_factory=Stream)
    secretsmanager: Secret = field(default_factory=Secret)

    def send(self, service: str, request: AWSPreparedRequest) -> AWSResponse:
        """What boto3's connection would bring."""
        exchange = Exchange(
            service,
            operation_of(request),
            header(request, "amz-sdk-invocation-id"),
            PATIENCE[service],
            lambda: self._whole(service, request),
            lambda: self._half(service, request),
        )
        try:
            reply = self.border.exchange(exchange)
        except SilenceError as silence:
            raise UNANSWERED[silence.kind](endpoint_url=request.url) from None
        return response(request, reply)

    def _whole(self, service: str, request: AWSPreparedRequest) -> Reply:
        reply: Reply = getattr(self, service).answer(request)
        return reply

    def _half(self, service: str, request: AWSPreparedRequest) -> Reply:
        if service == "kinesis":
            return self.kinesis.take(request, lambda number: number % 2 == 1)
        reply = self._whole(service, request)
        return replace(reply, lost=len(reply.body) // 2)


class Clients:
    """boto3's clients, made once: that takes longer than most tests. They talk to the cloud that is `on`."""

    def __init__(self) -> None:
        self.on: Cloud | None = None
        self.quotas: list[quota.RetryQuota] = []
        session: Any = boto3.Session(region_name="us-east-1")
        with mock.patch.object(quota, "RetryQuota", self._new_quota):
            self._clients = {service: session.client(service, config=_config(service)) for service in SERVICES}
        for service, client in self._clients.items():
            client.meta.events.register("before-send", partial(self._send, service))

    def __getitem__(self, service: str) -> Any:
        return self._clients[service]

    def cold_start(self) -> None:
        """A new process has its whole quota of retries."""
        for left in self.quotas:
            left.release(quota.RetryQuota.INITIAL_CAPACITY)

    def _new_quota(self, original: Any = quota.RetryQuota) -> quota.RetryQuota:
        self.quotas.append(original())
        return self.quotas[-1]

    def _send(self, service: str, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        assert self.on is not None, "no world is under way"
        return self.on.send(service, request)


def _config(service: str) -> Config:
    """The collector's own, without what takes time and nobody here looks at; the contract tests do."""
    return SERVICES[service].merge(Config(signature_version=UNSIGNED, parameter_validation=False, user_agent="storm"))


def response(request: AWSPreparedRequest, reply: Reply) -> AWSResponse:
    """The reply as urllib3 brings it: a body that is shorter than its header says breaks off while it is read."""
    body = b"" if request.method == "HEAD" else reply.body
    arrives = body[: len(body) - reply.lost]
    headers: Any = HeadersDict({"x-amzn-requestid": "storm", "Content-Length": str(len(body)), **reply.headers})
    raw = HTTPResponse(BytesIO(arrives), headers, reply.status, preload_content=False, request_method=request.method)
    return AWSResponse(request.url, reply.status, headers, raw)


def checksum(body: bytes) -> str:
    return base64.b64encode(sha256(body).digest()).decode()


def header(request: AWSPreparedRequest, name: str) -> str:
    value = request.headers.get(name, b"")
    return value.decode() if isinstance(value, bytes) else value


def body_of(request: AWSPreparedRequest) -> bytes:
    body = request.body.getvalue() if isinstance(request.body, BytesIO) else request.body
    assert isinstance(body, bytes)
    return body


def operation_of(request: AWSPreparedRequest) -> str:
    """The operation's name; of S3, what tells its requests apart."""
    target = header(request, "X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    if request.method == "GET" and "list-type=2" in request.url:
        return "ListObjectsV2"
    return {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject"}[request.method]
