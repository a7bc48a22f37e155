"""What all calls to Slack have in common: where they may go, how long they may take, what an answer's wrapping says."""

import re
import time
from collections.abc import Mapping

import msgspec
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from slack_audit.adapters.trust import trusting

CONNECT_TIMEOUT = 3.05  # seconds
LONGEST_RETRY_AFTER = 3_600  # seconds; what is longer is taken for a mistake and cut
RATE_LIMITS = {"rate_limited", "ratelimited"}
PASSING = {408, 425}  # 4xx that go away by themselves
NONE: Mapping[str, str] = {}


class TooSlowError(Exception):
    """The body was not whole when its time was over."""


class TooLargeError(Exception):
    """The body is larger than any answer of Slack's."""


class BrokenOffError(Exception):
    """The body ended before it was whole."""


class _Error(msgspec.Struct):
    error: str


class Web:
    """Connections to Slack. They try once, follow no redirect, and send what they send to the host that they were told,
    whatever the environment says of proxies and passwords."""

    def __init__(self, version: str) -> None:
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"slack-audit-collector/{version}",
        }
        self._pool = PoolManager(ssl_context=trusting())

    def ask(
        self, method: str, url: str, timeout: float, *, headers: Mapping[str, str] = NONE, body: str | None = None
    ) -> BaseHTTPResponse:
        """The head of an answer, whose body is still to come: it must be closed. `timeout` seconds are for connecting
        and for each read. Raises HTTPError."""
        return self._pool.request(
            method,
            url,
            body=body,
            headers={**self._headers, **headers},
            timeout=Timeout(connect=min(CONNECT_TIMEOUT, timeout), read=timeout),
            retries=False,
            redirect=False,
            preload_content=False,
        )


def body(response: BaseHTTPResponse, ends: float, *, chunk: int, largest: int | None = None) -> bytes:
    """The whole body, in `chunk` bytes between two looks at the clock. A timeout of urllib3 is for each read alone,
    so the total is watched here. Raises TooLargeError, TooSlowError, BrokenOffError."""
    chunks, size = [], 0
    try:
        # read1 gives whatever is there, without waiting for more
        while got := response.read1(chunk, decode_content=True):
            chunks.append(got)
            size += len(got)
            if largest is not None and size > largest:
                raise TooLargeError
            if time.monotonic() > ends:
                raise TooSlowError
    except (HTTPError, OSError) as error:
        raise BrokenOffError from error
    return b"".join(chunks)


def error_in(content: bytes) -> str | None:
    """Slack's error code, if that is what the body holds."""
    try:
        return code_of(msgspec.json.decode(content, type=_Error).error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def code_of(error: object) -> str | None:
    """The error, if it looks like a code of Slack's: nothing else of an answer may reach a message."""
    return error if isinstance(error, str) and re.fullmatch(r"[a-z_]{1,64}", error) else None


def retry_after(response: BaseHTTPResponse) -> int | None:
    """Whole seconds, at least one; None where there is no usable value."""
    value = response.headers.get("Retry-After", "").strip()
    return max(1, min(int(value), LONGEST_RETRY_AFTER)) if re.fullmatch(r"[0-9]{1,9}", value) else None
