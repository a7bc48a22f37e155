"""A run's side of the stream: an entry's records, until all of them are accepted (step 7)."""

from tests.model import scale
from tests.model.ledger import GaveUpError, Ledger, Steps
from tests.model.words import UnavailableError, marked


class Publisher(Ledger):
    """Remembers what is left of the entry that it is sending."""

    def may_send(self) -> bool:
        return self.stream_failed < scale.TRIES and self.has_time()

    def send(self, number: int, *, patient: bool) -> Steps:
        """True: every record of the entry was accepted."""
        if self.sending is None or self.sending[0] != number:
            self.sending = number, (yield from self.records(number))
        left = self.sending[1]
        while left:
            refused = yield from self.put(left[: scale.RECORDS])
            left[: scale.RECORDS] = refused
            if refused:
                self.stream_failed += 1
                if not patient or not self.may_send():
                    return False
            else:
                self.stream_failed = 0
            if left and not self.has_time():
                return False
        self.sending = None
        return True

    def records(self, number: int) -> Steps:
        entry = yield from self.entry_at(number)
        if entry is None:
            raise GaveUpError(f"entry {number} is missing")
        if not marked(entry):
            return []
        batch = yield from self.batch(entry.key)
        if batch is None:
            raise GaveUpError(f"{entry.key} is missing")
        return [id_ for _, id_ in batch]

    def put(self, records: list[str]) -> Steps:
        """Those that must be sent again."""
        try:
            return (yield "stream", self.world.stream.put, records)
        except UnavailableError:
            return records
