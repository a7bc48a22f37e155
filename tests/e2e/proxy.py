"""A way to the embedded AWS that misbehaves as it is told, in what a fault injector for single requests cannot do.

A shard that takes so many records a second and refuses the rest one by one, as Kinesis does; writes that land although
their answer is lost; requests that are held until somebody dies of it; a service that nobody listens for.
"""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from tests.e2e.listening import HOST, Answer, Request, Server

TIMEOUT = 60.0  # seconds, for the AWS behind it
POLL = 0.02  # seconds
HOST_NAME = "localhost"  # has no dots: for any other, microburst reads the models of all services, in seconds
OF_ONE_HOP = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}

Act = Literal["lose", "hold", "hold_answer"]


class Seen(NamedTuple):
    """One request that was dealt with; of PutRecords also how many records were taken and how many refused."""

    at: float
    operation: str
    path: str
    outcome: str
    taken: int = 0
    refused: int = 0


@dataclass
class Rule:
    """Spoils `times` requests of an operation whose path holds `path`, after letting `after` of them pass."""

    act: Act
    operation: str
    path: str = ""
    after: int = 0
    times: int = 1


class Shard:
    """What one shard takes: so many records and bytes a second, and at once no more than one second's worth."""

    def __init__(self, records: float, size: float) -> None:
        self._rates = records, size
        self._left = [records, size]
        self._at = time.monotonic()

    def takes(self, size: int) -> bool:
        """Is there room for one more record of this size?"""
        now = time.monotonic()
        self._left = [
            min(rate, left + rate * (now - self._at)) for rate, left in zip(self._rates, self._left, strict=True)
        ]
        self._at = now
        if self._left[0] < 1 or self._left[1] < size:
            return False
        self._left = [self._left[0] - 1, self._left[1] - size]
        return True


class Proxy:
    """An endpoint for AWS clients, as long as the `with` block lasts."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._seen: list[Seen] = []
        self._shard: Shard | None = None
        self._go_on = threading.Event()
        self._held: list[threading.Event] = []  # one for each that is held: set when it is done with
        self._lands = False
        self._server: Server | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go(land=False)
        self.down()

    @property
    def endpoint(self) -> str:
        """Its URL; the same before and after a `down`."""
        return f"http://{HOST}:{self._port}"

    def up(self) -> None:
        """Listens."""
        self._server = Server(self.handle, self._port)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(POLL,), name="aws proxy", daemon=True).start()

    def down(self) -> None:
        """Whoever connects is refused, and whoever is connected is cut off."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut_off()

    def limit(self, *, records: float, size: float) -> None:
        """From now on the one shard takes so many records and bytes a second."""
        self._shard = Shard(records, size)

    def unlimited(self) -> None:
        """No shard refuses anything any more."""
        self._shard = None

    def spoil(self, act: Act, operation: str, **which: Any) -> None:
        """`lose`: it lands, and its answer does not come. `hold`: nothing happens until `let_go`. `hold_answer`: it
        lands, and then nothing happens until `let_go`. `which` is as in `Rule`."""
        with self._lock:
            self._rules.append(Rule(act, operation, **which))

    def let_go(self, *, land: bool) -> None:
        """What is held ends without an answer; requests that did not land yet do so now, if they shall."""
        with self._lock:
            go_on, held = self._go_on, self._held
            self._go_on, self._held, self._lands = threading.Event(), [], land
        go_on.set()
        for done in held:
            done.wait()

    def clear(self) -> None:
        """Forgets all rules and limits; what is held never lands."""
        with self._lock:
            self._rules, self._shard = [], None
        self.let_go(land=False)

    def forget(self) -> None:
        """What was dealt with until now."""
        with self._lock:
            self._seen = []

    def seen(self, operation: str = "", outcome: str = "") -> list[Seen]:
        """What was dealt with so far, in order."""
        with self._lock:
            return [one for one in self._seen if operation in one.operation and outcome in one.outcome]

    def handle(self, request: Request) -> Answer | None:
        """The answer; None: hang up without one."""
        act = self._act_on(request)
        if act == "hold":
            self._note(request, "held")
            with self._holding():
                if self._lands:
                    self._answer(request, "landed late")
            return None
        answer = self._answer(request, act or "answered")
        if act == "hold_answer":
            with self._holding():
                return None
        return None if act else answer

    @contextmanager
    def _holding(self) -> Iterator[None]:
        done = threading.Event()
        with self._lock:
            self._held.append(done)
            go_on = self._go_on
        try:
            go_on.wait()
            yield
        finally:
            done.set()

    def _act_on(self, request: Request) -> Act | None:
        with self._lock:
            for rule in self._rules:
                if rule.operation != request.operation or rule.path not in request.path:
                    continue
                if rule.after:
                    rule.after -= 1
                elif rule.times:
                    rule.times -= 1
                    return rule.act
        return None

    def _answer(self, request: Request, outcome: str) -> Answer:
        if request.operation != "PutRecords" or self._shard is None:
            answer = self._forward(request)
            is_taken = request.operation == "PutRecords" and answer.status == 200
            self._note(request, outcome, taken=len(json.loads(request.body)["Records"]) if is_taken else 0)
            return answer
        return self._throttled(request, outcome, self._shard)

    def _throttled(self, request: Request, outcome: str, shard: Shard) -> Answer:
        """The shard's share goes on, and its answer comes back with a refusal in the place of every other record."""
        wanted = json.loads(request.body)
        with self._lock:
            taken = [shard.takes(_size(record)) for record in wanted["Records"]]
        passed = [record for record, is_taken in zip(wanted["Records"], taken, strict=True) if is_taken]
        reply: dict[str, Any] = {"Records": []}
        if passed:
            answer = self._forward(request._replace(body=json.dumps({**wanted, "Records": passed}).encode()))
            if answer.status != 200:
                self._note(request, outcome)
                return answer
            reply = json.loads(answer.body)
        self._note(request, outcome, taken=len(passed), refused=len(taken) - len(passed))
        return _json({**reply, **_merged(iter(reply["Records"]), taken)})

    def _forward(self, request: Request) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "expect"}
        headers["Content-Length"] = str(len(request.body))
        headers["Host"] = HOST_NAME
        connection = HTTPConnection(self._upstream.hostname or HOST, self._upstream.port, timeout=TIMEOUT)
        with closing(connection):
            connection.request(request.method, request.path, body=request.body or None, headers=headers)
            response = connection.getresponse()
            body = response.read()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in OF_ONE_HOP]
            size = int(response.getheader("Content-Length") or 0) if request.method == "HEAD" else len(body)
            return Answer(response.status, kept, body, size)

    def _note(self, request: Request, outcome: str, *, taken: int = 0, refused: int = 0) -> None:
        with self._lock:
            self._seen.append(Seen(time.monotonic(), request.operation, request.path, outcome, taken, refused))


def _size(record: dict[str, str]) -> int:
    return len(b64decode(record["Data"])) + len(record["PartitionKey"].encode())


def _merged(accepted: Iterator[dict[str, Any]], taken: Iterable[bool]) -> dict[str, Any]:
    results = [next(accepted) if is_taken else _refusal() for is_taken in taken]
    return {"FailedRecordCount": sum("ErrorCode" in result for result in results), "Records": results}


def _refusal() -> dict[str, str]:
    message = "Rate exceeded for shard shardId-000000000000."
    return {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": message}


def _json(value: dict[str, Any]) -> Answer:
    body = json.dumps(value).encode()
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], body, len(body))
