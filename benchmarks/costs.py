"""What a month costs, by listed prices: for some numbers of events a second and of organisations.

    python -m benchmarks.costs            prints the tables of docs/costs.md
    python -m benchmarks.costs --write    puts them into docs/costs.md
    python -m benchmarks.costs --count    counts the requests of a run anew, with the real use cases (half a minute)

How many alarms, metrics and megabytes of memory there are is read from template.yaml and from the code; how many
requests a run makes is counted, and a test holds it; what cannot be known here, such as how fast Slack answers, is
assumed, and says so. Free tiers are left out: they belong to the account, not to the stack.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from math import ceil, exp
from pathlib import Path
from typing import Any

import msgspec

from slack_audit import telemetry
from tests.builders import ALL_LAGS, DAY_START, raw_event
from tests.fakes import World
from tests.template.reading import template

PAGE = Path(__file__).resolve().parent.parent / "docs" / "costs.md"
MARKERS = ("<!-- python -m benchmarks.costs --write -->", "<!-- end -->")

HOURS = 730  # of a month
MINUTES = HOURS * 60
SECONDS = MINUTES * 60
DAYS = HOURS / 24
MILLION, THOUSAND, GB = 1e6, 1e3, 1e9
RATES = (1, 10, 100)  # events a second, of all organisations together
ORGS = (1, 10, 200)


# ---- prices ----


class Price(msgspec.Struct, frozen=True):
    """US dollars for `per` units in us-east-1, as listed in 2026. `seen` is false where no public copy of it was read:
    then it is what is generally known, and was not checked."""

    usd: float
    per: float
    unit: str
    seen: bool = True

    def of(self, units: float) -> float:
        """Dollars."""
        return self.usd * units / self.per


PRICES = {
    "Kinesis shard": Price(0.015, 1, "shard-hour", seen=False),
    "Kinesis put": Price(0.014, MILLION, "million payload units of 25 KB", seen=False),
    "Kinesis kept beyond a day": Price(0.020, 1, "shard-hour", seen=False),
    "Kinesis on demand": Price(0.040, 1, "stream-hour", seen=False),
    "Kinesis on demand, in": Price(0.080, 1, "GB, each record rounded up to 1 KB", seen=False),
    "Kinesis on demand, out": Price(0.040, 1, "GB", seen=False),
    "Kinesis on demand, kept beyond a day": Price(0.100, 1, "GB-month", seen=False),
    "Lambda arm64": Price(0.0000133334, 1, "GB-second"),
    "Lambda x86_64": Price(0.0000166667, 1, "GB-second"),
    "Lambda requests": Price(0.20, MILLION, "million"),
    "S3 writes and lists": Price(0.005, THOUSAND, "thousand"),
    "S3 reads": Price(0.0004, THOUSAND, "thousand", seen=False),
    "S3 storage": Price(0.023, 1, "GB-month", seen=False),
    "S3 Glacier Instant Retrieval": Price(0.004, 1, "GB-month", seen=False),
    "S3 transitions to it": Price(0.02, THOUSAND, "thousand", seen=False),
    "DynamoDB writes": Price(0.625, MILLION, "million units of 1 KB"),
    "DynamoDB reads": Price(0.125, MILLION, "million units of 4 KB"),
    "KMS key": Price(1.00, 1, "key-month"),
    "KMS requests": Price(0.03, 10_000, "ten thousand"),
    "CloudWatch metric": Price(0.30, 1, "metric-month, by the hour"),
    "CloudWatch alarm": Price(0.10, 1, "month, for each metric that it looks at"),
    "CloudWatch composite alarm": Price(0.50, 1, "month"),
    "CloudWatch dashboard": Price(3.00, 1, "month"),
    "CloudWatch logs, in": Price(0.50, 1, "GB"),
    "CloudWatch logs, kept": Price(0.03, 1, "GB-month", seen=False),
    "Secrets Manager secret": Price(0.40, 1, "month"),
    "Secrets Manager calls": Price(0.05, 10_000, "ten thousand"),
    "Scheduler": Price(1.00, MILLION, "million starts"),
    "SQS": Price(0.40, MILLION, "million", seen=False),
}


def usd(name: str, units: float) -> float:
    """Dollars for so many units."""
    return PRICES[name].of(units)


# ---- what is counted, measured and assumed ----

# Counted, of a run whose three passes read a window each: `--count`. A window without events asks for less.
LISTS = (1, 2.7)  # of the log; and of the days that late and final look into, averaged over a day
READS = 4  # of the entry and the batch that late and final find their window's events in
SAVES = 2  # of the item: taking the lease, giving it back
PLAN_SAVES = 2  # units: the item with a plan in it is larger than 1 KB

# Measured on one core of an x86-64 server, and put on the share of a core that the memory buys.
CPU_OF_A_RUN = 0.11  # seconds, with few new events; half of it with none: python -m benchmarks.performance.steady
CPU_OF_AN_EVENT = 80e-6  # seconds, for all that is done to it by three passes: what 990 more take, by the same
CORE_MEMORY = 1_769  # MB of a function that has one whole core
VERIFIED_EVENTS = 125_000  # a second of a core: python -m benchmarks.verify
VERIFIED_OBJECT = 0.002  # seconds of a core
EVENT = 750  # bytes, as Slack's are
PACKED_EVENT = 116  # bytes: make demo stores 61,199 events of 44.8 MB in 7.1 MB
ENTRY = 750  # bytes of a log entry
LOGGED = 3_500  # bytes a run: metrics, result, start and report
CONSUMERS = 1  # that read the stream

# Assumed.
SLACK_ANSWERS = 1.0  # seconds
AWS_ANSWERS = 0.02  # seconds
TOKEN_READS = HOURS  # of each organisation: a cold start an hour
WATCHING = 0.25  # GB-seconds of a run of the watch, every five minutes
KMS_CALLERS = 5  # stream, bucket, table, logs, queues: each asks for its key about every five minutes
MONTHS_KEPT = 12  # the storage of the twelfth month


class Setup(msgspec.Struct, frozen=True):
    """A deployment. The defaults are the template's."""

    rate: float = 1
    orgs: int = 1
    on_demand: bool = False
    retention: int = 168  # hours
    every: int = 1  # minutes between two runs
    passes: int = 3
    architecture: str = "arm64"
    own_key: bool = True
    cold_days: int = 180

    @property
    def events(self) -> float:
        """Of a month."""
        return self.rate * SECONDS

    @property
    def runs(self) -> float:
        """Of a month, of all organisations."""
        return self.orgs * MINUTES / self.every

    @property
    def events_a_window(self) -> float:
        """Of one organisation."""
        return self.rate / self.orgs * 60 * self.every

    @property
    def batches(self) -> float:
        """Of a month: windows in which anything happened."""
        return self.runs * (1 - exp(-self.events_a_window))


