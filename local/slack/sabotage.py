"""Sending an answer badly: cut, dripping, late, or not at all."""

import asyncio
import socket
import struct

from aiohttp import web

from local.slack.answers import Answer
from local.slack.faults import Fault

DRIPS = 20


async def send_cut(request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
    """Promise the whole length, send a part, and close the connection."""
    response = await _opened(request, answer)
    await response.write(answer.body[: int(len(answer.body) * fault.kept)])
    if request.transport:
        request.transport.close()
    return response


async def send_slowly(request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
    """Send the body in drips over so many seconds."""
    response = await _opened(request, answer)
    step = max(1, -(-len(answer.body) // DRIPS))
    for start in range(0, len(answer.body), step):
        await asyncio.sleep(fault.seconds / DRIPS)
        await response.write(answer.body[start : start + step])
    await response.write_eof()
    return response


def reset(request: web.Request) -> web.StreamResponse:
    """Reset the connection before any byte of an answer."""
    if request.transport:
        plug = request.transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _opened(request: web.Request, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    return response
