"""What Slack's Audit Logs API says of itself, to anybody: `/actions` and `/schemas`. No token is ever sent there."""

import re
import time

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from slack_audit.catalog import Kind
from slack_audit.errors import RateLimitedError, RefusedError, SlowAnswerError, SourceError, UnavailableError

CONNECT_TIMEOUT = 3.05  # seconds
CHUNK = 1 << 16  # bytes read between two looks at the clock
LARGEST = 1 << 20  # bytes; `/actions` has 30,000 and `/schemas` 4,000
LONGEST_RETRY_AFTER = 3_600  # seconds
RATE_LIMITS = {"rate_limited", "ratelimited"}
PASSING = {408, 425}  # 4xx that go away by themselves
ASK_AGAIN = "It is asked again by the next run; if it lasts, see https://slack-status.com."
CHECK_URL = "Check SlackApiUrl: it is the base with its path, https://api.slack.com/audit/v1."


class _Error(msgspec.Struct):
    error: str


class SlackCatalog:
    """`/actions` and `/schemas`, as one organisation's collector sees them."""

    def __init__(self, url: str, org: str, version: str) -> None:
        self._url = url.rstrip("/")
        self._org = org
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no password of the environment's
        self._session.headers.update({"Accept": "application/json", "User-Agent": f"slack-audit-collector/{version}"})
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def read(self, kind: Kind, timeout: float) -> bytes:
        """The answer's bytes as Slack sent them. Raises SourceError, also where the body is not whole in time.

        Only a server that drips its headers can take longer than `timeout`: requests gives no way to watch these.
        """
        ends = time.monotonic() + timeout
        url = f"{self._url}/{kind}"
        limits = (min(CONNECT_TIMEOUT, timeout), timeout)
        try:
            with self._session.get(url, timeout=limits, allow_redirects=False, stream=True) as response:
                body = self._body(kind, response, ends)
        except requests.ConnectTimeout as error:
            raise UnavailableError(f"{self._said(kind)} could not be reached. {ASK_AGAIN}") from error
        except requests.Timeout as error:
            raise SlowAnswerError(f"{self._said(kind)} did not answer within {timeout:.0f} s. {ASK_AGAIN}") from error
        except requests.RequestException as error:
            raise UnavailableError(f"{self._said(kind)} could not be reached, or hung up. {ASK_AGAIN}") from error
        if response.status_code != requests.codes.ok or _code(body) is not None:
            raise self._failure(kind, response, _code(body))
        return body

    def _body(self, kind: Kind, response: requests.Response, ends: float) -> bytes:
        """The whole body. A timeout of requests is for each read alone, so the total is watched here."""
        chunks, size = [], 0
        try:
            # read1 gives whatever is there, without waiting for more
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                chunks.append(chunk)
                size += len(chunk)
                if size > LARGEST:
                    raise UnavailableError(f"{self._said(kind)} answered with more than {LARGEST} bytes. {CHECK_URL}")
                if time.monotonic() > ends:
                    raise SlowAnswerError(f"{self._said(kind)} took too long to answer. {ASK_AGAIN}")
        except (HTTPError, OSError) as error:
            raise SlowAnswerError(f"{self._said(kind)} broke off its answer. {ASK_AGAIN}") from error
        return b"".join(chunks)

    def _failure(self, kind: Kind, response: requests.Response, code: str | None) -> SourceError:
        status = response.status_code
        said = f"{self._said(kind)} answered with HTTP {status}" + (f", {code}" if code else "")
        if status == requests.codes.too_many_requests or code in RATE_LIMITS:
            return RateLimitedError(f"{said}. {ASK_AGAIN}", retry_after=_retry_after(response))
        if 400 <= status < 500 and status not in PASSING:
            return RefusedError(f"{said}. {CHECK_URL}")
        return UnavailableError(f"{said} and no list. {CHECK_URL if status < 400 and code is None else ASK_AGAIN}")

    def _said(self, kind: Kind) -> str:
        return f"Slack's /{kind}, asked for org {self._org},"


def _code(body: bytes) -> str | None:
    """Slack's error code, if that is what the body holds: nothing else of it may reach a message."""
    try:
        code = msgspec.json.decode(body, type=_Error).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return code if re.fullmatch(r"[a-z_]{1,64}", code) else None


def _retry_after(response: requests.Response) -> int | None:
    """Whole seconds, at least one; None where there is no usable value."""
    value = response.headers.get("Retry-After", "").strip()
    return max(1, min(int(value), LONGEST_RETRY_AFTER)) if re.fullmatch(r"[0-9]{1,9}", value) else None
