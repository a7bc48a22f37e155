"""The border between a function and the world: what each call costs in virtual time, and what goes wrong with it.

The calls are real, over sockets to the embedded AWS and the stand-in for Slack. Here they take as long as they would on
AWS, by the figures below, and here a seed decides which one fails: refused, throttled, never answered, or answered
after nobody waits any more. The stream's shards take what shards take.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
import requests
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from benchmarks.load.clock import SharedClock
from benchmarks.load.plan import Weather
from slack_audit.adapters.aws import Connections

# Seconds that a call takes on AWS, and what the function's 0.29 of a processor (512 MB) needs for each byte of it: for
# packing an object, for encoding records, for reading an answer. Estimated from what one whole processor takes here.
CALL = {"s3": 0.04, "dynamodb": 0.008, "kinesis": 0.03, "secrets-manager": 0.02}
BYTE = {"s3": 60e-9, "kinesis": 250e-9}
SLACK_CALL = (0.3, 1.2)
SLACK_BYTE = 150e-9
CONNECT, READ = 3.0, 10.0  # seconds that the collector waits for AWS (wiring.STORES)
SHARD_RECORDS, SHARD_BYTES = 1_000, 1 << 20  # a second

THROTTLED = {
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "kinesis": (400, "ProvisionedThroughputExceededException"),
    "secrets-manager": (400, "ThrottlingException"),
}
KILLED = 137


class _PutRecords(msgspec.Struct):
    Records: list[msgspec.Raw]


class _Shards:
    """A second's worth of records and bytes of all shards, filled up as time passes."""

    def __init__(self, now: float, shards: int) -> None:
        self._at = now
        self._most = shards * SHARD_RECORDS, shards * SHARD_BYTES
        self._records, self._bytes = map(float, self._most)

    def refill(self, now: float) -> None:
        passed, self._at = now - self._at, now
        records, size = self._most
        self._records = min(records, self._records + passed * records)
        self._bytes = min(size, self._bytes + passed * size)

    def takes(self, record: msgspec.Raw) -> bool:
        size = len(memoryview(record)) * 3 // 4  # in base64, with its key
        if self._records < 1 or self._bytes < size:
            return False
        self._records -= 1
        self._bytes -= size
        return True


