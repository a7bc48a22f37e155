"""What Slack's Audit Logs API says of itself, to anybody: `/actions` and `/schemas`. No token is ever sent there."""

import time
from http import HTTPStatus

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError
from urllib3.exceptions import TimeoutError as NoAnswerError

from slack_audit.adapters import web
from slack_audit.catalog import Kind
from slack_audit.errors import RateLimitedError, RefusedError, SlowAnswerError, SourceError, UnavailableError

CHUNK = 1 << 16  # bytes read between two looks at the clock
LARGEST = 1 << 20  # bytes; `/actions` has 30,000 and `/schemas` 4,000
ASK_AGAIN = "It is asked again by the next run; if it lasts, see https://slack-status.com."
CHECK_URL = "Check SlackApiUrl: it is the base with its path, https://api.slack.com/audit/v1."


class SlackCatalog:
    """`/actions` and `/schemas`, as one organisation's collector sees them."""

    def __init__(self, url: str, org: str, version: str) -> None:
        self._url = url.rstrip("/")
        self._org = org
        self._web = web.Web(version)

    def read(self, kind: Kind, timeout: float) -> bytes:
        """The answer's bytes as Slack sent them. Raises SourceError, also where the body is not whole in time.

        Only a server that drips its headers can take longer than `timeout`: urllib3 gives no way to watch these.
        """
        ends = time.monotonic() + timeout
        url = f"{self._url}/{kind}"
        try:
            with self._web.ask("GET", url, timeout) as response:
                body = self._body(kind, response, ends)
        except ConnectTimeoutError as error:
            raise UnavailableError(f"{self._said(kind)} could not be reached. {ASK_AGAIN}") from error
        except NoAnswerError as error:
            raise SlowAnswerError(f"{self._said(kind)} did not answer within {timeout:.0f} s. {ASK_AGAIN}") from error
        except HTTPError as error:
            raise UnavailableError(f"{self._said(kind)} could not be reached, or hung up. {ASK_AGAIN}") from error
        code = web.error_in(body)
        if response.status != HTTPStatus.OK or code is not None:
            raise self._failure(kind, response, code)
        return body

    def _body(self, kind: Kind, response: BaseHTTPResponse, ends: float) -> bytes:
        said = self._said(kind)
        try:
            return web.body(response, ends, chunk=CHUNK, largest=LARGEST)
        except web.TooLargeError as error:
            raise UnavailableError(f"{said} answered with more than {LARGEST} bytes. {CHECK_URL}") from error
        except web.TooSlowError as error:
            raise SlowAnswerError(f"{said} took too long to answer. {ASK_AGAIN}") from error
        except web.BrokenOffError as error:
            raise SlowAnswerError(f"{said} broke off its answer. {ASK_AGAIN}") from error

    def _failure(self, kind: Kind, response: BaseHTTPResponse, code: str | None) -> SourceError:
        status = response.status
        said = f"{self._said(kind)} answered with HTTP {status}" + (f", {code}" if code else "")
        if status == HTTPStatus.TOO_MANY_REQUESTS or code in web.RATE_LIMITS:
            return RateLimitedError(f"{said}. {ASK_AGAIN}", retry_after=web.retry_after(response))
        if 400 <= status < 500 and status not in web.PASSING:
            return RefusedError(f"{said}. {CHECK_URL}")
        return UnavailableError(f"{said} and no list. {CHECK_URL if status < 400 and code is None else ASK_AGAIN}")

    def _said(self, kind: Kind) -> str:
        return f"Slack's /{kind}, asked for org {self._org},"
