"""The servers of a measurement, each a process of its own that ends with whoever started it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import ProxyHandler, build_opener

from benchmarks.performance import ROOT

STOP = 30.0  # seconds for a server to end
_opener = build_opener(ProxyHandler({}))


@contextmanager
def started(name: str, *options: str) -> Iterator[str]:
    """The server `benchmarks.performance.<name>`; gives its base, such as `http://127.0.0.1:49152`."""
    command = [sys.executable, "-m", f"benchmarks.performance.{name}", *options]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{' '.join(command)} did not start: it says above why.")
            yield f"http://127.0.0.1:{int(line)}"
        finally:
            process.stdin.close()
            process.wait(STOP)


async def until_left_alone(port: int) -> None:
    """In a server: tells its port, and waits until whoever started it closes the standard input, or ends."""
    print(port, flush=True)
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), closed.set)
    await closed.wait()


def told(url: str) -> Any:
    """What a server says of itself, as JSON."""
    with _opener.open(url, timeout=60) as answer:
        return json.loads(answer.read())
