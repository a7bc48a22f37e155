"""dlt, its REST source into its filesystem destination, as its documents show it. Started by `peers`.

Its settings are the fastest sane ones: no telemetry, pages as large as Slack's, nested fields kept as JSON and not
made into columns and tables of their own, files of the size of a page's multiple, compressed as by default.
"""

import os
import tempfile
from typing import Any

from benchmarks.performance.peer import PAGE, asked, told
from benchmarks.performance.services import TOKEN
from benchmarks.performance.stage import AWS, BUCKET, HOUR, Servers

ASKED = asked()
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "WARNING",
    "NORMALIZE__WORKERS": str(ASKED.workers),
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": str(5 * PAGE),  # so that several workers have several files
    "DATA_WRITER__BUFFER_MAX_ITEMS": str(PAGE),
    "DESTINATION__FILESYSTEM__BUCKET_URL": f"s3://{BUCKET}",
    "DESTINATION__FILESYSTEM__CREDENTIALS__AWS_ACCESS_KEY_ID": AWS["AWS_ACCESS_KEY_ID"],
    "DESTINATION__FILESYSTEM__CREDENTIALS__AWS_SECRET_ACCESS_KEY": AWS["AWS_SECRET_ACCESS_KEY"],
    "DESTINATION__FILESYSTEM__CREDENTIALS__REGION_NAME": AWS["AWS_REGION"],
    "DESTINATION__FILESYSTEM__CREDENTIALS__ENDPOINT_URL": ASKED.aws,
}

import dlt  # noqa: E402 - it reads the environment
from dlt.sources.rest_api import rest_api_source  # noqa: E402


def main() -> None:
    """One run of a pipeline, after one of another pipeline with the events of a second: what is loaded once, is."""
    with tempfile.TemporaryDirectory(prefix="dlt-") as folder:
        pipeline("warm", folder).run(source(ASKED.latest - HOUR // 2, ASKED.latest - HOUR // 2))
        measured = pipeline("audit", folder)
        with told(Servers(ASKED.aws, ASKED.slack)):
            measured.run(source(ASKED.oldest, ASKED.latest), loader_file_format="jsonl")


def pipeline(name: str, folder: str) -> Any:
    """Into a folder of its own of the bucket."""
    return dlt.pipeline(name, destination="filesystem", dataset_name=name, pipelines_dir=folder)


def source(oldest: int, latest: int) -> Any:
    """Slack's audit log from one second to another."""
    return rest_api_source(
        {
            "client": {"base_url": f"{ASKED.slack}/audit/v1/", "auth": {"type": "bearer", "token": TOKEN}},
            "resources": [
                {
                    "name": "logs",
                    "endpoint": {
                        "path": "logs",
                        "params": {"oldest": oldest, "latest": latest, "limit": PAGE},
                        "data_selector": "entries",
                        "paginator": {
                            "type": "cursor",
                            "cursor_path": "response_metadata.next_cursor",
                            "cursor_param": "cursor",
                        },
                    },
                }
            ],
        },
        max_table_nesting=0,
    )


if __name__ == "__main__":
    main()
