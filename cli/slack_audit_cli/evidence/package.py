"""A zip that is written member by member, each with its digest. The same members give the same bytes."""

import shutil
from collections.abc import Buffer, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedWriter, RawIOBase
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self, override
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from slack_audit_cli.evidence.layout import Member

BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say: when it was made, the manifest says
READABLE = 0o100644 << 16
PIECE = 1 << 16  # bytes that are compressed at once


class Package:
    """The zip under way, and what is in it so far."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = ZipFile(out, "w", allowZip64=True)
        self.members: dict[str, Member] = {}

    @contextmanager
    def member(self, name: str, *, packed: bool = False) -> Iterator[BinaryIO]:
        """A new member, which is written until the block ends. `packed`: it is compressed already."""
        info = ZipInfo(name, BEGINNING)
        info.compress_type = ZIP_STORED if packed else ZIP_DEFLATED
        info.external_attr = READABLE
        info.create_system = 3  # the same bytes on every system
        with self._zip.open(info, "w", force_zip64=True) as out:
            counted = _Counted(out)
            with BufferedWriter(counted, PIECE) as buffered:
                yield buffered
        self.members[name] = Member(counted.digest.hexdigest(), counted.size)

    def add(self, name: str, body: bytes, *, packed: bool = False) -> None:
        """A member that is at hand."""
        with self.member(name, packed=packed) as out:
            out.write(body)

    def add_file(self, name: str, path: Path) -> None:
        """A member that waits in a file."""
        with self.member(name) as out, open(path, "rb") as file:
            shutil.copyfileobj(file, out, PIECE)

    def __enter__(self) -> Self:
        """For the time of a `with` block, which must call `end`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """What was not ended is left as it is: else zipfile would write to a file that is closed by then."""
        self._zip.fp = None

    def end(self) -> None:
        """No more members."""
        self._zip.close()


class _Counted(RawIOBase):
    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.digest = sha256()
        self.size = 0

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        self.digest.update(data)
        self.size += memoryview(data).nbytes
        return self._out.write(data)