# ---- the parts ----


def stream(it: Setup) -> float:
    """Kinesis."""
    if not it.on_demand:
        shards = ceil(it.rate / 1_000)
        kept = usd("Kinesis kept beyond a day", shards * HOURS) if it.retention > 24 else 0
        return usd("Kinesis shard", shards * HOURS) + usd("Kinesis put", it.events) + kept
    gigabytes = it.events * ceil(EVENT / 1_024) * 1_024 / GB
    kept_days = (it.retention - 24) / 24
    return (
        usd("Kinesis on demand", HOURS)
        + usd("Kinesis on demand, in", gigabytes)
        + usd("Kinesis on demand, out", it.events * EVENT / GB * CONSUMERS)
        + usd("Kinesis on demand, kept beyond a day", gigabytes * kept_days / DAYS)
    )


def functions(it: Setup) -> float:
    """Lambda."""
    price = f"Lambda {it.architecture}"
    collecting = it.runs * run_seconds(it) * memory("CollectFunction")
    daily = check_seconds(it) * memory("VerifyFunction") + drift_seconds(it) * memory("DriftFunction")
    watching = MINUTES / 5 * WATCHING
    runs = it.runs + 2 * it.orgs * DAYS + MINUTES / 5
    return usd(price, (collecting + daily * it.orgs * DAYS) / 1_024 + watching) + usd("Lambda requests", runs)


