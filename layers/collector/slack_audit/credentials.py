"""What the secret of a rotated token holds, and what becomes of it with a new pair. Nothing here shows it."""

import re
from hashlib import sha256
from typing import Any, override

import msgspec

from slack_audit.errors import RotationError

FORM = '{"token": "xoxe.xoxp-...", "refresh_token": "xoxe-...", "client_id": "...", "client_secret": "..."}'
NAMES = ("token", "refresh_token", "client_id", "client_secret")


class Pair(msgspec.Struct, frozen=True):
    """A new access token and the refresh token that replaces it one day; `expires_in` is in seconds."""

    token: str
    refresh_token: str
    expires_in: int

    @override
    def __repr__(self) -> str:
        return "Pair(…)"


class Credentials(msgspec.Struct, frozen=True):
    """One value of the secret. `fields` is all of it: what a person added stays in it."""

    fields: dict[str, Any]

    @override
    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def token(self) -> str:
        """With which `/logs` is asked."""
        return str(self.fields["token"])

    @property
    def refresh_token(self) -> str:
        """What the next pair is bought with: it can be spent once."""
        return str(self.fields["refresh_token"])

    @property
    def client(self) -> tuple[str, str]:
        """The app's id and secret."""
        return str(self.fields["client_id"]), str(self.fields["client_secret"])

    def renewed(self, pair: Pair, now: float) -> "Credentials":
        """The next value. `spent` is the digest of the refresh token that it was bought with."""
        fresh = {"token": pair.token, "refresh_token": pair.refresh_token, "expires_at": int(now) + pair.expires_in}
        return Credentials({**self.fields, **fresh, "spent": _digest(self.refresh_token)})

    def is_over(self, now: float) -> bool:
        """Has its token expired, as far as it says when?"""
        ends = self.fields.get("expires_at")
        return type(ends) is int and ends <= now

    def follows(self, other: "Credentials") -> bool:
        """Was this bought with the refresh token of the other?"""
        return self.fields.get("spent") == _digest(other.refresh_token)

    def encode(self) -> str:
        """As the secret holds it."""
        return msgspec.json.encode(self.fields).decode()


def credentials_of(value: str, secret: str) -> Credentials:
    """Reads the secret's value; raises RotationError, which says what is missing and shows nothing of it."""
    try:
        fields = msgspec.json.decode(value, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _unusable(secret, "it is not a JSON object") from None
    for name in NAMES:
        text = fields.get(name)
        if not isinstance(text, str) or not re.fullmatch(r"[!-~]+", text.strip()):
            raise _unusable(secret, f"its {name} is missing, empty, or holds characters that none has")
    return Credentials({**fields, **{name: fields[name].strip() for name in NAMES}})


def _unusable(secret: str, why: str) -> RotationError:
    return RotationError(
        f"The value of the secret {secret} cannot be rotated: {why}. Put one of the form {FORM} into it, or, if the "
        "app does not use token rotation, deploy with TokenRotation=off."
    )


def _digest(refresh_token: str) -> str:
    return sha256(refresh_token.encode()).hexdigest()
