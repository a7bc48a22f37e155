"""A Lambda function as a process of its own: it starts cold, stays warm, may be killed, and is measured from inside."""

import os
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.load.border import Border, virtual_time
from benchmarks.load.clock import SharedClock
from benchmarks.load.plan import Weather

ROOT = Path(__file__).resolve().parents[2]
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"  # what resets the peak, by proc(5)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an invocation used: seconds of processor, kB of memory at its end and at most, calls of AWS that went wrong,
    and what AWS would count: bytes into the stream, units of 1 kB written to the table."""

    cpu: float
    resident: int
    peak: int
    spoiled: int
    written: dict[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation: an answer, the text of an error, or neither, because the process was killed."""

    answer: dict[str, Any] | None
    error: str | None
    usage: Usage | None
    output: list[str]


@dataclass(frozen=True, slots=True)
class Code:
    """Which handler runs in which environment. `output` is the file that its standard output goes to."""

    name: str
    handler: str
    timeout: int
    memory: int
    environment: dict[str, str]
    shards: int
    output: Path


class Function:
    """One function; never more than one process of it."""

    def __init__(self, code: Code, clock: Path) -> None:
        self._code = code
        self._clock = clock
        self._spawn = get_context("spawn")
        self._connection: Connection | None = None
        self._process: Any = None
        self._read = 0
        self.starts = 0
        code.output.write_bytes(b"")

    def invoke(self, event: dict[str, Any], weather: Weather) -> Outcome:
        """One invocation, from now on by the simulation's clock."""
        connection = self._connection or self._start()
        connection.send((event, weather))
        try:
            answer, error, usage = connection.recv()
        except EOFError:
            self.stop()
            answer, error, usage = None, None, None
        return Outcome(answer, error, usage, self._output())

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._process.join()
        self._connection = None

    def _start(self) -> Connection:
        ours, theirs = self._spawn.Pipe()
        self._process = self._spawn.Process(target=_serve, args=(self._code, self._clock, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.starts += 1
        self._connection = ours
        return ours

    def _output(self) -> list[str]:
        """What it wrote since this was last asked."""
        with self._code.output.open("rb") as file:
            file.seek(self._read)
            written = file.read()
        self._read += len(written)
        return written.decode(errors="replace").splitlines()


class _Context:
    """What Lambda gives a handler."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_version = "1"

    def __init__(self, code: Code, border: Border) -> None:
        self.function_name = code.name
        self.memory_limit_in_mb = code.memory
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{code.name}:live"
        self.get_remaining_time_in_millis = border.time_left


def _serve(code: Code, clock_file: Path, connection: Connection) -> None:
    """Invocation after invocation, until the other end is closed."""
    os.environ.update(code.environment)
    sys.path[:0] = [str(ROOT / "functions"), str(ROOT / "layers" / "collector")]
    with code.output.open("ab") as output:
        os.dup2(output.fileno(), 1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    clock = SharedClock(clock_file)
    border = Border(clock, code.shards)
    with virtual_time(border) as watch, suppress(EOFError):
        path, _, name = code.handler.rpartition(".")
        module = import_module(path)
        vars(module)["time"] = watch
        handler = getattr(module, name)
        while True:
            event, weather = connection.recv()
            border.begin(weather, clock.now() + code.timeout)
            connection.send(_invoked(handler, event, _Context(code, border), border))


def _invoked(handler: Any, event: dict[str, Any], context: _Context, border: Border) -> Any:
    _forget_peak()
    before = _cpu()
    answer, failure = None, None
    try:
        answer = handler(event, context)
    except Exception as error:  # noqa: BLE001 - Lambda reports every one
        failure = f"{type(error).__name__}: {error}"
    resident, peak = _memory()
    return answer, failure, Usage(_cpu() - before, resident, peak, border.spoiled, dict(border.written))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _forget_peak() -> None:
    with suppress(OSError):  # Linux alone can do this; elsewhere the peak is that of the process's life
        _CLEAR.write_text(_FORGET_PEAK)


def _memory() -> tuple[int, int]:
    """kB now and at most."""
    if not _STATUS.exists():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak, peak
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines["VmRSS"].split()[0]), int(lines["VmHWM"].split()[0])
