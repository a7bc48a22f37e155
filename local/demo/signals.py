"""Being stopped: the first signal ends the program in order, later ones cannot disturb that."""

import signal
from types import FrameType, TracebackType
from typing import Self

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(BaseException):
    """A signal asked the program to end. Like KeyboardInterrupt it is no Exception: nobody handles it on the way."""

    def __init__(self, number: int) -> None:
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        super().__init__(f"Stopped by {name}. Everything that was started is stopped.")
        self.number = number
        self.exit_code = 128 + number  # as shells have it


class Signals:
    """Raises StoppedError in the main thread when asked to stop, as long as the `with` block lasts."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._previous = [signal.getsignal(number) for number in STOPPING]

    def __enter__(self) -> Self:
        for number in STOPPING:
            signal.signal(number, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in zip(STOPPING, self._previous, strict=True):
            signal.signal(number, handler)

    def ignore(self) -> None:
        """From now on nothing interrupts: what was started is being stopped."""
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)

    def check(self) -> None:
        """Raises StoppedError if a signal came: what the handler raised may have been lost, as in a finalizer."""
        if self._received is not None:
            raise StoppedError(self._received)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.ignore()
        self._received = number
        raise StoppedError(number)
