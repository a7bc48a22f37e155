"""How fast an archive is searched: makes one, searches it in several ways, and prints what each cost.

    python -m benchmarks.search                          1,000,000 events in 2,000 batches, in a folder
    python -m benchmarks.search --events 200000 --s3     the same in the embedded AWS, over HTTP

Each search is a process of its own, the command as a person types it, so that its memory is its own. What is printed:
wall time, CPU time, events in a minute of either, and the most memory that it held at once. The archive is that of
benchmarks.verify; making it is not counted.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import boto3
from botocore.config import Config

from local.aws import EmbeddedAws
from slack_audit.adapters.vault_s3 import CLIENT

SEARCHES: dict[str, Sequence[str]] = {
    "everything, as lines": ["--output", "{folder}/found.ndjson"],
    "everything, as CSV": ["--output", "{folder}/found.csv"],
    "everything, as Parquet": ["--output", "{folder}/found.parquet"],
    "one action": ["--action", "user_log*", "--output", "{folder}/found.ndjson"],
    "one person, who did nothing": ["--actor", "nobody@example.com"],
    "a network and an expression": ["--ip", "198.51.100.0/28", "--where", "details.is_external"],
}


def main() -> None:
    """Reads the arguments, makes, searches, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batches", type=int, default=2_000)
    parser.add_argument("--s3", action="store_true", help="in the embedded AWS instead of a folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slack-audit-") as folder:
        archive = f"{folder}/archive"
        size = [f"--events={asked.events}", f"--batches={asked.batches}", f"--make={archive}"]
        subprocess.run([sys.executable, "-m", "benchmarks.verify", *size], check=True)
        if asked.s3:
            in_the_embedded_aws(Path(archive), folder, asked.events)
        else:
            measure(["--folder", archive], folder, asked.events, dict(os.environ))


def in_the_embedded_aws(archive: Path, folder: str, events: int) -> None:
    """Uploads the archive, and searches it there."""
    with EmbeddedAws() as aws:
        config = CLIENT.merge(Config(proxies={}))
        session = boto3.Session("test", "test", region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=aws.endpoint, config=config)
        s3.create_bucket(Bucket="archive")
        for path in archive.rglob("*"):
            if path.is_file():
                s3.put_object(Bucket="archive", Key=path.relative_to(archive).as_posix(), Body=path.read_bytes())
        place = ["--bucket", "archive", "--endpoint-url", aws.endpoint, "--region", "us-east-1"]
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "no_proxy": "127.0.0.1"}
        measure(place, folder, events, dict(os.environ) | credentials)


def measure(place: Sequence[str], folder: str, events: int, environment: dict[str, str]) -> None:
    """Searches in each way, and prints the figures."""
    print(f"{'':<30}{'wall s':>8}{'events/min':>13}{'CPU s':>8}{'events/min of CPU':>20}{'MB at most':>12}")
    for what, options in SEARCHES.items():
        wall, cpu, peak = cost([*place, *(it.format(folder=folder) for it in options)], environment)
        print(f"{what:<30}{wall:>8.1f}{events * 60 / wall:>13,.0f}{cpu:>8.1f}{events * 60 / cpu:>20,.0f}{peak:>12,.0f}")


def cost(options: Sequence[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall and CPU seconds of one search, and the most megabytes that it held."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "slack_audit_cli", "search", *options]
    searching = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(searching.pid, 0)
    searching.returncode = os.waitstatus_to_exitcode(status)
    if searching.returncode != 0:
        raise SystemExit(f"the search ended with {searching.returncode}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, _megabytes(used)


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
