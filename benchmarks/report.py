"""How fast a report is made, and what one looks like.

    python -m benchmarks.report                       1,000,000 events in 30 days
    python -m benchmarks.report --events 20000 --page FILE
                                                      the page is kept
    python -m benchmarks.report --picture             draws docs/report.png: a busy month, in a headless Chromium

The archive is of an invented company (local/slack), in the documented layout, collected by windows of an hour, with
late events. Most of it happens on weekdays by day; in one night there is a wave of sign-ins that fail.
"""

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from math import sqrt
from pathlib import Path
from zlib import crc32

from playwright.sync_api import sync_playwright

from benchmarks.archive import DAY, START, batch, blank, kept, write
from benchmarks.cost import Cost, asks_for_json, of_command, tell
from benchmarks.template import ROOT
from local.slack.generate import Generator, Lateness
from local.slack.history import Event

HOUR = 3_600
DAYS = 30
ATTACK = START + 17 * DAY + 2 * HOUR, 500  # from when on, seconds
HOURS = (2, 1, 1, 1, 1, 3, 8, 20, 45, 60, 64, 60, 50, 55, 62, 60, 52, 40, 25, 15, 10, 8, 5, 3)  # of a weekday
LATE, FINAL = 0.004, 0.0006  # shares of events that only these passes find


def main() -> None:
    """Reads the arguments, makes the archive, and the report of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int)
    parser.add_argument("--page", type=Path, help="a file for the page")
    parser.add_argument("--picture", action="store_true")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    asks_for_json(parser)
    asked = parser.parse_args()
    events = asked.events or (20_000 if asked.picture else 1_000_000)
    if asked.make:
        make(asked.make, events, lively=events <= 100_000)
        return
    folder = kept(f"month-of-{events}", "benchmarks.report", f"--events={events}", "--make")
    with tempfile.TemporaryDirectory(prefix="slack-audit-") as temporary:
        file = (asked.page or Path(temporary) / "report.html").resolve()
        with chdir(folder.parent):  # the page says where its archive stands, as it was typed
            tell(_costs(folder.name, file, events), asked.json)
        if asked.picture:
            draw(file, ROOT / "docs" / "report.png")


def _costs(folder: str, file: Path, events: int) -> Iterator[Cost]:
    typed = ["report", "--folder", folder, "--from", "2026-01-01", "--to", f"2026-01-{DAYS}", "--output", str(file)]
    yield of_command("page", "report, a page of a month", events, typed)


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
