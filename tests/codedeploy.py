"""A CodeDeploy that listens for verdicts: the embedded AWS has none."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALL = "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"
EVENT = {"DeploymentId": "d-EXAMPLE11", "LifecycleEventHookExecutionId": "an-execution-that-is-not-real"}


class CodeDeploy:
    """What it was told, and what it answers."""

    def __init__(self) -> None:
        self.verdicts: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""


@contextmanager
def listening() -> Iterator[CodeDeploy]:
    """Listens on a free port of the loopback interface."""
    told = CodeDeploy()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"] == CALL
            told.verdicts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = b"{}" if told.status == 200 else b'{"__type":"InvalidDeploymentIdException","message":"no"}'
            self.send_response(told.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, name="codedeploy", daemon=True)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
