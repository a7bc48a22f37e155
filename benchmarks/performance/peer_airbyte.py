"""Airbyte's low-code CDK with a manifest as its documents show it. Started by `peers`.

The CDK has no destination, and Airbyte's own for S3 is no Python package: behind the source stand gzip and boto3, an
object for each page's worth of records. Records are taken as objects, not as the lines of text that Airbyte's
platform would pass from one process to another; there is no incremental cursor that would look at each of them, and no
schema that they would be checked against.
"""

import logging
import os
import zlib
from collections.abc import Iterator
from typing import Any

from benchmarks.performance.peer import PAGE, asked, told
from benchmarks.performance.services import TOKEN
from benchmarks.performance.stage import BUCKET, HOUR, Servers

os.environ["DO_NOT_TRACK"] = "1"

import boto3
import orjson
from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

GZIP, LEVEL = 31, 6
STREAM = "logs"


def manifest(slack: str, oldest: int, latest: int, workers: int) -> dict[str, Any]:
    """The source, as it would stand in a manifest.yaml."""
    cursor = "{{ response.get('response_metadata', {}).get('next_cursor', '') }}"
    option = {"type": "RequestOption", "inject_into": "request_parameter"}
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [STREAM]},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": workers},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": STREAM,
                "primary_key": "id",
                "schema_loader": {
                    "type": "InlineSchemaLoader",
                    "schema": {"type": "object", "additionalProperties": True, "properties": {}},
                },
                "retriever": {
                    "type": "SimpleRetriever",
                    "requester": {
                        "type": "HttpRequester",
                        "url_base": f"{slack}/audit/v1/",
                        "path": "logs",
                        "http_method": "GET",
                        "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['token'] }}"},
                        "request_parameters": {"oldest": str(oldest), "latest": str(latest)},
                    },
                    "record_selector": {
                        "type": "RecordSelector",
                        "extractor": {"type": "DpathExtractor", "field_path": ["entries"]},
                    },
                    "paginator": {
                        "type": "DefaultPaginator",
                        "page_size_option": {**option, "field_name": "limit"},
                        "page_token_option": {**option, "field_name": "cursor"},
                        "pagination_strategy": {
                            "type": "CursorPagination",
                            "page_size": PAGE,
                            "cursor_value": cursor,
                            "stop_condition": "{{ not response.get('response_metadata', {}).get('next_cursor') }}",
                        },
                    },
                },
            }
        ],
    }


def main() -> None:
    """One sync, after one of the events of a second: what is loaded once, is."""
    wanted = asked()
    s3 = boto3.client("s3", endpoint_url=wanted.aws)
    s3.put_object(Bucket=BUCKET, Key="first", Body=b"")
    second = wanted.latest - HOUR // 2
    list(records(manifest(wanted.slack, second, second, wanted.workers)))
    with told(Servers(wanted.aws, wanted.slack)):
        lines: list[bytes] = []
        number = 0
        for record in records(manifest(wanted.slack, wanted.oldest, wanted.latest, wanted.workers)):
            lines.append(orjson.dumps(record))
            if len(lines) == PAGE:
                _put(s3, number, lines)
                lines, number = [], number + 1
        _put(s3, number, lines)


def records(written: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a sync of the manifest's stream gives."""
    config = {"token": TOKEN}
    stream = AirbyteStream(name=STREAM, json_schema={}, supported_sync_modes=[SyncMode.full_refresh])
    configured = ConfiguredAirbyteStream(stream, SyncMode.full_refresh, DestinationSyncMode.append)
    catalog = ConfiguredAirbyteCatalog(streams=[configured])
    source = ConcurrentDeclarativeSource(catalog=catalog, config=config, state=[], source_config=written)
    for message in source.read(logging.getLogger("airbyte"), config, catalog, []):
        if message.type is Type.RECORD:
            yield message.record.data


def _put(s3: Any, number: int, lines: list[bytes]) -> None:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    body = packer.compress(b"\n".join(lines)) + packer.flush()
    s3.put_object(Bucket=BUCKET, Key=f"{STREAM}/{number:08}.jsonl.gz", Body=body)


if __name__ == "__main__":
    main()
