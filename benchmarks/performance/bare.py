"""The least that anybody can do with Slack's pages: the bare loops, with the collector's own client and compressor.

    python -m benchmarks.performance.bare --events 1000000             fetch, read, throw away
    python -m benchmarks.performance.bare --events 1000000 --put       fetch, read, gzip, put

The windows are known in advance, as full as the collector aims at, so nothing is planned; nothing is sorted, looked
up, numbered or checked, and what goes wrong ends it.
"""

import argparse
from typing import Any

from benchmarks.performance.measured import peak_mb, tell, used
from benchmarks.performance.proof import NotProvenError, client_of
from benchmarks.performance.services import TOKEN
from benchmarks.performance.stage import BUCKET, HOUR, MARGIN, MOMENT, RATE, Servers, between, servers, without_a_proxy
from slack_audit.adapters.slack import SlackSource
from slack_audit.batches import pack
from slack_audit.log import Filters
from slack_audit.ports import Query
from slack_audit.spans import FILL
from slack_audit.windows import PAGE_LIMIT, Window


def main() -> None:
    """Measures one loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--put", action="store_true", help="compress every page and put it into S3")
    parser.add_argument("--gzip", action="store_true", help="Slack's answers are compressed")
    asked = parser.parse_args()
    hours = max(1, round(asked.events / RATE / HOUR))
    slack = ["--events", str(asked.events), "--hours", str(hours), *(["--gzip"] if asked.gzip else [])]
    without_a_proxy()
    with servers(slack, []) as at:
        tell(**_measure(asked, at, windows(asked.events, hours)))


def windows(events: int, hours: int) -> list[Window]:
    """All of the history in windows that hold `FILL` of a page."""
    lo, end = MOMENT - hours * HOUR + MARGIN, MOMENT - MARGIN
    seconds = max(1, int(FILL * PAGE_LIMIT * (end - lo) / events))
    return [Window(first, min(first + seconds, end) - 1) for first in range(lo, end, seconds)]


def _measure(asked: argparse.Namespace, at: Servers, asked_for: list[Window]) -> dict[str, Any]:
    source = SlackSource(at.slack_url, "main", lambda _fresh: TOKEN, "0")
    s3 = client_of("s3", at)
    first = [Query(None, part, limit=1) for part in Filters().calls()]
    source.read(first[0], timeout=60)
    s3.put_object(Bucket=BUCKET, Key="first", Body=b"")
    calls, before = at.calls(), used()
    events = 0
    for number, window in enumerate(asked_for):
        page = source.read(Query(window, first[0].filters), timeout=60)
        events += len(page.events)
        if asked.put:
            s3.put_object(Bucket=BUCKET, Key=f"{number:08}.ndjson.gz", Body=pack(event.raw for event in page.events))
    cost, peak = used().since(before), peak_mb()
    made = between(calls, at.calls())
    made.pop("records")
    if events != asked.events or page.next_cursor:
        raise NotProvenError(f"{events:,} events were fetched, of {asked.events:,}")
    return {
        "name": "bare-put" if asked.put else "bare-fetch",
        "events": events,
        "cost": cost,
        "peak": peak,
        "calls": made,
    }


if __name__ == "__main__":
    main()
