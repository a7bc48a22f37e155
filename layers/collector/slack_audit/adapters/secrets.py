"""The token in Secrets Manager, as JSON `{"token": "xoxp-..."}`. Its value appears in no error."""

import re
import time
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.errors import RefusedError, SourceError, TokenMissingError, TokenRefusedError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

PERMANENT = {
    "AccessDeniedException",
    "DecryptionFailure",
    "InvalidParameterException",
    "InvalidRequestException",
    "KMSAccessDeniedException",
}
MAX_AGE = 300  # seconds that a token is kept before the secret is read again


class _Secret(msgspec.Struct):
    token: str


class SecretToken:
    """The token of one org's secret, cached between runs of a warm function."""

    def __init__(self, client: "SecretsManagerClient", secret: str) -> None:
        self._client = client
        self._secret = secret
        self._value: str | bytes | None = None
        self._read_at = float("-inf")

    def __call__(self, fresh: bool = False) -> str:
        """The token; read from the secret itself if `fresh`. Raises SourceError."""
        now = time.time()  # a clock that also goes on while the function is frozen
        if fresh or now - self._read_at >= MAX_AGE:
            self._value, self._read_at = self._read(), now
        return self._token_of(self._value)

    def _read(self) -> str | bytes | None:
        try:
            reply = self._client.get_secret_value(SecretId=self._secret)
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from None
        return reply.get("SecretString", reply.get("SecretBinary"))

    def _token_of(self, value: str | bytes | None) -> str:
        if not value:
            raise TokenMissingError(self._said("it has no value yet"))
        try:
            token = msgspec.json.decode(value, type=_Secret).token.strip()
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._unusable('its value is not JSON of the form {"token": "xoxp-..."}') from None
        if not re.fullmatch(r"[!-~]+", token):
            raise self._unusable("its token is empty or holds characters that no token has")
        return token

    def _failure(self, error: ClientError | BotoCoreError) -> SourceError:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code == "ResourceNotFoundException":
            return TokenMissingError(self._said("it has no value yet, or does not exist"))
        said = f"Could not read the secret {self._secret} ({error})."
        if code in PERMANENT:
            return RefusedError(f"{said} Check the function's role, the secret and its key.")
        return UnavailableError(f"{said} It is tried again, also by the next run.")

    def _unusable(self, why: str) -> TokenRefusedError:
        return TokenRefusedError(self._said(why))

    def _said(self, why: str) -> str:
        return (
            f"The secret {self._secret} gives no token: {why}. Put one with: aws secretsmanager put-secret-value "
            f"--secret-id '{self._secret}' --secret-string '{{\"token\": \"xoxp-...\"}}'"
        )
