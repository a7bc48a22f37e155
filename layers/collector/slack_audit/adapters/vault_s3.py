"""An archive in S3, only read: listed page by page, fetched a few objects ahead."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from slack_audit.errors import StorageError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREADS = 16  # of one `get_many`; two of them may be on their way at once, one for the log and one for the batches
CLIENT = Config(  # for the client: every call ends, and no thread waits for a connection
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=2 * THREADS,
    response_checksum_validation="when_required",  # whoever reads from here checks SHA-256 anyway
)
AHEAD = 32  # objects that are fetched or wait to be looked at: what bounds the memory

ADVICE = {
    "NoSuchBucket": "Check the bucket's name, and the account and region of these credentials.",
    "PermanentRedirect": "The bucket is in another region: name it with --region.",
    "AccessDenied": "These credentials need s3:ListBucket on the bucket and s3:GetObject on its log/ and raw/.",
    "403": "These credentials need s3:ListBucket on the bucket and s3:GetObject on its log/ and raw/.",
    "InvalidAccessKeyId": "AWS does not know these credentials: log in again, or name another --profile.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key: check the credentials.",
    "ExpiredToken": "These credentials have expired: log in again.",
    "InvalidObjectState": "The object was moved to a colder storage class: restore it first, or verify a copy.",
    "NoCredentialsError": "Log in (aws sso login, aws configure), or name a --profile.",
    "ProfileNotFound": "Check the name of the profile.",
    "EndpointConnectionError": "Check the network, the region and --endpoint-url.",
}
OTHERWISE = "Try again; if it repeats, check the bucket and its policy."


class S3Vault:
    """One bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Every key with the prefix that comes after another one, in order."""
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after):
                yield from (found["Key"] for found in page.get("Contents", []))
        except (ClientError, BotoCoreError) as error:
            raise self._failure("list", prefix, error) from error

    def get(self, key: str) -> bytes | None:
        """An object's bytes, None if there is none."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise self._failure("read", key, error) from error
        except (BotoCoreError, HTTPError) as error:  # botocore lets some faults of a body through as they are
            raise self._failure("read", key, error) from error

    def get_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """The same for many, in their order."""
        waiting: deque[Future[bytes | None]] = deque()
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fetch")
        try:
            for key in keys:
                waiting.append(pool.submit(self.get, key))
                if len(waiting) == AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _failure(self, verb: str, key: str, error: ClientError | BotoCoreError | HTTPError) -> StorageError:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        return StorageError(f"Could not {verb} s3://{self._bucket}/{key} ({error}). {ADVICE.get(code, OTHERWISE)}")
