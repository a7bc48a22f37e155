"""The versions of a secret in Secrets Manager. No value appears in an error."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.errors import StorageError, VersionTakenError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretVersions:
    """One secret, by its name or ARN."""

    def __init__(self, client: "SecretsManagerClient", secret: str) -> None:
        self._client = client
        self._secret = secret

    def labels(self) -> dict[str, list[str]]:
        """The labels of each version that has one."""
        try:
            return self._client.describe_secret(SecretId=self._secret).get("VersionIdsToStages", {})
        except (ClientError, BotoCoreError) as error:
            raise self._failure("describe", error) from error

    def value_of(self, version: str) -> str | None:
        """A version's value, None while it has none."""
        try:
            return self._client.get_secret_value(SecretId=self._secret, VersionId=version).get("SecretString")
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                return None
            raise self._failure("read", error) from error
        except BotoCoreError as error:
            raise self._failure("read", error) from error

    def put(self, version: str, value: str, label: str) -> None:
        """Writes it; the same again is done once."""
        try:
            self._client.put_secret_value(
                SecretId=self._secret, ClientRequestToken=version, SecretString=value, VersionStages=[label]
            )
        except ClientError as error:
            if _code(error) == "ResourceExistsException":
                raise VersionTakenError(f"Version {version} of {self._secret} has another value.") from error
            raise self._failure("write", error) from error
        except BotoCoreError as error:
            raise self._failure("write", error) from error

    def make_current(self, version: str, *, instead_of: str) -> None:
        """Moves AWSCURRENT in one call."""
        try:
            self._client.update_secret_version_stage(
                SecretId=self._secret,
                VersionStage="AWSCURRENT",
                MoveToVersionId=version,
                RemoveFromVersionId=instead_of,
            )
        except (ClientError, BotoCoreError) as error:
            raise self._failure("move AWSCURRENT of", error) from error

    def drop_pending(self, version: str) -> None:
        """Takes the label away."""
        try:
            self._client.update_secret_version_stage(
                SecretId=self._secret, VersionStage="AWSPENDING", RemoveFromVersionId=version
            )
        except (ClientError, BotoCoreError) as error:
            raise self._failure("take AWSPENDING from", error) from error

    def _failure(self, did: str, error: Exception) -> StorageError:
        return StorageError(
            f"Could not {did} the secret {self._secret} ({error}). Check the rotation function's role and the secret's "
            "key, if it lasts."
        )


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
