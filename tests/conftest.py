"""What tests of every kind share: one AWS per worker, started when first needed, and a Slack of every test's own."""

import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local.aws import EmbeddedAws
from local.slack import Settings, StandIn
from tests.hygiene import pytest_configure, pytest_runtest_makereport, pytest_unconfigure, sweep  # noqa: F401 - hooks
from tests.stored import objects_in, records_in

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: two more than there are cores, for some tests mostly wait."""
    return (os.process_cpu_count() or 1) + 2


def pytest_sessionfinish() -> None:
    """What a function's start froze (slack_audit/loading.py) is not all that a test's process holds."""
    gc.unfreeze()


@dataclass(frozen=True)
class Clients:
    """Of the embedded AWS, made once: that takes longer than most tests."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    kinesis: "KinesisClient"
    secrets: "SecretsManagerClient"


@dataclass(frozen=True)
class Cloud:
    """One test's own corner of the embedded AWS: whatever it makes has a name that nobody else uses."""

    aws: EmbeddedAws
    clients: Clients
    name: str

    def bucket(self) -> str:
        self.clients.s3.create_bucket(Bucket=self.name)
        return self.name

    def table(self) -> str:
        self.clients.dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "org", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "org", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return self.name

    def stream(self) -> str:
        self.clients.kinesis.create_stream(StreamName=self.name, ShardCount=1)
        return self.name

    def secret(self, value: str | bytes) -> str:
        """Its ARN."""
        if isinstance(value, str):
            return self.clients.secrets.create_secret(Name=self.name, SecretString=value)["ARN"]
        return self.clients.secrets.create_secret(Name=self.name, SecretBinary=value)["ARN"]

    def objects(self) -> dict[str, bytes]:
        """Everything that the bucket holds."""
        return objects_in(self.clients.s3, self.name)

    def streamed(self) -> list[bytes]:
        """Everything that the stream holds, in its order."""
        return [data for _, data in records_in(self.clients.kinesis, self.name)]


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    """One for all tests of a worker; each test makes what it needs under a name of its own. No token stays in it."""
    with EmbeddedAws() as running:
        yield running
        sweep(running)


@pytest.fixture(scope="session")
def clients(aws: EmbeddedAws) -> Clients:
    return Clients(aws.client("s3"), aws.client("dynamodb"), aws.client("kinesis"), aws.client("secretsmanager"))


@pytest.fixture
def cloud(aws: EmbeddedAws, clients: Clients) -> Cloud:
    return Cloud(aws, clients, f"test-{uuid4().hex}")


@pytest.fixture
def slack() -> Iterator[StandIn]:
    """A Slack of this test alone, without a rate limit."""
    with StandIn(Settings(calls_per_minute=None)) as standin:
        yield standin
