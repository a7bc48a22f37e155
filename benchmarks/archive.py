"""An archive to measure with: a live pass of invented events of about 750 bytes, as Slack's are, as it is documented.

python -m benchmarks.archive FOLDER --events 1000000 --batches 2000
"""

import argparse
import json
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from benchmarks.performance import ROOT

START = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400
BATCH_SECONDS = 43  # divides no day, so that windows end at midnights of their own
EVENTS_A_BATCH = 500
KEPT = ROOT / "build" / "archives"
UPLOADS = 16  # at once


def main() -> None:
    """Makes one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--batches", type=int)
    asked = parser.parse_args()
    make(asked.folder, asked.events, asked.batches or batches_of(asked.events))


def batches_of(events: int) -> int:
    """How many batches hold so many events, where nothing else is said."""
    return max(1, events // EVENTS_A_BATCH)


def kept(name: str, module: str, *options: str) -> Path:
    """The folder of an archive that `python -m <module> <options> <folder>` makes, unless it is there from before.

    It is made by a process of its own, so that neither its time nor its memory is counted. `make clean` removes it.
    """
    folder = KEPT / name
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as unfinished:
            made = Path(unfinished) / "archive"
            subprocess.run([sys.executable, "-m", module, *options, str(made)], check=True, cwd=ROOT)
            try:
                made.rename(folder)
            except OSError:
                if not folder.exists():  # by another process, which was faster
                    raise
    return folder


def of_size(events: int, batches: int) -> Path:
    """The folder of this module's archive of so many events."""
    return kept(f"{events}-in-{batches}", "benchmarks.archive", f"--events={events}", f"--batches={batches}")


def upload(folder: Path, bucket: str) -> None:
    """Puts it into the bucket, in the AWS that the environment names."""
    from slack_audit.adapters.s3 import S3Archive  # noqa: PLC0415 - after the environment is made
    from slack_audit.adapters.vault_s3 import CLIENT  # noqa: PLC0415
    from slack_audit.wiring import client  # noqa: PLC0415

    archive = S3Archive(client("s3", CLIENT), bucket)
    files = [path for path in folder.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(lambda path: archive.put_new(path.relative_to(folder).as_posix(), path.read_bytes()), files))


# ---- how it is made ----


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
