"""What can be said on the command line."""

import argparse
from dataclasses import dataclass
from typing import Self

DESCRIPTION = """\
Builds the application, deploys it with the SAM CLI into an AWS that runs on this machine, and lets its schedule collect
from a stand-in for Slack: first a backlog of 24 hours, then events that keep arriving. Then it proves, byte for byte,
that every event is archived once and is in the stream. Takes three to four minutes; Ctrl-C stops everything.
"""
ENDING = "Exit codes: 0 proven, 1 not proven or failed, 130 stopped by Ctrl-C."


@dataclass(frozen=True, slots=True)
class Options:
    """What the demonstration does."""

    events: int
    per_second: float
    seconds: float
    seed: int
    port: int | None
    faults: bool
    keep: bool
    plain: bool

    @classmethod
    def parse(cls, arguments: list[str] | None = None) -> Self:
        """From the command line; ends the program if they are no good."""
        return cls(**vars(_parser().parse_args(arguments)))

    @property
    def live_events(self) -> int:
        """How many events keep arriving after the backlog, about."""
        return int(self.per_second * self.seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.demo",
        description=DESCRIPTION,
        epilog=ENDING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--events", type=_count, default=60_000, help="of the backlog, over the last 24 h (60000)")
    parser.add_argument("--per-second", type=_number, default=20.0, help="live events after that (20)")
    parser.add_argument("--seconds", type=_number, default=60.0, help="for how long they keep arriving (60)")
    parser.add_argument("--seed", type=int, default=1, help="another one gives other events (1)")
    parser.add_argument("--port", type=_count, default=None, help="of the embedded AWS (any free one)")
    parser.add_argument(
        "--faults",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Slack answers with a 503, a 429 and half a body on the way",
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running after the proof, until Ctrl-C")
    parser.add_argument("--plain", action="store_true", help="lines only, as when the output is not a terminal")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not above 0")
    return value


def _number(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to a billion")
    return value
