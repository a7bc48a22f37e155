"""A Lambda sandbox of this machine: the real runtime client, and the runtime API that it asks for work.

A layer and a function are copied from a build, with or without the bytecode in them; the runtime client has its own, as
Lambda's has. Nothing is written beside the code, as on Lambda, where nothing can be. The processor time of the process
is read from outside, by the clock that Linux keeps of it.
"""

import compileall
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import NamedTuple

import awslambdaric
import boto3

from benchmarks.performance.measured import Used
from benchmarks.performance.stage import AWS

RUNTIME = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py")  # and what it needs
EMPTY = "import boto3\n\n\ndef lambda_handler(event, context):\n    return {}\n"
PATIENCE = 60.0  # seconds until the function must have asked for work
TIMEOUT = 300  # seconds that a function has
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "collect",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "PATH": os.defpath,
    "PYTHONDONTWRITEBYTECODE": "1",
    **AWS,
}


class Code(NamedTuple):
    """What a sandbox runs: the function's folder, and where it looks for packages."""

    function: Path
    search: tuple[Path, ...]


class Asked(NamedTuple):
    """What the function asked of the runtime API, and what it had used by then."""

    path: str
    body: bytes
    used: Used


class Sandbox:
    """One process, from its start on. It does what Lambda lets it do: ask for work, and answer."""

    def __init__(self, code: Code, environment: Mapping[str, str], log: Path) -> None:
        self._asked: queue.Queue[Asked] = queue.Queue()
        self._stopped = threading.Event()
        self._api = _api_of(self)
        self._started = time.monotonic()
        search = os.pathsep.join(str(it) for it in code.search)
        address = f"127.0.0.1:{self._api.server_port}"
        ours = {"PYTHONPATH": search, "AWS_LAMBDA_RUNTIME_API": address}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [_python(), "-s", "-S", "-m", "awslambdaric", "app.lambda_handler"],
                cwd=code.function,
                env={**LAMBDA, **environment, **ours},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def initialised(self) -> Used:
        """What it used until it asked for work for the first time. Raises RuntimeError if it did not come to that."""
        return self._next("/invocation/next").used

    def peak_mb(self) -> float:
        """The most memory that it ever had, in MB of 2^20 bytes."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        (peak,) = (line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024

    def stop(self) -> None:
        """Ends it, as Lambda does: without asking."""
        self._stopped.set()
        self._process.kill()
        self._process.wait()
        self._api.shutdown()
        self._api.server_close()

    def asks(self, path: str, body: bytes) -> None:
        """For the runtime API: notes what was asked. Where that is work, there is none until the end."""
        clock = (~self._process.pid << 3) | 2  # of all threads of the process: clock_getcpuclockid(3)
        self._asked.put(Asked(path, body, Used(time.clock_gettime(clock), time.monotonic() - self._started)))
        if path.endswith("/next"):
            self._stopped.wait()

    def _next(self, ending: str) -> Asked:
        try:
            asked = self._asked.get(timeout=PATIENCE)
        except queue.Empty:
            raise RuntimeError(f"the function did not get to {ending} within {PATIENCE:.0f} s") from None
        if not asked.path.endswith(ending):
            raise RuntimeError(f"the function said {asked.path}: {asked.body.decode(errors='replace')}")
        return asked


@contextmanager
def sandbox(code: Code, environment: Mapping[str, str], log: Path) -> Iterator[Sandbox]:
    """One that is stopped in any case."""
    made = Sandbox(code, environment, log)
    try:
        yield made
    finally:
        made.stop()


def _api_of(box: Sandbox) -> ThreadingHTTPServer:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, as far as a function needs it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Gives no work."""
            box.asks(self.path, b"")

        def do_POST(self) -> None:
            """Takes an error."""
            box.asks(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self._send(202, b"{}")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + TIMEOUT) * 1000)))
            self.send_header(
                "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:collect:live"
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _python() -> str:
    """The Python that the environment was made of, without the environment's packages."""
    base: str = sys._base_executable  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other name
    return base


# ---- what runs in it ----


def collector(built: Path, into: Path, *, bytecode: bool) -> Code:
    """The collect function and its layer, as `sam build` left them; or without the bytecode in them."""
    keep = None if bytecode else shutil.ignore_patterns("__pycache__")
    shutil.copytree(built / "CollectorLayer" / "python", into / "layer", ignore=keep)
    shutil.copytree(built / "CollectFunction", into / "function", ignore=keep)
    return Code(into / "function", (into / "layer", _runtime(into)))


def empty(into: Path, *, bytecode: bool) -> Code:
    """A function that imports boto3 and does nothing: of the version that is pinned, with or without bytecode."""
    site = Path(boto3.__file__).parent.parent
    _copied(site, into / "layer", BOTO3)
    if bytecode:
        _compiled(into / "layer")
    (into / "function").mkdir()
    (into / "function" / "app.py").write_text(EMPTY)
    return Code(into / "function", (into / "layer", _runtime(into)))


def _runtime(into: Path) -> Path:
    site = Path(awslambdaric.__file__).parent.parent
    names = [it.name for name in RUNTIME for it in site.glob(f"{name}*") if not it.name.endswith(".dist-info")]
    _copied(site, into / "runtime", names)
    _compiled(into / "runtime")
    return into / "runtime"


def _copied(site: Path, into: Path, names: list[str] | tuple[str, ...]) -> None:
    into.mkdir(parents=True)
    for name in names:
        if (site / name).is_dir():
            shutil.copytree(site / name, into / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(site / name, into / name)


def _compiled(folder: Path) -> None:
    compileall.compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
