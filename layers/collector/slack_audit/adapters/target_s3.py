"""A prefix of a bucket as the target of a replay: an object for each batch, with those of its lines that are wanted.

The same replay writes the same bytes to the same keys, so a repeated write changes nothing.
"""

import sys
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.adapters.refusals import is_lasting
from slack_audit.batches import Record, SinkLimits, pack
from slack_audit.errors import SinkRefusedError, SinkUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# An object takes any number of lines of any size and any id, so no event needs a pointer and a batch is one call.
UNBOUNDED = SinkLimits(
    records=sys.maxsize, call_bytes=sys.maxsize, record_bytes=sys.maxsize, key_characters=sys.maxsize
)
ADVICE = (
    "Check the bucket, its policy and its key, and that ReplayBucketArns and ReplayKeyArns of the stack name them; "
    "then resume the replay."
)


class ObjectSink:
    """`<prefix>replay=<replay id>/org=<org>/dt=<day>/<file name of the batch>`: the wanted lines of one batch."""

    limits = UNBOUNDED

    def __init__(self, client: "S3Client", bucket: str, prefix: str, replay_id: str, batch: str) -> None:
        self._client = client
        self._bucket = bucket
        self._replay_id = replay_id
        self._batch = batch
        self._key = f"{prefix}replay={replay_id}/{batch.removeprefix('raw/')}"

    def put(self, records: Sequence[Record]) -> list[Record]:
        """Writes the object; S3 checks its bytes. Returns nothing: it is written whole or not at all."""
        body = pack(record.data for record in records)
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key,
                Body=body,
                ChecksumSHA256=b64encode(sha256(body).digest()).decode(),
                ContentType="application/gzip",
                Metadata={"replay-id": self._replay_id, "batch": self._batch, "events": str(len(records))},
            )
        except ClientError as error:
            where = f"s3://{self._bucket}/{self._key}"
            if not is_lasting(error):
                raise SinkUnavailableError(f"{where} was not written: {error}") from error
            raise SinkRefusedError(f"{where} was refused ({error}). {ADVICE}") from error
        except BotoCoreError as error:
            raise SinkUnavailableError(f"Bucket {self._bucket} did not answer: {error}") from error
        return []
