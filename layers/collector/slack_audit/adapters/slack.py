"""Slack's Audit Logs API: one call, its answer or the class of its failure.

https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference documents the codes; the statuses that go
with most of them are not documented, so a code counts for more than a status.
"""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from threading import Lock

import requests
from requests.auth import AuthBase

from slack_audit.adapters import web
from slack_audit.errors import (
    ActionRefusedError,
    CursorRefusedError,
    RangeRefusedError,
    RateLimitedError,
    RefusedError,
    SlowAnswerError,
    SourceError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.events import page_of
from slack_audit.ports import Answer, Query

CHUNK = 1 << 18  # bytes read between two looks at the clock

BAD_TOKENS = {
    "invalid_authentication",
    "missing_authentication",
    "not_authed",
    "invalid_auth",
    "token_revoked",
    "token_expired",
    "account_inactive",
    "access_denied",
    "not_allowed_token_type",
}
ADVICE = {
    "bad_endpoint": "Check SlackApiUrl: it is the base with its path, https://api.slack.com/audit/v1.",
    "feature_not_enabled": "Audit logs need an Enterprise organisation: check that the token is of one.",
    "invalid_action": "A name in ActionFilter is unknown to Slack or retired: compare it with the answer of /actions.",
    "invalid_workspace": "The token belongs to no workspace of the organisation: install the app on the organisation.",
    "method_not_allowed": "Check SlackApiUrl: what answers there is not the Audit Logs API.",
    "missing_scope": "Give the app the user scope auditlogs:read and have an organisation owner install it again.",
    "paid_only": "Audit logs need an Enterprise organisation: check that the token is of one.",
    "team_not_authorized": "The app is installed on a workspace: install it on the organisation, and store that token.",
    "user_not_authorized": "The app was not installed by an organisation owner: have one install it.",
}
STATUS_ADVICE = {
    400: "Check ActionFilter (an unknown or retired name refuses the whole request), ActorFilter and EntityFilter.",
    403: "Check that an organisation owner installed the app on the organisation with the scope auditlogs:read.",
    404: ADVICE["bad_endpoint"],
    405: ADVICE["method_not_allowed"],
}
NEW_TOKEN_ADVICE = (
    "Put a user token (xoxp-...) of an organisation owner with the scope auditlogs:read into the stack's secret; "  # noqa: S105
    "the next run takes it."
)
RANGE_ADVICE = (
    "On the first run: deploy with a shorter InitialLookbackHours, for Slack has no data from before the feature was "
    "enabled. Otherwise check the host's clock."
)
ASK_AGAIN = "It is asked again, also by the next run; if it lasts, see https://slack-status.com."
CHECK_URL = "If SlackApiUrl was changed, check it: redirects are not followed, and a web page is not the API."


class _Bearer(AuthBase):
    """Puts the token into the header itself, so that requests never looks for credentials elsewhere."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class SlackSource:
    """`/logs` of one organisation. `token(fresh)` gives the token, from the secret itself if `fresh`."""

    def __init__(self, url: str, org: str, token: Callable[[bool], str], version: str) -> None:
        self._url = f"{url.rstrip('/')}/logs"
        self._org = org
        self._token = token
        self._fresh = False
        self._session = web.session(version)
        self._parsing = Lock()  # a page at a time: at once they would only need more memory

    def renew_token(self) -> None:
        """The next call reads the secret anew."""
        self._fresh = True

    def read(self, query: Query, timeout: float) -> Answer:
        """One page, within `timeout` seconds for everything. Raises SourceError."""
        ends = time.monotonic() + timeout
        token, self._fresh = self._token(self._fresh), False
        try:
            with self._session.get(
                self._url,
                params=_parameters(query),
                auth=_Bearer(token),
                timeout=web.limits(timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                slack_time = _slack_time(response)
                return self._answer(query, response, self._body(response, ends), slack_time)
        except requests.ConnectTimeout as error:
            raise UnavailableError(f"Slack could not be reached for org {self._org}. {ASK_AGAIN}") from error
        except requests.Timeout as error:
            said = f"Slack did not answer org {self._org} within {timeout:.0f} s."
            raise SlowAnswerError(f"{said} {ASK_AGAIN}") from error
        except requests.RequestException as error:
            said = f"Slack could not be reached for org {self._org}, or hung up."
            raise UnavailableError(f"{said} {ASK_AGAIN}") from error

    def _body(self, response: requests.Response, ends: float) -> bytes:
        try:
            return web.body(response, ends, chunk=CHUNK)
        except web.TooSlowError as error:
            raise SlowAnswerError(f"Slack's answer to org {self._org} took too long to arrive. {ASK_AGAIN}") from error
        except web.BrokenOffError as error:
            raise SlowAnswerError(f"Slack's answer to org {self._org} broke off. {ASK_AGAIN}") from error

    def _answer(self, query: Query, response: requests.Response, body: bytes, slack_time: int | None) -> Answer:
        cause: ValueError | None = None
        if response.status_code == requests.codes.ok:
            try:
                with self._parsing:
                    page = page_of(body)
                return Answer(page.events, page.next_cursor, slack_time)
            except ValueError as error:
                cause = error
        failure = self._failure(query, response, body, slack_time)
        failure.status = response.status_code
        raise failure from cause

    def _failure(self, query: Query, response: requests.Response, body: bytes, slack_time: int | None) -> SourceError:
        """What an answer without a page means."""
        status, code = response.status_code, web.error_in(body)
        said = f"Slack answered org {self._org} with HTTP {status}" + (f", {code}" if code else "")
        if status == requests.codes.too_many_requests or code in web.RATE_LIMITS:
            wait = web.retry_after(response)
            return RateLimitedError(f"{said}. {ASK_AGAIN}", retry_after=wait, slack_time=slack_time)
        if code == "invalid_cursor" or (status == requests.codes.bad_request and code is None and query.cursor):
            return CursorRefusedError(f"{said}: the cursor is not accepted.", slack_time=slack_time)
        if code == "invalid_range":
            return RangeRefusedError(f"{said} for {query.window}. {RANGE_ADVICE}", slack_time=slack_time)
        if code in BAD_TOKENS or (status == requests.codes.unauthorized and code not in ADVICE):
            return TokenRefusedError(f"{said}: the token is not accepted. {NEW_TOKEN_ADVICE}", slack_time=slack_time)
        advice = _advice(status, code)
        if code == "invalid_action" or (status == requests.codes.bad_request and code is None and query.filters.action):
            return ActionRefusedError(f"{said}. {advice}", slack_time=slack_time)
        if advice is not None:
            return RefusedError(f"{said}. {advice}", slack_time=slack_time)
        hint = ASK_AGAIN if status >= 500 or code is not None else f"{CHECK_URL} {ASK_AGAIN}"
        return UnavailableError(f"{said} and no list of entries. {hint}", slack_time=slack_time)


def _advice(status: int, code: str | None) -> str | None:
    """What a person must do about a refusal; None if it goes away by itself."""
    if code in ADVICE:
        return ADVICE[code]
    if 400 <= status < 500 and status not in web.PASSING:
        return STATUS_ADVICE.get(status, "Check SlackApiUrl and the organisation's app.")
    return None


def _parameters(query: Query) -> dict[str, str]:
    """Plain integers always: Slack reads nothing else as seconds."""
    parameters = {"limit": str(query.limit)}
    if query.window is not None:
        parameters |= {"oldest": str(query.window.lo), "latest": str(query.window.hi)}
    filters = {"action": query.filters.action, "actor": query.filters.actor, "entity": query.filters.entity}
    parameters |= {name: value for name, value in filters.items() if value}
    return parameters | ({"cursor": query.cursor} if query.cursor else {})


def _slack_time(response: requests.Response) -> int | None:
    """Slack's clock, from the Date header."""
    try:
        return int(parsedate_to_datetime(response.headers.get("Date", "")).timestamp())
    except (ValueError, OverflowError):
        return None
