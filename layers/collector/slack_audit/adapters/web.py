"""What all calls to Slack have in common: where they may go, how long they may take, what an answer's wrapping says."""

import re
import time
from io import BytesIO
from typing import Any, override

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from slack_audit.adapters.trust import trusting

CONNECT_TIMEOUT = 3.05  # seconds
LONGEST_RETRY_AFTER = 3_600  # seconds; what is longer is taken for a mistake and cut
RATE_LIMITS = {"rate_limited", "ratelimited"}
PASSING = {408, 425}  # 4xx that go away by themselves


class TooSlowError(Exception):
    """The body was not whole when its time was over."""


class TooLargeError(Exception):
    """The body is larger than any answer of Slack's."""


class BrokenOffError(Exception):
    """The body ended before it was whole."""


class _Error(msgspec.Struct):
    error: str


def session(version: str) -> requests.Session:
    """One that tries once, and sends what it sends to the host that it was told, whatever the environment says of
    proxies and passwords."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update({"Accept": "application/json", "User-Agent": f"slack-audit-collector/{version}"})
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Connections(max_retries=0))
    return made


class _Connections(HTTPAdapter):
    """They believe whom all connections of the process believe."""

    @override
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=trusting(None), **options)

    @override
    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """For HTTPAdapter, which would name the authorities here, and urllib3 would read them again."""
        conn.cert_reqs, conn.ca_certs = "CERT_REQUIRED", None


def limits(timeout: float) -> tuple[float, float]:
    """Seconds for connecting and for each read."""
    return min(CONNECT_TIMEOUT, timeout), timeout


def body(response: requests.Response, ends: float, *, chunk: int, largest: int | None = None) -> bytes:
    """The whole body, in `chunk` bytes between two looks at the clock. A timeout of requests is for each read alone,
    so the total is watched here. Raises TooLargeError, TooSlowError, BrokenOffError."""
    whole = BytesIO()  # which grows in place: pieces to be joined would need twice the memory
    try:
        # read1 gives whatever is there, without waiting for more
        while got := response.raw.read1(chunk, decode_content=True):
            whole.write(got)
            if largest is not None and whole.tell() > largest:
                raise TooLargeError
            if time.monotonic() > ends:
                raise TooSlowError
    except (HTTPError, OSError) as error:
        raise BrokenOffError from error
    return whole.getvalue()


def error_in(content: bytes) -> str | None:
    """Slack's error code, if that is what the body holds."""
    try:
        return code_of(msgspec.json.decode(content, type=_Error).error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def code_of(error: object) -> str | None:
    """The error, if it looks like a code of Slack's: nothing else of an answer may reach a message."""
    return error if isinstance(error, str) and re.fullmatch(r"[a-z_]{1,64}", error) else None


def retry_after(response: requests.Response) -> int | None:
    """Whole seconds, at least one; None where there is no usable value."""
    value = response.headers.get("Retry-After", "").strip()
    return max(1, min(int(value), LONGEST_RETRY_AFTER)) if re.fullmatch(r"[0-9]{1,9}", value) else None