def run_seconds(it: Setup) -> float:
    """Of a run of the collect function: what it waits for, and what it computes with its share of a core."""
    exchanges = writes_of_a_run(it) + reads_of_a_run(it) + SAVES + 3  # and the plan, the stream, the token
    waiting = it.passes * SLACK_ANSWERS + exchanges * AWS_ANSWERS
    computing = CPU_OF_A_RUN + it.events_a_window * CPU_OF_AN_EVENT * it.passes / 3
    return waiting + computing * CORE_MEMORY / memory("CollectFunction")


def check_seconds(it: Setup) -> float:
    """Of the daily check, which reads two days."""
    objects = 2 / DAYS * (it.runs * it.passes + it.batches) / it.orgs
    return objects * VERIFIED_OBJECT + 2 * 86_400 * it.rate / it.orgs / VERIFIED_EVENTS


def drift_seconds(it: Setup) -> float:
    """Of the drift watch, which unpacks the batches of two days, as far as it gets."""
    batches = 2 / DAYS * it.batches / it.orgs
    core = batches * VERIFIED_OBJECT + 2 * 86_400 * it.rate / it.orgs / VERIFIED_EVENTS
    return min(900.0, core * CORE_MEMORY / memory("DriftFunction"))


def writes_of_a_run(it: Setup) -> float:
    """To S3: an entry for each pass, a batch if anything happened, and the lists, which cost as much."""
    share = it.batches / it.runs
    return it.passes + share + LISTS[0] + LISTS[1] * share * (it.passes - 1) / 2


def reads_of_a_run(it: Setup) -> float:
    """Of S3, by the passes that look back."""
    return READS * it.batches / it.runs * (it.passes - 1) / 2


def archive(it: Setup) -> float:
    """S3."""
    # Every object twice by the daily check, which reads two days; every batch twice by the drift watch.
    read_daily = 2 * (it.runs * it.passes + it.batches) + 2 * it.batches
    requests = usd("S3 writes and lists", it.runs * writes_of_a_run(it) + read_daily / 1_000)
    requests += usd("S3 reads", it.runs * reads_of_a_run(it) + read_daily)
    packed, entries = it.events * PACKED_EVENT / GB, it.runs * it.passes * ENTRY / GB
    return requests + stored(it, packed) + usd("S3 storage", entries * MONTHS_KEPT)


def stored(it: Setup, packed: float) -> float:
    """The storage of the batches in the twelfth month, `packed` GB having come with every one."""
    large = it.events_a_window * PACKED_EVENT >= 131_072
    warm = min(MONTHS_KEPT, it.cold_days / DAYS) if it.cold_days and large else MONTHS_KEPT
    moved = it.batches if warm < MONTHS_KEPT else 0
    cold = usd("S3 Glacier Instant Retrieval", packed * (MONTHS_KEPT - warm)) + usd("S3 transitions to it", moved)
    return usd("S3 storage", packed * warm) + cold


def table(it: Setup) -> float:
    """DynamoDB."""
    written = it.runs * SAVES + it.batches * PLAN_SAVES
    watched = it.orgs * MINUTES / 5  # by the watch
    return usd("DynamoDB writes", written) + usd("DynamoDB reads", watched)


def keys(it: Setup) -> float:
    """KMS."""
    asked = KMS_CALLERS * MINUTES / 5 + it.orgs * TOKEN_READS
    return (usd("KMS key", 1) if it.own_key else 0) + usd("KMS requests", asked)


def metrics(it: Setup) -> float:
    """CloudWatch metrics."""
    hourly, daily, of_an_org = metric_names()
    return usd("CloudWatch metric", hourly + daily / 24 + of_an_org * it.orgs)


