"""The archive in S3: objects that are written once.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: `If-None-Match: *` answers 412 where an
object stands, and 409 where another write of the key is under way.
"""

import random
import time
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from slack_audit.adapters.refusals import is_lasting
from slack_audit.errors import StorageError, StorageRefusedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONFLICT_WAIT = 0.2  # seconds, doubled with every try: an earlier try of our own may still be under way
CONFLICT_TRIES = 5  # of a write that meets another one of the same key


class S3Archive:
    """One bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_new(self, key: str, body: bytes) -> bool:
        """True: S3 checked the bytes against their SHA-256 and stored them. False: an object stood there before."""
        for attempt in range(CONFLICT_TRIES):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    IfNoneMatch="*",
                    ChecksumSHA256=b64encode(sha256(body).digest()).decode(),
                    ContentType="application/gzip" if key.endswith(".gz") else "application/json",
                )
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in {"PreconditionFailed", "412"}:
                    return False
                if code not in {"ConditionalRequestConflict", "409"}:
                    raise self._failure("write", key, error) from error
                time.sleep(CONFLICT_WAIT * 2**attempt * (0.5 + random.random() / 2))
            except BotoCoreError as error:
                raise self._failure("write", key, error) from error
            else:
                return True
        raise StorageError(
            f"s3://{self._bucket}/{key} is being written by somebody else all the time. Nothing is lost: the next run "
            "goes on. If it repeats, look for a second stack that collects this organisation into this bucket."
        )

    def get(self, key: str) -> bytes | None:
        """The object's bytes, None if there is none."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise self._failure("read", key, error) from error
        except (BotoCoreError, HTTPError) as error:  # botocore lets some faults of a body through as they are
            raise self._failure("read", key, error) from error

    def exists(self, key: str) -> bool:
        """Does an object stand there?"""
        try:
            self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "NotFound", "404"}:
                return False
            raise self._failure("look for", key, error) from error
        except BotoCoreError as error:
            raise self._failure("look for", key, error) from error
        return True

    def keys(self, prefix: str, *, after: str, most: int) -> list[str]:
        """The first keys with the prefix that come after another key, in order."""
        try:
            reply = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=most)
        except (ClientError, BotoCoreError) as error:
            raise self._failure("list what follows", after or prefix, error) from error
        return [found["Key"] for found in reply.get("Contents", [])]

    def uri(self, key: str) -> str:
        """`s3://<bucket>/<key>`"""
        return f"s3://{self._bucket}/{key}"

    def _failure(self, verb: str, key: str, error: ClientError | BotoCoreError | HTTPError) -> StorageError:
        kind = StorageRefusedError if is_lasting(error) else StorageError
        return kind(
            f"Could not {verb} s3://{self._bucket}/{key} ({error}). Nothing is lost: the next run goes on from there. "
            "If it repeats, check the function's role, the bucket and its policy."
        )
