"""Slack's token rotation: what `oauth.v2.access` does with a refresh token, and which of its tokens still live.

Documented: an access token lives 12 hours; a refresh token is used once, and revoked "after a short grace period"; an
installation has two active access tokens at most, the oldest of more is revoked; refreshing leaves the others as they
are. How long the grace period is, and what a second use within it brings, is our assumption: another pair.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.slack.answers import JSON, Answer, wire
from local.slack.calls import Call
from local.slack.settings import Settings

PATH = "/api/oauth.v2.access"
MOST_ACTIVE = 2  # access tokens of an installation

# What this method answers with 200 and "ok": false.
ERRORS = ("bad_client_secret", "invalid_client_id", "invalid_grant_type", "invalid_refresh_token")


class OAuthError(Exception):
    """Slack answers `{"ok": false, "error": code}`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Access:
    """An access token, and when it ends."""

    token: str
    ends: float


@dataclass(slots=True)
class _Installation:
    """An app that an owner has installed: its active access tokens, oldest first, and when each refresh token was
    first used."""

    active: list[_Access] = field(default_factory=list)
    used: dict[str, float | None] = field(default_factory=dict)


class OAuth:
    """All installations with token rotation."""

    def __init__(self) -> None:
        self._installations: list[_Installation] = []
        self._ended: dict[str, str] = {}  # token → the code with which it is refused

    def install(self, settings: Settings, now: float) -> dict[str, Any]:
        """An owner installs the app: what its developer then knows, in the form of our secret."""
        installation = _Installation()
        self._installations.append(installation)
        pair = self._issue(installation, settings, now)
        return {
            "token": pair["access_token"],
            "refresh_token": pair["refresh_token"],
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "expires_at": int(now + pair["expires_in"]),
        }

    def refusal(self, token: str, now: float) -> str | None:
        """The code with which the Audit Logs API refuses the token; None if it is a living one of ours."""
        for installation in self._installations:
            self._expire(installation, now)
            if any(it.token == token for it in installation.active):
                return None
        return self._ended.get(token, "invalid_authentication")

    def answer(self, call: Call, settings: Settings, now: float) -> Answer:
        """The answer to a call of the method."""
        try:
            body = self._refresh(call, settings, now)
        except OAuthError as error:
            body = {"ok": False, "error": error.code}
        return Answer(200, wire(body), {"Content-Type": JSON})

    def _refresh(self, call: Call, settings: Settings, now: float) -> dict[str, Any]:
        client_id, client_secret = _client(call)
        if client_id != settings.client_id:
            raise OAuthError("invalid_client_id")
        if client_secret != settings.client_secret:
            raise OAuthError("bad_client_secret")
        if call.form.get("grant_type") != "refresh_token":
            raise OAuthError("invalid_grant_type")
        installation = self._use(call.form.get("refresh_token", ""), settings.refresh_grace, now)
        return _told(self._issue(installation, settings, now), settings)

    def _use(self, refresh_token: str, grace: float, now: float) -> _Installation:
        """Whose refresh token this is. From its first use on it lives for the grace period only."""
        for installation in self._installations:
            if refresh_token in installation.used:
                first = installation.used[refresh_token]
                if first is not None and now - first > grace:
                    break
                installation.used[refresh_token] = now if first is None else first
                return installation
        raise OAuthError("invalid_refresh_token")

    def _issue(self, installation: _Installation, settings: Settings, now: float) -> dict[str, Any]:
        token, refresh_token = (f"{kind}-1-standin-{secrets.token_hex(8)}" for kind in ("xoxe.xoxp", "xoxe"))
        self._expire(installation, now)
        installation.active.append(_Access(token, now + settings.token_life))
        installation.used[refresh_token] = None
        for revoked in installation.active[:-MOST_ACTIVE]:
            self._ended[revoked.token] = "token_revoked"
        del installation.active[:-MOST_ACTIVE]
        return {"access_token": token, "expires_in": settings.token_life, "refresh_token": refresh_token}

    def _expire(self, installation: _Installation, now: float) -> None:
        for access in installation.active:
            if access.ends <= now:
                self._ended[access.token] = "token_expired"
        installation.active = [access for access in installation.active if access.ends > now]


def _told(pair: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The pair on top, as Slack's SDKs expect it of a user token, or in `authed_user`, as after an installation."""
    user = {"scope": "auditlogs:read", "token_type": "user", **pair}
    common = {"ok": True, "app_id": "A0STANDIN", "team": None, "enterprise": {"id": "E0STANDIN"}}
    if settings.authed_user:
        return {**common, "authed_user": {"id": "W0STANDIN", **user}}
    return {**common, **user, "is_enterprise_install": True}


def _client(call: Call) -> tuple[str, str]:
    """Id and secret, from HTTP Basic authentication, as Slack recommends it, or from the form."""
    scheme, _, encoded = (call.authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return call.form.get("client_id", ""), call.form.get("client_secret", "")
    try:
        client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # not base64, or not text
        return "", ""
    return client_id, client_secret
