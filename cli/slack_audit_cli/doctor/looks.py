"""Looking at something, and what it means where that fails: a finding, too, and never a traceback."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.check import Finding, Outcome

CALLS = Config(connect_timeout=3, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})
CHECKS = Config(connect_timeout=3, read_timeout=150, retries={"mode": "standard", "total_max_attempts": 1})

# What a person must be allowed for each look, by the call's name; docs/doctor.md has them as a policy.
NEEDS = {
    "DescribeStacks": "cloudformation:DescribeStacks",
    "ListStackResources": "cloudformation:ListStackResources",
    "GetBucketVersioning": "s3:GetBucketVersioning",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "DescribeTable": "dynamodb:DescribeTable",
    "DescribeContinuousBackups": "dynamodb:DescribeContinuousBackups",
    "GetItem": "dynamodb:GetItem",
    "DescribeStreamSummary": "kinesis:DescribeStreamSummary",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "ListSchedules": "scheduler:ListSchedules",
    "DescribeAlarms": "cloudwatch:DescribeAlarms",
    "GetFunctionConfiguration": "lambda:GetFunctionConfiguration",
    "Invoke": "lambda:InvokeFunction",
    "FilterLogEvents": "logs:FilterLogEvents",
}
FORBIDDEN = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
LOG_IN = {
    "InvalidClientTokenId": "AWS does not know these credentials: log in again, or name another --profile.",
    "UnrecognizedClientException": "AWS does not know these credentials: log in again, or name another --profile.",
    "InvalidAccessKeyId": "AWS does not know these credentials: log in again, or name another --profile.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key: check the credentials.",
    "ExpiredToken": "These credentials have expired: log in again.",
    "ExpiredTokenException": "These credentials have expired: log in again.",
    "RequestExpired": "Set this machine's clock (NTP), or log in again.",
    "NoCredentialsError": "Log in (aws sso login, aws configure), or name a --profile.",
    "PartialCredentialsError": "Complete the credentials (aws configure), or name a --profile.",
    "CredentialRetrievalError": "Log in again (aws sso login), or name another --profile.",
    "UnauthorizedSSOTokenError": "Log in again: aws sso login.",
    "SSOTokenLoadError": "Log in: aws sso login.",
    "TokenRetrievalError": "Log in again: aws sso login.",
    "ProfileNotFound": "Check the name of the profile.",
    "NoRegionError": "Name a --region, or set one with aws configure.",
}
GONE = {
    "ResourceNotFoundException",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "404",
}
GONE_ADVICE = "It was deleted behind the stack's back. Restore it, or make it again under the same name."

MOST_NAMES = 3


class Section(msgspec.Struct, frozen=True):
    """Findings that belong together."""

    name: str
    findings: list[Finding]


class Account:
    """The AWS that is looked at, as the options name it. Raises ValueError and BotoCoreError for what is no such."""

    def __init__(self, region: str | None, profile: str | None, endpoint_url: str | None) -> None:
        import boto3  # noqa: PLC0415 - half a second, which the commands that need its words only do not need

        self.session: Any = boto3.Session(profile_name=profile, region_name=region)
        self.region: str | None = self.session.region_name
        self.endpoint_url = endpoint_url
        self.client = cache(self._client)

    def _client(self, service: str) -> Any:
        config = CHECKS if service == "lambda" else CALLS
        return self.session.client(service, endpoint_url=self.endpoint_url, config=config)


def some(names: list[str]) -> str:
    """The first of them, and how many more there are."""
    return ", ".join([*names[:MOST_NAMES], *([f"and {len(names) - MOST_NAMES} more"] if names[MOST_NAMES:] else [])])


def looked(name: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, and one more where looking fails."""
    try:
        yield from findings
    except (ClientError, BotoCoreError) as error:
        yield meaning(name, error)


def meaning(name: str, error: ClientError | BotoCoreError) -> Finding:
    """What it means that something could not be looked at."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    said = f"{error}".rstrip(".") + "."
    if code in LOG_IN:
        return Finding(name, Outcome.FAILED, said, LOG_IN[code])
    if isinstance(error, ClientError) and code in FORBIDDEN:
        needed = NEEDS.get(error.operation_name, error.operation_name)
        return Finding(name, Outcome.UNKNOWN, f"You may not look at it: that needs {needed}.", f"AWS says: {said}")
    if code in GONE:
        return Finding(name, Outcome.FAILED, said, GONE_ADVICE)
    return Finding(name, Outcome.UNKNOWN, said, "Try again; check the network, the region and --endpoint-url.")
