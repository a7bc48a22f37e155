"""The control API under `/_standin/`: what a person or a test does to the stand-in, not what Slack offers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

from local.slack.director import Director
from local.slack.faults import Fault
from local.slack.history import Event

_NDJSON = {"Content-Type": "application/x-ndjson"}
_CHUNK = 2**20  # bytes
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control_routes(director: Director) -> list[web.RouteDef]:
    """The routes, for the application."""
    control = _Control(director)
    return [
        web.get("/_standin/status", control.status),
        web.get("/_standin/calls", control.calls),
        web.get("/_standin/events", _checked(control.events)),
        web.post("/_standin/events", _checked(control.add_events)),
        web.post("/_standin/generate", _checked(control.generate)),
        web.post("/_standin/faults", _checked(control.add_faults)),
        web.delete("/_standin/faults", control.clear_faults),
        web.post("/_standin/token", _checked(control.token)),
        web.post("/_standin/install", control.install),
        web.post("/_standin/settings", _checked(control.settings)),
        web.post("/_standin/traffic", _checked(control.traffic)),
        web.route("*", "/_standin/{rest:.*}", _unknown),
    ]


class _Control:
    def __init__(self, director: Director) -> None:
        self._director = director

    async def status(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._director.status())

    async def calls(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([call._asdict() for call in self._director.calls()])

    async def events(self, request: web.Request) -> web.StreamResponse:
        crowds = self._director.events(_whole(request, "oldest"), _whole(request, "latest"))
        response = web.StreamResponse(headers=_NDJSON)
        await response.prepare(request)
        for chunk in _lines(crowds):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def add_events(self, request: web.Request) -> web.StreamResponse:
        visible_at, at = request.query.get("visible_at"), _whole(request, "at")
        lines = [line for line in (await request.read()).split(b"\n") if line.strip()]
        added = self._director.add(lines, visible_at=float(visible_at) if visible_at else None, at=at)
        return web.json_response({"ok": True, "added": added})

    async def generate(self, request: web.Request) -> web.StreamResponse:
        batch = self._director.ordered(await _object(request))
        events = await asyncio.to_thread(list, batch)
        self._director.accept(events)
        return web.json_response({"ok": True, "generated": len(events)})

    async def add_faults(self, request: web.Request) -> web.StreamResponse:
        wanted = await request.json()
        faults = [Fault.from_json(rule) for rule in (wanted if isinstance(wanted, list) else [wanted])]
        self._director.add_faults(faults)
        return web.json_response({"ok": True, "added": len(faults)})

    async def clear_faults(self, _: web.Request) -> web.StreamResponse:
        self._director.clear_faults()
        return web.json_response({"ok": True})

    async def token(self, request: web.Request) -> web.StreamResponse:
        wish = await _object(request)
        self._director.change({"tokens": [wish["token"]] if "token" in wish else wish["tokens"]})
        return web.json_response({"ok": True})

    async def install(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._director.install())

    async def settings(self, request: web.Request) -> web.StreamResponse:
        settings = self._director.change(await _object(request))
        return web.json_response({"ok": True, "settings": settings.as_json()})

    async def traffic(self, request: web.Request) -> web.StreamResponse:
        self._director.traffic(**await _object(request))
        return web.json_response({"ok": True})


async def _unknown(request: web.Request) -> web.StreamResponse:
    reason = f"no {request.method} {request.path} here"
    return web.json_response({"ok": False, "error": "not_found", "reason": reason}, status=404)


def _checked(handler: _Handler) -> _Handler:
    """The handler, with 400 and a reason for what it cannot take."""

    async def safe(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response({"ok": False, "error": "bad_request", "reason": str(error)}, status=400)

    return safe


async def _object(request: web.Request) -> dict[str, Any]:
    wish = await request.json()
    if not isinstance(wish, dict):
        raise TypeError("the body is a JSON object")
    return wish


def _whole(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    return int(text) if text else None


def _lines(crowds: Iterator[list[Event]]) -> Iterator[bytes]:
    """The events' bytes, a line each, in large pieces."""
    piece = bytearray()
    for crowd in crowds:
        for event in crowd:
            piece += event.raw + b"\n"
        if len(piece) >= _CHUNK:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
