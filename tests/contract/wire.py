"""A server that sends the bytes it was given, for what no decent HTTP server would say, and one that is not there."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import boto3
from botocore.config import Config


class Wire:
    """Where it listens, and the heads of the requests that came, as they came."""

    def __init__(self, listener: socket.socket, answer: bytes) -> None:
        self._listener = listener
        self._answer = answer
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.requests: list[bytes] = []

    def serve(self) -> None:
        """Answers one connection after the other until the listener is shut down."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self.requests.append(_head(connection))
                    connection.sendall(self._answer)


def _head(connection: socket.socket) -> bytes:
    """The head of a request. Its body is read too: closing before that would reset the connection."""
    request = b""
    while b"\r\n\r\n" not in request and (piece := connection.recv(65_536)):
        request += piece
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0 and (piece := connection.recv(65_536)):
        missing -= len(piece)
    return head + end


@contextmanager
def answering(answer: bytes) -> Iterator[Wire]:
    """Sends `answer` to whoever asks, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(listener, answer)
        thread = threading.Thread(target=wire.serve, name="wire", daemon=True)
        thread.start()
        try:
            yield wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """An address at which nobody listens, and that nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def client_at(service: str, url: str) -> Any:
    """A client that looks for an AWS service there, and asks once."""
    session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return session.client(service, endpoint_url=url, config=Config(proxies={}, retries={"total_max_attempts": 1}))
