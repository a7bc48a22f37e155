"""AWS at wire speed, as a process of its own: S3, DynamoDB, Kinesis and Secrets Manager on one port.

    python -m benchmarks.performance.wire                  a free port, printed as the first line
    python -m benchmarks.performance.wire --delay 0.05     every answer takes 50 ms, many at a time

So much of HTTP and of the services as the collector and its peers need, so that neither is what is measured. It ends
when its standard input does. `GET /_wire/counts` tells the calls of each service and the records of the stream.
"""

import argparse
import asyncio
import gc
import json

from benchmarks.performance.objects import Answer
from benchmarks.performance.processes import until_left_alone
from benchmarks.performance.services import Services

COUNTS = "/_wire/counts"
_REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 400: "Bad Request", 404: "Not Found"}


class Connection(asyncio.Protocol):
    """One connection, kept alive: one call after the other."""

    def __init__(self, services: Services, delay: float) -> None:
        self._services = services
        self._delay = delay
        self._received = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._length = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps it for the answers."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers what is whole."""
        self._received += data
        while self._transport is not None:
            if self._head is None and not self._read_head(self._transport):
                return
            if self._head is None or len(self._received) < self._length:
                return
            body = bytes(memoryview(self._received)[: self._length])
            del self._received[: self._length]
            head, self._head = self._head, None
            self._answer(self._transport, *head, body)

    def _read_head(self, transport: asyncio.Transport) -> bool:
        """Reads a whole head, if there is one."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self._received[:end].decode("latin-1").split("\r\n")
        del self._received[: end + 4]
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._head, self._length = (method, target, headers), int(headers.get("content-length", 0))
        if headers.get("expect") == "100-continue":
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _answer(
        self, transport: asyncio.Transport, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> None:
        if target == COUNTS:
            transport.write(_bytes(Answer(200, json.dumps(self._services.counts()).encode())))
            return
        whole = _bytes(self._services.answer(method, target, headers, body))
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, transport.write, whole)
        else:
            transport.write(whole)


def _bytes(answer: Answer) -> bytes:
    length = len(answer.body) if answer.length is None else answer.length
    lines = [
        f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Answer')}",
        "x-amzn-RequestId: 00000000-0000-4000-8000-000000000000",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
        f"Content-Length: {length}",
        "\r\n",
    ]
    return "\r\n".join(lines).encode() + answer.body


async def _serve(delay: float) -> None:
    services = Services()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(services, delay), "127.0.0.1", 0)
    await until_left_alone(server.sockets[0].getsockname()[1])
    server.close()


def main() -> None:
    """Serves until its standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that every answer takes (0)")
    gc.disable()  # it makes no circles, and what it keeps is not worth walking through
    asyncio.run(_serve(parser.parse_args().delay))


if __name__ == "__main__":
    main()
