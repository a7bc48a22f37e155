"""How fast an archive is verified: makes one, verifies it, and prints what that cost.

    python -m benchmarks.verify                          1,000,000 events in 2,000 batches, in a folder
    python -m benchmarks.verify --events 200000 --s3     the same in the embedded AWS, over HTTP

The archive is written in the documented layout, with events of about 750 bytes as Slack's are. What is printed: wall
time, CPU time of this process, the most memory that it held at once, and what a second of either verifies. Making
the archive is a process of its own, so that neither its time nor its memory is counted.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import boto3
from botocore.config import Config

from local.aws import EmbeddedAws
from slack_audit.adapters.vault_folder import FolderVault
from slack_audit.adapters.vault_s3 import CLIENT, S3Vault
from slack_audit.verify.prove import prove
from slack_audit.verify.vault import Vault

START = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400
BATCH_SECONDS = 43  # divides no day, so that windows end at midnights of their own


def main() -> None:
    """Reads the arguments, makes, verifies, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batches", type=int, default=2_000)
    parser.add_argument("--s3", action="store_true", help="in the embedded AWS instead of a folder")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        make(asked.make, asked.events, asked.batches)
        return
    with tempfile.TemporaryDirectory(prefix="slack-audit-") as folder:
        size = [f"--events={asked.events}", f"--batches={asked.batches}", f"--make={folder}"]
        subprocess.run([sys.executable, "-m", "benchmarks.verify", *size], check=True)
        if asked.s3:
            in_the_embedded_aws(Path(folder))
        else:
            measure(FolderVault(Path(folder)))


def in_the_embedded_aws(folder: Path) -> None:
    """Uploads the archive, and verifies it there."""
    with EmbeddedAws() as aws:
        config = CLIENT.merge(Config(proxies={}))
        session = boto3.Session("test", "test", region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=aws.endpoint, config=config)
        s3.create_bucket(Bucket="archive")
        for path in folder.rglob("*"):
            if path.is_file():
                s3.put_object(Bucket="archive", Key=path.relative_to(folder).as_posix(), Body=path.read_bytes())
        measure(S3Vault(s3, "archive"))


def measure(vault: Vault) -> None:
    """Verifies, and prints the figures."""
    wall, cpu = time.perf_counter(), time.process_time()
    proof = prove("main", vault)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    coverage = proof.coverage
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'proven' if proof.proven else 'NOT PROVEN'}: {coverage.events:,} events in {coverage.objects:,} batches,")
    print(f"  {coverage.stored / 1e6:,.0f} MB stored, {coverage.unpacked / 1e6:,.0f} MB unpacked")
    print(f"  {wall:.1f} s, {coverage.events / wall:,.0f} events/s")
    print(f"  {cpu:.1f} s CPU, {coverage.events / cpu:,.0f} events/s of CPU")
    print(f"  {peak:,.0f} MB at most")


# ---- an archive ----


def make(folder: Path, events: int, batches: int) -> None:
    """Writes an archive of a live pass."""
    previous, lo = None, START
    for number in range(batches + 1):
        hi = min(lo + BATCH_SECONDS - 1, lo - lo % DAY + DAY - 1)
        entry = blank(number, previous, hi if number else lo - 1)
        if number:
            share = events * number // batches - events * (number - 1) // batches
            entry |= {"pass": "live", "window": {"lo": lo, "hi": hi}}
            entry |= batch(folder, number, lo, hi, list(lines(number, share, lo, hi)))
            lo = hi + 1
        body = json.dumps(entry, separators=(",", ":")).encode()
        previous = sha256(body).hexdigest()
        write(folder / f"log/org=main/{number:012}.json", body)


def blank(number: int, previous: str | None, watermark: int) -> dict[str, object]:
    """An entry that read nothing."""
    state = {"end": None, "publish": True, "paused": False}
    passes = {"live": {"watermark": watermark, **state}}
    passes |= {name: {"watermark": START - 1, **state} for name in ("late", "final")}
    return {
        "format": 1,
        "org": "main",
        "number": number,
        "previous": previous,
        "pass": None,
        "window": None,
        "key": None,
        "count": 0,
        "bytes": 0,
        "sha256": None,
        "filters": {"action": "", "actor": "", "entity": ""},
        "calls": 1,
        "version": "0.1.0",
        "time": datetime.fromtimestamp(watermark + 60, UTC).isoformat(),
        "passes": passes,
        "published": number,
    }


def batch(folder: Path, number: int, lo: int, hi: int, events: list[bytes]) -> dict[str, object]:
    """Writes a batch; what its entry says of it."""
    if not events:
        return {}
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    body = packer.compress(b"".join(line + b"\n" for line in events)) + packer.flush()
    digest = sha256(body).hexdigest()
    day = datetime.fromtimestamp(lo, UTC).date().isoformat()
    key = f"raw/org=main/dt={day}/{lo}-{hi}-{number}-{digest[:12]}.ndjson.gz"
    write(folder / key, body)
    return {"key": key, "count": len(events), "bytes": len(body), "sha256": digest}


def lines(number: int, count: int, lo: int, hi: int) -> Iterator[bytes]:
    """Events of about 750 bytes, in their order."""
    for place in range(count):
        second = lo + place * (hi - lo + 1) // count
        seed = sha256(f"{number}.{place}".encode()).hexdigest()
        user = {"id": f"W{seed[:9].upper()}", "name": f"Person {seed[9:12]}", "email": f"{seed[:8]}@example.com"}
        event = {
            "id": f"{number:08}-{place:08}-{seed[:16]}",
            "date_create": second,
            "action": ("user_login", "file_downloaded", "user_channel_join")[place % 3],
            "actor": {"type": "user", "user": {**user, "team": "T0123ABCD"}},
            "entity": {
                "type": "file",
                "file": {"id": f"F{seed[20:29].upper()}", "name": f"report-{seed[30:38]}.pdf", "filetype": "pdf"},
            },
            "context": {
                "location": {
                    "type": "workspace",
                    "id": "T0123ABCD",
                    "name": "Example Works",
                    "domain": "example-works",
                },
                "ua": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)",
                "session_id": int(seed[:12], 16),
                "ip_address": f"198.51.100.{int(seed[:2], 16)}",
            },
            "details": {"url": f"https://example.org/files/{seed}", "is_external": place % 7 == 0},
        }
        yield json.dumps(event, separators=(",", ":")).replace("/", "\\/").encode()


def write(path: Path, body: bytes) -> None:
    """A file, in a folder that may not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


if __name__ == "__main__":
    main()