class Border:
    """Of one process. `begin` a run before every invocation."""

    def __init__(self, clock: SharedClock, shards: int) -> None:
        self.clock = clock
        self._shards = _Shards(clock.now(), shards)
        self._http = URLLib3Session()
        self._weather = Weather("")
        self._dice = random.Random()
        self._calls = 0
        self._deadline = 0.0
        self.spoiled = 0
        self.written: Counter[str] = Counter()

    def begin(self, weather: Weather, deadline: float) -> None:
        """From now on it is this run's weather, and at the deadline the process is killed."""
        self._weather, self._deadline = weather, deadline
        self._dice = random.Random(weather.seed)
        self._calls = self.spoiled = 0
        self.written.clear()

    def time_left(self) -> int:
        """Milliseconds until the run is killed."""
        return max(0, round((self._deadline - self.clock.now()) * 1000))

    def pass_time(self, seconds: float) -> None:
        """Waits. A run that waits beyond its deadline is killed there, as Lambda does it."""
        if self.clock.now() + seconds >= self._deadline:
            self.clock.go_to(max(self.clock.now(), self._deadline))
            os._exit(KILLED)
        self.clock.go_on(seconds)

    # AWS

    def send(self, request: AWSPreparedRequest, event_name: str) -> AWSResponse | None:
        """A call of AWS; None: it goes its way."""
        _event, service, operation = event_name.split(".")
        self._count()
        size = len(_body(request))
        self.pass_time(CALL[service] + BYTE.get(service, 0) * size)
        if service == "kinesis" and self.clock.now() in self._weather.stream_is_down:
            self.pass_time(CONNECT)
            raise EndpointConnectionError(endpoint_url=request.url)
        if self._dice.random() < self._weather.chance:
            self.spoiled += 1
            return self._spoil(service, request)
        if operation == "PutRecords":
            return self._through_the_shards(request)
        self.written[f"{service} units"] += -(-size // 1024)
        return None

    def _spoil(self, service: str, request: AWSPreparedRequest) -> AWSResponse | None:
        match self._dice.choice(("throttle", "throttle", "broken", "unreached", "lost", "too late")):
            case "throttle":
                return _refusal(service, request, *THROTTLED[service])
            case "broken":
                return _refusal(service, request, 500, "InternalError" if service == "s3" else "InternalServerError")
            case "unreached":
                self.pass_time(CONNECT)
                raise EndpointConnectionError(endpoint_url=request.url)
            case "lost":
                self._land(request)
                raise ConnectionClosedError(endpoint_url=request.url)
        self._land(request)
        self.pass_time(READ)
        raise ReadTimeoutError(endpoint_url=request.url)

    def _land(self, request: AWSPreparedRequest) -> None:
        """It has its effect, and nobody hears of it."""
        self._http.send(request)
        if isinstance(request.body, BytesIO):
            request.body.seek(0)

    def _through_the_shards(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """What the shards take goes on; the answer refuses the rest in its place."""
        self._shards.refill(self.clock.now())
        records = msgspec.json.decode(_body(request), type=_PutRecords).Records
        taken = [self._shards.takes(record) for record in records]
        passed = [record for record, is_taken in zip(records, taken, strict=True) if is_taken]
        self.written["kinesis bytes"] += sum(len(memoryview(record)) for record in passed) * 3 // 4
        if len(passed) == len(records):
            return None
        results = iter(self._put(request, passed) if passed else [])
        refused = {"ErrorCode": THROTTLED["kinesis"][1], "ErrorMessage": "Rate exceeded for shard."}
        merged = [next(results) if is_taken else refused for is_taken in taken]
        return _answer(request, 200, {"FailedRecordCount": len(taken) - len(passed), "Records": merged})

    def _put(self, request: AWSPreparedRequest, records: list[msgspec.Raw]) -> list[dict[str, str]]:
        written = msgspec.json.encode({**msgspec.json.decode(_body(request)), "Records": records})
        headers: Any = HeadersDict({**request.headers, "Content-Length": str(len(written))})
        reply = self._http.send(AWSPreparedRequest(request.method, request.url, headers, written, stream_output=False))
        results: list[dict[str, str]] = json.loads(reply.content)["Records"]
        return results

    # Slack

    def ask(self, adapter: HTTPAdapter, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        """A call of requests."""
        self._count()
        self.pass_time(self._dice.uniform(*SLACK_CALL))
        response = HTTPAdapter.send(adapter, request, **named)
        if self._dice.random() < self._weather.slow:
            self.spoiled += 1
            response.close()
            self.pass_time(named["timeout"][1])
            raise requests.ReadTimeout("no answer in time")
        self.pass_time(SLACK_BYTE * int(response.headers.get("Content-Length", 0)))
        return response

    def _count(self) -> None:
        self._calls += 1
        if self._calls == self._weather.killed_at:
            os._exit(KILLED)


def _body(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    return body.getvalue() if isinstance(body, BytesIO) else body or b""


def _refusal(service: str, request: AWSPreparedRequest, status: int, code: str) -> AWSResponse:
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>load</Message></Error>".encode()
        return _response(request, status, b"" if request.method == "HEAD" else body)
    return _answer(request, status, {"__type": code, "message": "load"})


def _answer(request: AWSPreparedRequest, status: int, value: object) -> AWSResponse:
    return _response(request, status, json.dumps(value).encode())


def _response(request: AWSPreparedRequest, status: int, body: bytes) -> AWSResponse:
    headers: Any = HeadersDict({"x-amzn-requestid": "load", "Content-Length": str(len(body))})
    raw = HTTPResponse(BytesIO(body), headers, status, preload_content=False, request_method=request.method)
    return AWSResponse(request.url, status, headers, raw)


class _Inline:
    """A pool without threads: what is read ahead is read at once, so that the same seed gives the same run."""

    def __init__(self, **_: object) -> None:
        """Takes what a ThreadPoolExecutor takes."""

    def submit[T](self, call: Callable[[], T]) -> Future[T]:
        """Done by the time it returns."""
        future: Future[T] = Future()
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001 - as a pool does
            future.set_exception(error)
        return future

    def shutdown(self, **_: object) -> None:
        """There is nothing to end."""


@contextmanager
def virtual_time(border: Border) -> Iterator[SimpleNamespace]:
    """Whoever asks for the time or waits does so by the simulation's clock, and every call passes the border.

    Gives what stands for the module `time`, for the handler's own.
    """

    class Wire(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, **named: Any) -> requests.Response:  # type: ignore[override]
            return border.ask(self, request, **named)

    class Wires(Connections):
        def answer(self, request: AWSPreparedRequest, **told: object) -> AWSResponse:
            return border.send(request, str(told["event_name"])) or super().answer(request)

    watch = SimpleNamespace(sleep=border.pass_time, time=border.clock.now, monotonic=border.clock.now)
    calendar = SimpleNamespace(now=lambda _zone=UTC: datetime.fromtimestamp(border.clock.now(), UTC))
    with ExitStack() as patches:
        for name, there in {
            "botocore.endpoint.time": watch,
            "slack_audit.adapters.clock.time": watch,
            "slack_audit.adapters.s3.time": watch,
            "slack_audit.adapters.slack.time": watch,
            "slack_audit.adapters.catalog.time": watch,
            "slack_audit.adapters.web.time": watch,
            "slack_audit.adapters.web._Connections": Wire,
            "slack_audit.adapters.aws.Connections": Wires,
            "slack_audit.bootstrap.ThreadPoolExecutor": _Inline,
            "slack_audit.verifying.datetime": calendar,
            "slack_audit.watching.datetime": calendar,
            "aws_lambda_powertools.utilities.parameters.base.datetime": calendar,
        }.items():
            patches.enter_context(mock.patch(name, there))
        yield watch
