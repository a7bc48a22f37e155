"""What commands cost that read an archive: each a process of its own, as a person types it."""

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.archive import batches_of, of_size, upload
from benchmarks.cost import Cost, asks_for_json, of_command, tell
from benchmarks.performance.processes import started
from benchmarks.performance.stage import AWS, BUCKET, without_a_proxy

type Commands = Mapping[str, tuple[str, Sequence[str]]]
"""By name: what people call it, and what is typed behind `slack-audit`, with `{folder}` for one to write into."""


def run(description: str | None, commands: Commands) -> None:
    """Reads the arguments, makes the archive, runs each command, prints."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batches", type=int, help="one for 500 events, if not said")
    parser.add_argument("--s3", action="store_true", help="from an S3 at wire speed, over HTTP, and not from a folder")
    parser.add_argument("--only", choices=commands, nargs="+", default=list(commands))
    asks_for_json(parser)
    asked = parser.parse_args()
    chosen = {name: commands[name] for name in asked.only}
    folder = of_size(asked.events, asked.batches or batches_of(asked.events))
    without_a_proxy()
    if not asked.s3:
        tell(_costs(chosen, ["--folder", str(folder)], asked.events), asked.json)
        return
    with started("wire") as aws:
        os.environ.update({**AWS, "AWS_ENDPOINT_URL": aws})
        upload(folder, BUCKET)
        tell(_costs(chosen, ["--bucket", BUCKET], asked.events), asked.json)


def _costs(commands: Commands, place: Sequence[str], events: int) -> Iterator[Cost]:
    for name, (title, typed) in commands.items():
        with tempfile.TemporaryDirectory(prefix="slack-audit-") as folder:
            command, *options = (it.format(folder=folder) for it in typed)
            yield of_command(name, title, events, [command, *place, *options])
