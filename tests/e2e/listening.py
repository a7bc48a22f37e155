"""An HTTP server for whoever answers by a function, and who may hang up instead."""

import socket
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

HOST = "127.0.0.1"
S3_OPERATIONS = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject"}


class Request(NamedTuple):
    """What came from the client."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """As AWS names it."""
        target = self.headers.get("X-Amz-Target", "")
        if target:
            return target.rpartition(".")[2]
        return "ListObjectsV2" if "list-type=2" in self.path else S3_OPERATIONS.get(self.method, self.method)


class Answer(NamedTuple):
    """What goes back. `size` is the length that its header tells, which a HEAD's body does not have."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    size: int


class Server(ThreadingHTTPServer):
    """One listening socket, and the connections that came in by it."""

    def __init__(self, handle: Callable[[Request], Answer | None], port: int) -> None:
        self.handle = handle
        self._connections: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def cut_off(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):  # its other end was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone: a killed function, or one that has stopped waiting."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of an answer leave in one piece
    server: Server

    def handle_expect_100(self) -> bool:
        is_wanted = super().handle_expect_100()
        self.wfile.flush()
        return is_wanted

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.handle(Request(self.command, self.path, dict(self.headers.items()), body))
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(answer.size))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815  # the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Whoever answers takes notes."""