def alarms(_: Setup) -> float:
    """CloudWatch alarms and the dashboard."""
    single, composite = alarm_metrics()
    return (
        usd("CloudWatch alarm", single)
        + usd("CloudWatch composite alarm", composite)
        + usd("CloudWatch dashboard", len(list(of_type("AWS::CloudWatch::Dashboard"))))
    )


def logs(it: Setup) -> float:
    """CloudWatch logs, kept for 13 months."""
    gigabytes = it.runs * LOGGED / GB
    return usd("CloudWatch logs, in", gigabytes) + usd("CloudWatch logs, kept", gigabytes * MONTHS_KEPT)


def token(it: Setup) -> float:
    """Secrets Manager."""
    return usd("Secrets Manager secret", it.orgs) + usd("Secrets Manager calls", it.orgs * TOKEN_READS)


def starts(it: Setup) -> float:
    """EventBridge Scheduler; the queues, where a run fails once a day."""
    return usd("Scheduler", it.runs + MINUTES / 5 + 2 * it.orgs * DAYS) + usd("SQS", it.orgs * DAYS)


PARTS = {
    "Kinesis": stream,
    "Lambda": functions,
    "S3": archive,
    "DynamoDB": table,
    "KMS": keys,
    "CloudWatch metrics": metrics,
    "CloudWatch alarms and dashboard": alarms,
    "CloudWatch logs": logs,
    "Secrets Manager": token,
    "Scheduler and SQS": starts,
}


def total(it: Setup) -> float:
    """Of a month."""
    return sum(part(it) for part in PARTS.values())


# ---- what the template and the code say ----


def of_type(kind: str) -> Iterator[dict[str, Any]]:
    """The properties of the template's resources of a type."""
    for resource in template()["Resources"].values():
        if isinstance(resource, dict) and resource.get("Type") == kind:
            yield resource["Properties"]


def memory(function: str) -> int:
    """Megabytes."""
    megabytes: int = template()["Resources"][function]["Properties"]["MemorySize"]
    return megabytes


def alarm_metrics() -> tuple[int, int]:
    """Metrics that alarms look at, each of which is paid for; and composite alarms."""
    watched = [
        sum("MetricStat" in metric for metric in alarm["Metrics"]) if "Metrics" in alarm else 1
        for alarm in of_type("AWS::CloudWatch::Alarm")
    ]
    return sum(watched), len(list(of_type("AWS::CloudWatch::CompositeAlarm")))


OF_AN_ORG = {"LiveLag", "PublishLag", "RunSuccess", "EventsCollected"}  # also with the organisation as a dimension
BY_PASS = {"LateEvents": 2, "VisibilityDelay": 3}  # with the pass as a dimension: one for each
ALSO = {"EventsCollected": 3, "SlackCalls": 2}  # also by pass; also by status: 200, and now and then another
NOT_METRICS = {"SERVICE", "NAMESPACE"}
ONCE_A_DAY = re.compile("Drift|Actions$|Schema|Verif")


def metric_names() -> tuple[int, int, int]:
    """How many metrics are written all the time, once a day, and for every organisation."""
    named = {value for name, value in vars(telemetry).items() if name.isupper() and name not in NOT_METRICS}
    daily = {name for name in named if ONCE_A_DAY.search(name)}
    hourly = sum(BY_PASS.get(name, 1) + ALSO.get(name, 0) for name in named - daily)
    return hourly, len(daily), len(named & OF_AN_ORG)


# ---- counted anew ----


def count(minutes: int = 30) -> dict[str, float]:
    """Outside calls of a run in which every pass reads a window with an event in it, with the real use cases."""
    world = World(lags=ALL_LAGS, lookback_hours=0)
    world.clock.time = DAY_START + 40_000
    for minute in range(60 + minutes):
        if minute == 60:
            before = Counter(world.faults.counts)
        world.slack.add([raw_event(world.slack.now - 65, minute)])
        started = world.clock.time
        world.run()
        world.clock.time = started + 60
    return {name: (number - before[name]) / minutes for name, number in world.faults.counts.items()}


