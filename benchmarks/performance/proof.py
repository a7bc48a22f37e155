"""That a measurement did its work: every event of the history archived, once; at least as many records published."""

from typing import Any

import boto3
from botocore.config import Config

from benchmarks.performance.stage import BUCKET, Servers
from slack_audit.adapters.vault_s3 import CLIENT, S3Vault
from slack_audit.verify.prove import prove as proof_of


class NotProvenError(Exception):
    """What was measured did something else than it should."""


def prove(at: Servers, events: int, *, records: int, arrived: int) -> int:
    """How many records are in the stream again: some, where a call was not answered in time. Raises NotProvenError.

    To be called after everything is measured: it needs memory of its own.
    """
    proof = proof_of("main", S3Vault(client_of("s3", at), BUCKET))
    if not proof.proven:
        raise NotProvenError(f"the verifier does not prove the archive: {proof.findings[:5]}")
    if proof.coverage.events != events:
        raise NotProvenError(f"{proof.coverage.events:,} events are archived, of {events:,}")
    if arrived < records or (arrived and not records):
        raise NotProvenError(f"{arrived:,} records are in the stream, of {records:,}")
    return arrived - records


def client_of(service: str, at: Servers) -> Any:
    """A client of the wire that calls it directly, whatever the environment says of proxies and endpoints."""
    return boto3.Session("test", "test", region_name="us-east-1").client(  # type: ignore[call-overload]  # any service
        service, endpoint_url=at.aws, config=CLIENT.merge(Config(proxies={}))
    )
