"""How fast a report is made, and what one looks like.

    python -m benchmarks.report                       1,000,000 events in 30 days: time, memory, size of the page
    python -m benchmarks.report --events 20000 --keep FOLDER --page FILE
                                                      the same, and the archive and the page are kept
    python -m benchmarks.report --picture             draws docs/report.png: a busy month, in a headless Chromium

The archive is of an invented company (local/slack), in the documented layout, collected by windows of an hour, with
late events. Most of it happens on weekdays by day; in one night there is a wave of sign-ins that fail. Making the
archive is a process of its own, so that neither its time nor its memory is counted.
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from math import sqrt
from pathlib import Path
from zlib import crc32

import typer
from playwright.sync_api import sync_playwright

from benchmarks.template import ROOT
from benchmarks.verify import DAY, START, batch, blank, write
from local.slack.generate import Generator, Lateness
from local.slack.history import Event
from slack_audit_cli.commands.report import report

HOUR = 3_600
DAYS = 30
ATTACK = START + 17 * DAY + 2 * HOUR, 500  # from when on, seconds
HOURS = (2, 1, 1, 1, 1, 3, 8, 20, 45, 60, 64, 60, 50, 55, 62, 60, 52, 40, 25, 15, 10, 8, 5, 3)  # of a weekday
LATE, FINAL = 0.004, 0.0006  # shares of events that only these passes find


def main() -> None:
    """Reads the arguments, makes the archive, and the report of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int)
    parser.add_argument("--keep", type=Path, help="a folder for the archive")
    parser.add_argument("--page", type=Path, help="a file for the page")
    parser.add_argument("--picture", action="store_true")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    events = asked.events or (20_000 if asked.picture else 1_000_000)
    if asked.make:
        make(asked.make, events, lively=events <= 100_000)
        return
    with tempfile.TemporaryDirectory(prefix="slack-audit-") as temporary:
        folder = (asked.keep or Path(temporary) / "archive").resolve()
        file = (asked.page or Path(temporary) / "report.html").resolve()
        again = [sys.executable, "-m", "benchmarks.report", f"--events={events}", f"--make={folder}"]
        subprocess.run(again, check=True)
        measure(folder, file, events)
        if asked.picture:
            draw(file, ROOT / "docs" / "report.png")


def measure(folder: Path, file: Path, events: int) -> None:
    """Makes the report, and prints the figures."""
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        with chdir(folder.parent):  # the page says where its archive stands, as it was typed
            report(file, folder=Path(folder.name), from_="2026-01-01", to=f"2026-01-{DAYS}")
    except typer.Exit as ended:
        print(f"ended with {ended.exit_code}")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{events:,} events: {wall:.1f} s, {events / wall * 60:,.0f} events a minute")
    print(f"  {cpu:.1f} s CPU, {peak:,.0f} MB at most, a page of {file.stat().st_size / 1e6:.1f} MB")


def draw(file: Path, picture: Path) -> None:
    """The top of the page as a browser shows it."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page(viewport={"width": 1280, "height": 1400})
        shown.goto(file.resolve().as_uri())
        shown.locator("#chart-logins .main-svg").first.wait_for()
        shown.screenshot(path=picture)
        browser.close()


# ---- an archive ----


def make(folder: Path, events: int, *, lively: bool) -> None:
    """Writes an archive of a month: live reads each hour, late the hour before, final the same hour a day before."""
    waiting: dict[tuple[str, int], list[Event]] = {}
    dice, log = random.Random("passes"), Log(folder)
    source = _events(events, lively=lively)
    upcoming = next(source, None)
    for hour in range(DAYS * 24):
        while upcoming is not None and upcoming.second < START + (hour + 1) * HOUR:
            waiting.setdefault((_found_by(dice), hour), []).append(upcoming)
            upcoming = next(source, None)
        for name, place in (("live", hour), ("late", hour - 1), ("final", hour - 25)):
            if place >= 0:
                log.read(name, place, hour, waiting.pop((name, place), []))


class Log:
    """The log as it grows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._previous: str | None = None
        self._watermarks = dict.fromkeys(("live", "late", "final"), START - 1)
        self._number = -1
        self._append({})

    def read(self, name: str, place: int, hour: int, events: list[Event]) -> None:
        """One window of a pass: `place` is its hour, `hour` the one that has just ended."""
        lo, hi = START + place * HOUR, START + (place + 1) * HOUR - 1
        self._watermarks[name] = hi
        lines = [it.raw for it in sorted(events, key=lambda it: (it.second, json.loads(it.raw)["id"]))]
        made = {"pass": name, "window": {"lo": lo, "hi": hi}, **batch(self._folder, self._number + 1, lo, hi, lines)}
        self._append(made | {"time": datetime.fromtimestamp(START + (hour + 1) * HOUR + 75, UTC).isoformat()})

    def _append(self, made: dict[str, object]) -> None:
        self._number += 1
        entry = blank(self._number, self._previous, START - 1) | {
            "time": datetime.fromtimestamp(START, UTC).isoformat()
        }
        state = {"end": None, "publish": True, "paused": False}
        entry |= {"passes": {name: {"watermark": at, **state} for name, at in self._watermarks.items()}, **made}
        body = json.dumps(entry, separators=(",", ":")).encode()
        self._previous = sha256(body).hexdigest()
        write(self._folder / f"log/org=main/{self._number:012}.json", body)


def _found_by(dice: random.Random) -> str:
    luck = dice.random()
    return "final" if luck < FINAL else "late" if luck < FINAL + LATE else "live"


def _events(count: int, *, lively: bool) -> Iterator[Event]:
    """In the order of time. In a lively month some people, addresses and places are much busier than others."""
    dice, generator = random.Random("month"), Generator(organisation=1, seed="month", coverage=0.03)
    for second in sorted(
        [*_seconds(dice, count - ATTACK[1]), *(ATTACK[0] + dice.randrange(HOUR) for _ in range(ATTACK[1]))]
    ):
        attacked = ATTACK[0] <= second < ATTACK[0] + HOUR
        made, _ = generator.event(second, Lateness())
        while lively and not _likely(dice, made, attacked=attacked):
            made, _ = generator.event(second, Lateness())
        yield made


def _seconds(dice: random.Random, count: int) -> list[int]:
    """Weekdays by day, and a tenth of it at weekends."""
    hours = range(DAYS * 24)
    weights = [
        HOURS[it % 24] * (0.1 if datetime.fromtimestamp(START + it * HOUR, UTC).weekday() > 4 else 1) for it in hours
    ]
    return [START + hour * HOUR + dice.randrange(HOUR) for hour in dice.choices(hours, weights, k=count)]


def _likely(dice: random.Random, event: Event, *, attacked: bool) -> bool:
    if attacked:
        return event.action == "user_login_failed" or (event.action == "anomaly" and dice.random() < 0.08)
    address = event.raw.partition(b'"ip_address":"')[2].partition(b'"')[0].decode()
    return dice.random() < _share(event.actor) * sqrt(_share(address))


@cache
def _share(name: str) -> float:
    """How busy somebody is: few are very busy."""
    return 1 / (1 + crc32(name.encode()) % 40)


if __name__ == "__main__":
    main()
