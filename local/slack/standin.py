"""The stand-in inside a test or a program: a server in a thread, and verbs that are safe to call from any thread."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from local.slack.calls import Recorded
from local.slack.director import Director
from local.slack.faults import Fault
from local.slack.oauth import PATH
from local.slack.organisation import BASE, Organisation
from local.slack.server import serving
from local.slack.settings import Settings

_START = 10.0  # seconds; for the server to listen


@dataclass
class _Server:
    """What the organisations of one Slack share."""

    address: tuple[str, int]
    organisations: list[Organisation]
    loop: asyncio.AbstractEventLoop | None = None
    thread: threading.Thread | None = None


class StandIn:
    """Slack, on a free port of this machine, as long as the `with` block lasts.

    Its history can be filled before and after it starts, and read after it has stopped.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        host_clock: Callable[[], float] = time.time,
    ) -> None:
        self._organisation = Organisation(settings or Settings(), host_clock)
        self._director = Director(self._organisation)
        self._host_clock = host_clock
        self._server = _Server((host, port), [self._organisation])
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="slack stand-in", daemon=True)
        self._server.thread = self._thread
        self._listening: Future[int] = Future()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server.address = self._server.address[0], self._listening.result(_START)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server.loop and self._stop:
            with suppress(RuntimeError):  # the loop has closed by itself
                self._server.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def beside(self, settings: Settings) -> "StandIn":
        """Another organisation of the same Slack, at the same address: its calls are told apart by its tokens. It is
        filled, changed and read like this one, and never started itself."""
        other = StandIn(settings, host_clock=self._host_clock)
        other._server = self._server
        self._run(lambda: self._server.organisations.append(other._organisation))
        return other

    @property
    def base(self) -> str:
        """The server's root, such as `http://127.0.0.1:49152`."""
        host, port = self._server.address
        return f"http://{host}:{port}"

    @property
    def url(self) -> str:
        """Where the Audit Logs API is: `…/audit/v1`."""
        return self.base + BASE.rstrip("/")

    @property
    def oauth_url(self) -> str:
        """Where tokens are refreshed: `…/api/oauth.v2.access`."""
        return self.base + PATH

    @property
    def control_url(self) -> str:
        """Where the control API is: `…/_standin`."""
        return self.base + "/_standin"

    @property
    def now(self) -> float:
        """Slack's time."""
        return self._organisation.clock.now()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._organisation.settings

    def add(self, *raws: bytes, visible_at: float | None = None, at: int | None = None) -> int:
        """Add events, byte for byte: visible at once or from Slack's time `visible_at`, in the second `at` if given."""
        return self._run(lambda: self._director.add(raws, visible_at=visible_at, at=at))

    def generate(self, count: int, *, start: int | None = None, end: int | None = None, **order: Any) -> int:
        """Add invented events of `start` to `end`, by default the last 24 hours. `order`: see the control API."""
        ends = {name: value for name, value in (("from", start), ("to", end)) if value is not None}
        batch = list(self._director.ordered({"count": count, **ends, **order}))
        self._run(lambda: self._director.accept(batch))
        return len(batch)

    def fault(self, kind: str, **rule: Any) -> None:
        """Spoil the next call in this way; see `Fault` for more than that."""
        self.faults(Fault.from_json({"kind": kind, **rule}))

    def faults(self, *faults: Fault) -> None:
        """Queue rules."""
        self._run(lambda: self._director.add_faults(faults))

    def clear_faults(self) -> None:
        """Forget all rules."""
        self._run(self._director.clear_faults)

    def token(self, *tokens: str) -> None:
        """From now on these tokens are valid, and no others."""
        self.change(tokens=tokens)

    def install(self) -> dict[str, Any]:
        """An owner installs the app, with token rotation: token, refresh_token, client_id, client_secret, expires_at.

        The tokens that were valid without rotation stay so.
        """
        return self._run(self._director.install)

    def change(self, **knobs: Any) -> Settings:
        """Turn knobs while the server runs."""
        return self._run(lambda: self._director.change(knobs))

    def traffic(self, per_second: float, *, until: float | None = None) -> None:
        """So many live events a second from now on; 0 stops them."""
        self._run(lambda: self._director.traffic(per_second, until))

    def status(self) -> dict[str, Any]:
        """What happened so far, as the control API tells it."""
        return self._run(self._director.status)

    def calls(self) -> list[Recorded]:
        """The last calls with their parameters, oldest first."""
        return self._run(self._director.calls)

    def events(self, oldest: int | None = None, latest: int | None = None) -> list[bytes]:
        """The truth: the bytes of every event that is visible now, oldest first."""
        crowds = self._run(lambda: list(self._director.events(oldest, latest)))
        return [event.raw for crowd in crowds for event in crowd]

    def _run[T](self, verb: Callable[[], T]) -> T:
        """Do this where the server does its work, so that nobody else is at it."""
        loop = self._server.loop
        if loop is None or threading.current_thread() is self._server.thread:
            return verb()

        async def task() -> T:
            return verb()

        return asyncio.run_coroutine_threadsafe(task(), loop).result()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        try:
            async with serving(self._server.organisations, self._director, *self._server.address) as port:
                self._server.loop = asyncio.get_running_loop()
                self._listening.set_result(port)
                await self._stop.wait()
        except OSError as error:
            self._listening.set_exception(error)
        finally:
            self._server.loop = None
