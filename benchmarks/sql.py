"""How fast `slack-audit sql` answers over a folder: python -m benchmarks.sql [events]

Makes an archive of that many invented events (1,000,000 without a number), 10,000 to a batch, as the collector lays it
out, and prints for each query how long the whole command took, how much of that the processor worked (both cores), and
how many events that is for each second of its work.
"""

import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from hashlib import sha256
from pathlib import Path

from slack_audit.batches import pack
from slack_audit_cli.app import app

START = 1_767_225_600  # 2026-01-01T00:00:00Z
BATCH = 10_000
RATE = 20  # events a second
ASKED = {
    "count": ["SELECT count(*) AS n FROM events"],
    "by action": ["SELECT action, count(*) AS n FROM events GROUP BY 1 ORDER BY 2 DESC"],
    "logins": ["--query", "logins"],
}
ACTIONS = ("user_login", "file_downloaded", "user_channel_join", "app_installed", "file_public_link_created")


def events(first: int, count: int) -> Iterator[bytes]:
    """Lines of about 600 bytes, as Slack's are."""
    for number in range(first, first + count):
        who = number * 7919 % 5_000
        yield json.dumps(
            {
                "id": f"{number:08x}-5b1e-4c7d-9f00-{number * 2654435761 % 2**48:012x}",
                "date_create": START + number // RATE,
                "action": ACTIONS[number % len(ACTIONS)],
                "actor": {
                    "type": "user",
                    "user": {"id": f"W{who:08}", "name": f"Person {who}", "email": f"p{who}@example.com", "team": "E1"},
                },
                "entity": {"type": "file", "file": {"id": f"F{number:08}", "name": "plan", "filetype": "pdf"}},
                "context": {
                    "location": {"type": "workspace", "id": "T1", "name": "Example", "domain": "example"},
                    "ua": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
                    "session_id": 10137226569043 + who,
                    "ip_address": f"192.0.2.{number % 256}",
                },
            },
            separators=(",", ":"),
        ).encode()


def make(folder: Path, total: int) -> None:
    """The archive: one batch after another, each with its entry."""
    previous = None
    for number, first in enumerate(range(0, total, BATCH), 1):
        body = pack(events(first, min(BATCH, total - first)))
        lo, hi = START + first // RATE, START + (first + BATCH) // RATE - 1
        digest = sha256(body).hexdigest()
        day = time.strftime("%Y-%m-%d", time.gmtime(hi))
        key = f"raw/org=main/dt={day}/{lo}-{hi}-{number}-{digest[:12]}.ndjson.gz"
        said = {"format": 1, "org": "main", "number": number, "previous": previous, "pass": "live", "key": key}
        said |= {"window": {"lo": lo, "hi": hi}, "count": BATCH, "bytes": len(body), "sha256": digest, "calls": 1}
        said |= {
            "filters": {"action": "", "actor": "", "entity": ""},
            "version": "0",
            "passes": {},
            "published": number,
        }
        entry = json.dumps(said | {"published": number, "time": "2026-01-01T00:00:00+00:00"}).encode()
        previous = sha256(entry).hexdigest()
        for place, written in ((key, body), (f"log/org=main/{number:012}.json", entry)):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(written)


def main() -> None:
    """Makes, asks, prints."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="slack-audit-bench-") as name:
        folder = Path(name)
        make(folder, total)
        print(f"{total:,} events on {os.cpu_count()} cores")
        for what, asked in ASKED.items():
            began, worked = time.monotonic(), time.process_time()
            with redirect_stdout(io.StringIO()):
                app(["sql", "--folder", name, "--from", "2026-01-01", *asked], standalone_mode=False)
            took, worked = time.monotonic() - began, time.process_time() - worked
            print(f"{what:<10} {took:6.1f} s, worked {worked:6.1f} s, {total / worked:10,.0f} events/s")


if __name__ == "__main__":
    main()
