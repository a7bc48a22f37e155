"""What stands in a bucket and in a stream, as any AWS client reads it."""

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

TIMEOUT = 10.0  # seconds


def objects_in(s3: "S3Client", bucket: str) -> dict[str, bytes]:
    """Every object of the bucket.

    An embedded AWS that enforces no roles is asked without a signature: botocore takes four times as long, and the
    tests read a lot.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    if s3.meta.endpoint_url.startswith("https:"):
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    with urllib3.PoolManager(timeout=TIMEOUT, retries=False) as pool:
        answers = {key: pool.request("GET", f"{s3.meta.endpoint_url}/{bucket}/{quote(key)}") for key in keys}
    wrong = {key: answer.status for key, answer in answers.items() if answer.status != HTTPStatus.OK}
    assert not wrong, wrong
    return {key: answer.data for key, answer in answers.items()}


def records_in(kinesis: "KinesisClient", stream: str) -> list[tuple[str, bytes]]:
    """Partition key and data of every record of the stream, in the order of each shard."""
    found: list[tuple[str, bytes]] = []
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        place = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while records := (reply := kinesis.get_records(ShardIterator=place, Limit=10_000))["Records"]:
            found += [(record["PartitionKey"], record["Data"]) for record in records]
            place = reply["NextShardIterator"]
    return found
