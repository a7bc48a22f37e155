"""Files that are whole or not there: written under another name, and renamed when all of it is written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer


def part_of(path: Path) -> Path:
    """The name that a file has until it is whole."""
    return path.with_name(f"{path.name}.part")


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for writing, which has its name only once the block has ended well; else the part stays.

    Raises typer.BadParameter where it cannot be opened, and OSError.
    """
    part = part_of(path)
    with opened_for_writing(part) as out:
        yield out
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)


def opened_for_writing(path: Path) -> BinaryIO:
    """A new file instead of what there was; raises typer.BadParameter."""
    try:
        return open(path, "wb")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror})", param_hint="--output") from error
