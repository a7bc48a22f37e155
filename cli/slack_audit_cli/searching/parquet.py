"""A Parquet file, made by DuckDB of rows that are first written beside it, so that memory stays flat."""

from glob import escape
from pathlib import Path
from typing import BinaryIO

import msgspec

from slack_audit_cli.committed import Found
from slack_audit_cli.searching.columns import COLUMNS, row_of

NUMBERS = ("date_create", "entry", "line")
ROWS_A_GROUP = 8_192  # what one group holds in memory before it is compressed
LEAST = 1 << 23  # bytes: DuckDB reads in pieces of twice that, and a row must fit into one


class Rows:
    """The rows, one JSON object a line."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.longest = 0  # bytes

    def write(self, found: Found) -> None:
        """Its row."""
        row = msgspec.json.encode(row_of(found)) + b"\n"
        self.longest = max(self.longest, len(row))
        self._out.write(row)

    def end(self) -> None:
        """All of them are in the file."""
        self._out.flush()


def columnar(rows: Path, target: Path, longest: int) -> None:
    """Writes the rows as Parquet with Zstandard. `time` is a UTC timestamp, numbers are BIGINT. Raises OSError.

    `longest` is the longest row in bytes.
    """
    import duckdb  # noqa: PLC0415 - a third of a second, which no other format needs

    types = {name: "BIGINT" if name in NUMBERS else "VARCHAR" for name in COLUMNS}
    chosen = ", ".join("to_timestamp(date_create) AS time" if name == "time" else f'"{name}"' for name in COLUMNS)
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_A_GROUP}"
    form = f"format='newline_delimited', maximum_object_size={max(LEAST, longest)}, columns={types}"
    source = f"read_json({_quoted(Path(escape(str(rows))))}, {form})"
    try:
        with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as database:
            database.execute(f"COPY (SELECT {chosen} FROM {source}) TO {_quoted(target)} ({options})")  # noqa: S608 - ours
    except duckdb.Error as error:
        raise OSError(str(error)) from error
    except RuntimeError as error:  # what DuckDB makes of Ctrl-C
        raise KeyboardInterrupt from error


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
