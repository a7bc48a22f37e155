"""Where the collection of an org starts."""

from slack_audit.errors import RangeRefusedError
from slack_audit.events import EARLIEST_SECOND
from slack_audit.read import Reader
from slack_audit.windows import Window

HOUR = 3_600  # seconds


def first_second(reader: Reader, lookback_hours: int) -> int:
    """The second that every standing pass starts with. Slack has answered for it: what a person must undo is not
    written before. Raises SourceError and ExhaustedError."""
    while True:
        now = int(reader.slack_now())
        start = max(EARLIEST_SECOND, now - lookback_hours * HOUR)
        first = min(start, now - 1)
        try:
            reader.can_read(Window(first, first))
        except RangeRefusedError:
            if first < int(reader.slack_now()):
                raise
            continue  # our clock was ahead of Slack's; the refusal has corrected it
        return start