# ---- the page ----


def tables() -> str:
    """What stands between the markers of docs/costs.md."""
    return "\n".join(["", *_parts(), "", *_sums(), "", *_knobs(), "", *_prices(), ""])


def _parts() -> Iterator[str]:
    yield "### One organisation"
    yield ""
    yield f"| USD a month, events/s | {' | '.join(map(str, RATES))} |"
    yield f"|---|{'---:|' * len(RATES)}"
    for name, part in PARTS.items():
        yield f"| {name} | {' | '.join(f'{part(Setup(rate)):,.2f}' for rate in RATES)} |"
    yield f"| **together** | {' | '.join(f'**{total(Setup(rate)):,.0f}**' for rate in RATES)} |"
    yield f"| with an on-demand stream | {' | '.join(f'{total(Setup(rate, on_demand=True)):,.0f}' for rate in RATES)} |"


def _sums() -> Iterator[str]:
    yield "### Many organisations"
    yield ""
    yield f"| USD a month, events/s of all together | {' | '.join(map(str, RATES))} |"
    yield f"|---|{'---:|' * len(RATES)}"
    for orgs in ORGS:
        said = f"{orgs} organisation{'s' * (orgs > 1)}"
        yield f"| {said} | {' | '.join(f'{total(Setup(rate, orgs)):,.0f}' for rate in RATES)} |"
    more = [total(Setup(rate, 2)) - total(Setup(rate)) for rate in RATES]
    yield f"| each one more than the first | {' | '.join(f'{dollars:,.2f}' for dollars in more)} |"


KNOBS = {
    "`StreamRetentionHours=24`": (Setup(retention=24), "consumers may be away for a day only"),
    "`StreamMode=ON_DEMAND`": (Setup(on_demand=True), "nobody has to think of shards"),
    "`ScheduleExpression=rate(5 minutes)`": (Setup(every=5), "events come up to five minutes later"),
    "`LatePassMinutes=0`": (Setup(passes=2), "what Slack shows late comes after a day, not after half an hour"),
    "`KmsKeyArn=` a key that you have": (Setup(own_key=False), "that key's policy must let the functions use it"),
    "`Architecture=x86_64`": (Setup(architecture="x86_64"), "no other difference"),
    "`ColdStorageDays=0`": (Setup(cold_days=0), "batches of less than 128 KB never move: at this rate, none"),
}


def _knobs() -> Iterator[str]:
    yield "### What a parameter changes"
    yield ""
    yield "| parameter | USD a month, 1 event/s | 100 events/s | and |"
    yield "|---|---:|---:|---|"
    for knob, (setup, said) in KNOBS.items():
        changes = [total(msgspec.structs.replace(setup, rate=rate)) - total(Setup(rate)) for rate in (1, 100)]
        yield f"| {knob} | {' | '.join(f'{change + 0.0:+,.2f}' for change in changes)} | {said} |"


def _prices() -> Iterator[str]:
    yield "### Prices"
    yield ""
    yield "| in us-east-1, 2026 | USD | for a | seen |"
    yield "|---|---:|---|---|"
    for name, price in PRICES.items():
        yield f"| {name} | {price.usd:g} | {price.unit} | {'yes' if price.seen else 'no'} |"


def write() -> None:
    """Puts the tables between the markers."""
    start, end = MARKERS
    before, _, rest = PAGE.read_text().partition(start)
    PAGE.write_text(f"{before}{start}\n{tables()}\n{end}{rest.partition(end)[2]}")


def main() -> None:
    """Prints, writes or counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group()
    for option in ("--write", "--count"):
        choice.add_argument(option, action="store_true")
    asked = parser.parse_args()
    if asked.count:
        print(count())
    elif asked.write:
        write()
    else:
        print(tables())


if __name__ == "__main__":
    main()
