"""Slack's `oauth.v2.access` with a refresh token: one call, a new pair or the class of its failure.

https://docs.slack.dev/authentication/using-token-rotation and https://docs.slack.dev/reference/methods/oauth.v2.access:
errors come with HTTP 200, `"ok": false` and a code. A refreshed user token stands on top of the answer, as Slack's own
SDKs expect it; where `authed_user` has one, as after an installation with a bot, it is that one.
"""

import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from urllib3 import BaseHTTPResponse, make_headers
from urllib3.exceptions import ConnectTimeoutError, HTTPError
from urllib3.exceptions import TimeoutError as NoAnswerError

from slack_audit.adapters import web
from slack_audit.credentials import Credentials, Pair
from slack_audit.errors import (
    RateLimitedError,
    RefusedError,
    SlowAnswerError,
    SourceError,
    TokenRefusedError,
    UnavailableError,
)

FORM = "application/x-www-form-urlencoded"
CHUNK = 1 << 16  # bytes read between two looks at the clock
LARGEST = 1 << 20  # bytes; an answer has about 500
LIFETIME = 43_200  # seconds that a token lives, where Slack does not say it; it documents no other figure

PASSING = {
    "fatal_error",
    "internal_error",
    "org_login_required",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
}
SPENT = (
    "The refresh token in the secret was used before, was revoked, or is another app's. Have an organisation owner "
    "install the app again, and put its new token and refresh token into the secret: docs/token.md."
)
CHECK_CLIENT = (
    "Copy client_id and client_secret from the app's page Basic Information into the secret. The refresh token was not "
    "used up."
)
ADVICE = {
    "account_inactive": SPENT,
    "bad_client_secret": CHECK_CLIENT,
    "invalid_auth": SPENT,
    "invalid_client_id": CHECK_CLIENT,
    "invalid_refresh_token": SPENT,
    "token_expired": SPENT,
    "token_revoked": SPENT,
}
LOOK_UP = "See https://docs.slack.dev/reference/methods/oauth.v2.access for what it means."
CHECK_URL = "Check SlackOauthUrl: it is https://slack.com/api/oauth.v2.access, on GovSlack of slack-gov.com."
ASK_AGAIN = "It is asked again, also by the next try; if it lasts, see https://slack-status.com."


class _Answer(msgspec.Struct):
    """Of no field's type anything is assumed: the only copy of the new tokens may stand beside an odd one."""

    ok: Any = None
    error: Any = None
    access_token: Any = None
    refresh_token: Any = None
    expires_in: Any = None
    authed_user: Any = None


class SlackOAuth:
    """The method at its address."""

    def __init__(self, url: str, version: str) -> None:
        self._url = url
        self._web = web.Web(version)

    def refresh(self, credentials: Credentials, timeout: float) -> Pair:
        """A new pair, within `timeout` seconds for everything. Raises SourceError."""
        ends = time.monotonic() + timeout
        form = urlencode({"grant_type": "refresh_token", "refresh_token": credentials.refresh_token})
        basic = make_headers(basic_auth=":".join(credentials.client))["authorization"]
        headers = {"Content-Type": FORM, "Authorization": basic}
        try:
            with self._web.ask("POST", self._url, timeout, headers=headers, body=form) as response:
                return _pair(response, _body(response, ends))
        except ConnectTimeoutError as error:
            raise UnavailableError(f"Slack could not be asked for a new token. {ASK_AGAIN}") from error
        except NoAnswerError as error:
            raise UnavailableError(f"Slack gave no new token within {timeout:.0f} s. {ASK_AGAIN}") from error
        except HTTPError as error:
            raise UnavailableError(f"Slack could not be asked for a new token, or hung up. {ASK_AGAIN}") from error


def _body(response: BaseHTTPResponse, ends: float) -> bytes:
    try:
        return web.body(response, ends, chunk=CHUNK, largest=LARGEST)
    except (web.TooSlowError, web.TooLargeError) as error:
        raise SlowAnswerError(f"Slack's answer with a new token took too long to arrive. {ASK_AGAIN}") from error
    except web.BrokenOffError as error:
        raise SlowAnswerError(f"Slack's answer with a new token broke off. {ASK_AGAIN}") from error


def _pair(response: BaseHTTPResponse, body: bytes) -> Pair:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = _Answer()
    if response.status != HTTPStatus.OK or answer.ok is not True:
        raise _failure(response, answer.error)
    user = answer.authed_user if isinstance(answer.authed_user, dict) else {}
    found = _pair_of(user.get) or _pair_of(partial(getattr, answer))
    if found is None:
        raise UnavailableError(f"Slack's answer holds no new token. {ASK_AGAIN}")
    return found


def _pair_of(value: Callable[[str], Any]) -> Pair | None:
    """What stands under the three names, if both tokens do."""
    access, refresh, seconds = (value(name) for name in ("access_token", "refresh_token", "expires_in"))
    if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        return None
    return Pair(access, refresh, seconds if type(seconds) is int and seconds > 0 else LIFETIME)


def _failure(response: BaseHTTPResponse, error: Any) -> SourceError:
    status = response.status
    code = web.code_of(error)
    said = f"Slack gave no new token: HTTP {status}" + (f", {code}" if code else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in web.RATE_LIMITS:
        return RateLimitedError(f"{said}. {ASK_AGAIN}", retry_after=web.retry_after(response))
    if code in PASSING or status >= 500 or status in web.PASSING:
        return UnavailableError(f"{said}. {ASK_AGAIN}")
    if ADVICE.get(code or "") is SPENT:
        return TokenRefusedError(f"{said}. {SPENT}")
    if code is not None:
        return RefusedError(f"{said}. {ADVICE.get(code, LOOK_UP)}")
    if 400 <= status < 500:
        return RefusedError(f"{said}. {CHECK_URL}")
    return UnavailableError(f"{said} and no answer of the API's. {CHECK_URL} {ASK_AGAIN}")
