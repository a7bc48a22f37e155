"""The one clock of a simulation: eight bytes in a file that every process has mapped."""

import mmap
import struct
from pathlib import Path

_FORMAT = struct.Struct("d")


class SharedClock:
    """Seconds since the epoch, in a world of its own. Whoever moves it moves it for all."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), _FORMAT.size)

    @classmethod
    def made(cls, path: Path, now: float) -> "SharedClock":
        """A new one."""
        path.write_bytes(_FORMAT.pack(now))
        return cls(path)

    def now(self) -> float:
        """What time it is."""
        now: float = _FORMAT.unpack(self._bytes[:])[0]
        return now

    def go_to(self, now: float) -> None:
        """From now on it is this time."""
        self._bytes[:] = _FORMAT.pack(now)

    def go_on(self, seconds: float) -> None:
        """So much later."""
        self.go_to(self.now() + seconds)
