"""What is printed around the display: what a person can try meanwhile, and the verdict at the end."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from local.aws import CREDENTIALS, REGION
from local.demo.evidence import LOG_GROUP
from local.demo.options import Options
from local.demo.proof import Proof
from local.demo.screen import duration
from local.demo.stage import ORG, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the summary tells besides the proof."""

    backlog: int
    runs: int
    calls: int
    faults: int
    seconds: float


def intention(options: Options) -> str:
    """What is about to happen."""
    live = f", then {options.live_events:,} that keep arriving" if options.live_events else ""
    return (
        f"Collects {options.events:,} events of the last 24 hours{live}, and proves it.\n"
        "Takes three to four minutes; Ctrl-C stops everything at any time.\n"
    )


def commands(stage: Stage) -> str:
    """What to type in another terminal while it runs."""
    made = stage.outputs
    bucket, stream = made["ArchiveBucketName"], made["EventStreamName"]
    variables = {"AWS_ENDPOINT_URL": stage.aws.endpoint, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION}
    shard = f"--stream-name {stream} --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON"
    iterator = f"$(aws kinesis get-shard-iterator {shard} --query ShardIterator --output text)"
    return "\n".join(
        [
            "",
            "Any AWS tool can look at it, in another terminal:",
            f"export {' '.join(f'{name}={value}' for name, value in variables.items() if value)}",
            f"aws s3 ls s3://{bucket}/raw/ --recursive",
            f"aws s3 cp s3://{bucket}/log/org={ORG}/000000000001.json -",
            f"aws kinesis get-records --limit 2 --shard-iterator {iterator}",
            f"aws dynamodb scan --table-name {made['CheckpointTableName']}",
            f"aws logs filter-log-events --log-group-name {LOG_GROUP}",
            f".venv/bin/slack-audit verify --org {ORG} --bucket {bucket}",
            f"curl {stage.slack.control_url}/status",
        ]
    )


def render(proof: Proof, figures: Figures) -> RenderableType:
    """The figures, the claims, and the verdict."""
    return Group(
        Text(),
        Rule(Text(" What was collected, compared byte for byte ", style="bold"), style="cyan", align="left"),
        _totals(proof, figures),
        Text(),
        *_claims(proof),
        Text(),
        _verdict(proof),
    )


def _totals(proof: Proof, figures: Figures) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    live = max(0, proof.served - figures.backlog)
    spoiled = f"{figures.faults:,} of them answered badly, on purpose" if figures.faults else "all answered well"
    took = f"the demonstration took {duration(figures.seconds)} minutes"
    sizes = f"{proof.objects:,} objects, {decimal(proof.stored)} ({decimal(proof.unpacked)} unpacked)"
    table.add_row("shown by Slack", f"{proof.served:,}", f"{figures.backlog:,} as the backlog, {live:,} live")
    table.add_row("archived in S3", f"{proof.archived:,}", sizes)
    table.add_row("distinct in the stream", f"{proof.streamed:,}", f"{proof.repeats:,} repeats")
    table.add_row("runs by the schedule", f"{figures.runs:,}", took)
    table.add_row("calls to Slack", f"{figures.calls:,}", spoiled)
    return table


def _claims(proof: Proof) -> Iterator[RenderableType]:
    """A line for each claim, and below it what contradicts it."""
    wide = max(len(check.claim) for check in proof.checks)
    for check in proof.checks:
        mark = ("✗", "bold red") if check.faults else ("✓", "bold green")
        yield Text.assemble(mark, f"  {check.claim:<{wide}}  {check.figure:>20}")
        for fault in check.faults:
            yield Padding(Text(fault, style="red", overflow="fold"), (0, 0, 0, 3))


def _verdict(proof: Proof) -> Text:
    if proof.proven:
        said = f"PROVEN: shown = archived = streamed = {proof.served:,} events; none lost, none twice."
        return Text(said, style="bold green")
    failed = sum(1 for check in proof.checks if check.faults)
    return Text(f"NOT PROVEN: {failed} of {len(proof.checks)} claims are contradicted, see ✗.", style="bold red")
