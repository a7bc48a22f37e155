"""What came of a simulation, and whether it is as it must be."""

from dataclasses import dataclass
from typing import Any

from benchmarks.load.function import Usage
from benchmarks.load.proof import Seen
from slack_audit.verify.prove import Proof


@dataclass
class Findings:
    """What came of all of it."""

    happened: int
    streamed: Seen
    archive: Seen
    proof: Proof
    starts: int
    states: dict[str, int]
    slack: dict[str, Any]
    beside: dict[str, Usage]

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; nothing, if nothing was lost and nothing twice."""
        said = {
            "events are missing in the archive": self.archive.missing,
            "events stand twice in the archive": self.archive.repeats,
            "things in the archive were never shown": len(self.archive.strange),
            "events are missing in the stream": self.streamed.missing,
            "records of the stream were never shown": len(self.streamed.strange),
            "findings of the verifier": self.proof.faults,
        }
        return [f"{count:,} {what}" for what, count in said.items() if count]

    def summary(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        coverage = self.proof.coverage
        return {
            "events": self.happened,
            "archived": self.archive.met,
            "streamed": self.streamed.met,
            "repeats_in_the_stream": self.streamed.repeats,
            "faults": self.faults,
            "starts": self.states,
            "cold_starts": self.starts,
            "proof": self.proof.summary(),
            "stored_bytes": coverage.stored,
            "unpacked_bytes": coverage.unpacked,
            "slack_calls": self.slack["calls"],
            "slack_entries_served": self.slack["entries_served"],
            "slack_rate_limited": self.slack["rate_limited"],
            "slack_answers_spoiled": self.slack["faults_spoiled"],
            "beside": {name: {"cpu": usage.cpu, "peak_kb": usage.peak} for name, usage in self.beside.items()},
        }
