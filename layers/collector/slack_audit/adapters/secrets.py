"""The token in Secrets Manager, as JSON `{"token": "xoxp-..."}`. Its value appears in no error."""

import re
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import ClientError

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
        self._secret = secret
        self._provider = SecretsProvider(boto3_client=client)

    def __call__(self, fresh: bool = False) -> str:
        """The token; read from the secret itself if `fresh`. Raises SourceError."""
        try:
            value = self._provider.get(self._secret, max_age=MAX_AGE, force_fetch=fresh)
        except GetParameterError as error:
            raise self._failure(error) from None
        return self._token_of(value)

    def _token_of(self, value: Any) -> str:
        try:
            token: str = msgspec.json.decode(value, type=_Secret).token.strip()
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
            if not value:
                raise TokenMissingError(self._said("it has no value yet")) from None
            raise self._unusable('its value is not JSON of the form {"token": "xoxp-..."}') from None
        if not re.fullmatch(r"[!-~]+", token):
            raise self._unusable("its token is empty or holds characters that no token has")
        return token

    def _failure(self, error: GetParameterError) -> SourceError:
        cause = error.__context__
        code = cause.response["Error"]["Code"] if isinstance(cause, ClientError) else ""
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
