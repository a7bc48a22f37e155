"""A peer that reads the same history from the same stand-in into the same S3, in an environment of its own.

    python -m benchmarks.performance.peers dlt --events 100000        dlt's REST source, filesystem destination
    python -m benchmarks.performance.peers airbyte --events 100000    Airbyte's low-code CDK, gzip and boto3 behind it

`cpu` is of the peer's process and all its children for one run, after a small one that loads what is loaded once;
`peak_mb` of the one of them that needed most. Then every event of the history must be in S3 once.
"""

import argparse
import json
import subprocess
import zlib
from collections.abc import Iterator
from typing import Any

from benchmarks.performance import ROOT
from benchmarks.performance.measured import Used, tell
from benchmarks.performance.proof import NotProvenError, client_of
from benchmarks.performance.stage import AWS, BUCKET, HOUR, MOMENT, RATE, Servers, servers

PYTHON = ROOT / ".venv-peers" / "bin" / "python"
GZIP = 31  # zlib's window bits for a gzip header
LONGEST = 1_800.0  # seconds


def main() -> None:
    """Measures one peer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["airbyte", "dlt"])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1, help="of dlt's normalise step; Airbyte's threads")
    parser.add_argument("--gzip", action="store_true", help="Slack's answers are compressed")
    asked = parser.parse_args()
    hours = max(1, round(asked.events / RATE / HOUR))
    slack = ["--events", str(asked.events), "--hours", str(hours), *(["--gzip"] if asked.gzip else [])]
    with servers(slack, []) as at:
        told = _run(asked, at, hours)
        found = list(_ids(at))
    if (len(found), len(set(found))) != (asked.events, asked.events):
        raise NotProvenError(f"{len(found):,} events in S3, {len(set(found)):,} different ones, of {asked.events:,}")
    cost = Used(told.pop("cpu"), told.pop("wall"))
    told["calls"].pop("records")
    tell(asked.peer, events=asked.events, cost=cost, peak=told.pop("peak_mb"), **told)


def _run(asked: argparse.Namespace, at: Servers, hours: int) -> dict[str, Any]:
    """Runs the peer's process; what its last line says."""
    command = [
        str(PYTHON),
        "-m",
        f"benchmarks.performance.peer_{asked.peer}",
        f"--aws={at.aws}",
        f"--slack={at.slack}",
    ]
    command += [f"--oldest={MOMENT - hours * HOUR}", f"--latest={MOMENT - 1}", f"--workers={asked.workers}"]
    environment = {**AWS, "PATH": "/usr/bin:/bin", "NO_PROXY": "*"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, timeout=LONGEST, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _ids(at: Servers) -> Iterator[str]:
    """Of all events that are in S3: in lines of JSON in compressed objects, whatever else lies there."""
    s3 = client_of("s3", at)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", []):
            if found["Key"].endswith(".gz") and not found["Key"].startswith("warm/") and "/_dlt" not in found["Key"]:
                body = s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
                yield from (json.loads(line)["id"] for line in zlib.decompress(body, GZIP).splitlines())


if __name__ == "__main__":
    main()
