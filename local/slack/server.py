"""The API over HTTP: latency, faults, then the organisation's answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web

from local.slack import sabotage
from local.slack.answers import Answer
from local.slack.calls import Call
from local.slack.control import control_routes
from local.slack.director import Director
from local.slack.faults import Fault
from local.slack.organisation import Organisation
from local.slack.settings import bounds

LARGEST_POST = 2**30  # bytes; events are posted in bulk
TICK = 0.5  # seconds; how often live traffic is made when nobody asks


def application(organisations: Sequence[Organisation], director: Director) -> web.Application:
    """The whole server: the control API under `/_standin/`, Slack's API everywhere else."""
    app = web.Application(client_max_size=LARGEST_POST)
    app.add_routes(control_routes(director))
    app.router.add_route("*", "/{path:.*}", Endpoint(organisations).handle)
    return app


@asynccontextmanager
async def serving(
    organisations: Sequence[Organisation], director: Director, host: str, port: int
) -> AsyncIterator[int]:
    """The server, listening; gives its port (that of the system's choice when 0 was asked for).

    A call is for the organisation whose token it brings; one with no such token, for the first.
    """
    runner = web.AppRunner(application(organisations, director), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    ticking = asyncio.create_task(_tick(organisations))
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        ticking.cancel()
        await runner.cleanup()


async def _tick(organisations: Sequence[Organisation]) -> None:
    """Keep live traffic going, so that no call has to make up for a long silence. Runs until it is cancelled."""
    while True:
        for organisation in tuple(organisations):
            organisation.catch_up()
        await asyncio.sleep(TICK)


class Endpoint:
    """Every path that is not the control API's."""

    def __init__(self, organisations: Sequence[Organisation]) -> None:
        self._organisations = organisations

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, as well or as badly as the rules of the organisation that it is for want it."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        call = Call(request.method, request.path, request.query, request.headers.get("Authorization"), form)
        organisation = next((it for it in self._organisations if it.knows(call)), self._organisations[0])
        return await _Reply(organisation, request, call).sent()


class _Reply:
    """One call, answered by one organisation."""

    def __init__(self, organisation: Organisation, request: web.Request, call: Call) -> None:
        self._organisation = organisation
        self._request = request
        self._call = call

    async def sent(self) -> web.StreamResponse:
        fault = self._organisation.faults.strike(self._call.path)
        await self._delay(fault)
        if fault and fault.kind == "reset":
            self._record("reset", fault)
            return sabotage.reset(self._request)
        spoiled = fault.answer() if fault else None
        answer, entries = (spoiled, 0) if spoiled else self._organisation.answer(self._call)
        self._record(str(answer.status), fault, entries)
        return await self._send(self._request, answer, fault)

    async def _delay(self, fault: Fault | None) -> None:
        seconds = self._organisation.chance.uniform(*bounds(self._organisation.settings.latency))
        await asyncio.sleep(seconds + (fault.seconds if fault and fault.kind == "hang" else 0))

    def _record(self, outcome: str, fault: Fault | None, entries: int = 0) -> None:
        now = self._organisation.clock.now()
        kind = fault.kind if fault else None
        self._organisation.calls.record(now, self._call, outcome=outcome, fault=kind, entries=entries)

    async def _send(self, request: web.Request, answer: Answer, fault: Fault | None) -> web.StreamResponse:
        dated = replace(answer, headers={"Date": self._organisation.clock.date(), **answer.headers})
        if fault and fault.kind == "truncated":
            return await sabotage.send_cut(request, dated, fault)
        if fault and fault.kind == "slow":
            return await sabotage.send_slowly(request, dated, fault)
        response = web.Response(status=dated.status, body=dated.body, headers=dated.headers)
        if self._organisation.settings.gzip and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response
