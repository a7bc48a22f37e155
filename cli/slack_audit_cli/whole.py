"""Files that are whole or not there: written under another name, and renamed when all of it is written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

from slack_audit_cli.codes import NOT_DONE

BUFFER = 1 << 20  # bytes: a write costs, however little is written


def part_of(path: Path) -> Path:
    """The name that a file has until it is whole."""
    return path.with_name(f"{path.name}.part")


@contextmanager
def whole(path: Path, *, keeps_part: bool = False) -> Iterator[BinaryIO]:
    """Opens a file for writing, which has its name only once the block has ended well; else the part goes, or stays.

    Raises typer.BadParameter where it cannot be opened, and OSError.
    """
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder: name a file in it", param_hint="--output")
    part = part_of(path)
    out = opened_for_writing(part)
    try:
        with out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except BaseException:
        if not keeps_part:
            part.unlink(missing_ok=True)
        raise


@contextmanager
def told_if_unwritten(path: Path) -> Iterator[None]:
    """What cannot be written, a full disk mostly, ends with 2 and a sentence."""
    try:
        yield
    except OSError as error:
        typer.echo(f"{path} could not be written: {error}. Make room, or name another --output.", err=True)
        raise typer.Exit(NOT_DONE) from error


def opened_for_writing(path: Path) -> BinaryIO:
    """A new file instead of what there was; raises typer.BadParameter."""
    try:
        return open(path, "wb", buffering=BUFFER)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror})", param_hint="--output") from error
