"""Opens a zip that may be anything: nothing is unpacked to the disk, and nothing is read without a bound."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedReader, RawIOBase
from lzma import LZMAError
from pathlib import Path
from typing import IO, Protocol, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from slack_audit_cli.evidence.layout import NotAPackageError

MOST_MEMBERS = 1_000_000
MOST_TIMES = 200  # events pack to a tenth or so: what unpacks to more than this is no package of ours
SPARE = 1 << 26  # bytes that may always come out
CHUNK = 1 << 20
NOT_READ = (BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, zlib.error, LZMAError)
"""What zipfile raises for a member that is damaged, encrypted, or compressed in a way that nobody knows."""


class Readable(Protocol):
    """What has lines."""

    def readline(self, size: int, /) -> bytes:
        """The next line with its break, or as much of it; nothing at the end."""


class UnreadableError(Exception):
    """A member that cannot be read; the text says why."""


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """The zip. Raises NotAPackageError."""
    try:
        with open(path, "rb") as file, ZipFile(file) as found:
            _refuse_bombs(found, path)
            yield found
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise NotAPackageError(
            f"{path} cannot be read as a zip ({error}). Copy it again from where it came."
        ) from error


def _refuse_bombs(found: ZipFile, path: Path) -> None:
    infos = found.infolist()
    size, unpacked = path.stat().st_size, sum(it.file_size for it in infos)
    if len(infos) > MOST_MEMBERS or unpacked > SPARE + MOST_TIMES * size:
        raise NotAPackageError(
            f"{path} has {size:,} bytes and would unpack to {unpacked:,} in {len(infos):,} files: this is no evidence "
            "package, and nothing in it was read."
        )


def measured(found: ZipFile, info: ZipInfo) -> tuple[str, int]:
    """A member's SHA-256 and size, read piece by piece. Raises UnreadableError."""
    digest, size = sha256(), 0
    with member(found, info.filename) as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def contents(found: ZipFile, name: str, most: int) -> bytes:
    """A small member. Raises UnreadableError, also where it is larger."""
    with member(found, name) as file:
        body = file.read(most + 1)
    if len(body) > most:
        raise UnreadableError(f"is larger than {most:,} bytes")
    return body


@contextmanager
def member(found: ZipFile, name: str) -> Iterator[IO[bytes]]:
    """A member for reading. Raises UnreadableError, also for what goes wrong inside."""
    try:
        with found.open(name) as file, BufferedReader(cast("RawIOBase", file), CHUNK) as buffered:
            yield buffered  # which finds lines much faster
    except KeyError:
        raise UnreadableError("is missing") from None
    except NOT_READ as error:
        raise UnreadableError(f"cannot be read ({error})") from error


def lines(file: Readable, most: int) -> Iterator[bytes]:
    """Its lines without their breaks. Raises UnreadableError for one that is longer."""
    while line := file.readline(most + 1):
        if len(line) > most:
            raise UnreadableError(f"has a line of more than {most:,} bytes")
        yield line.removesuffix(b"\n")
