"""The views and the named queries, each a .sql file: a comment that says what it answers, then Athena's SQL."""

from functools import cache
from importlib.resources import files

import msgspec

LAST_WEEK = "date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')"  # where every query of events begins
MUST_BE_EMPTY = ("duplicates", "orphans")  # a row is something wrong


class Statement(msgspec.Struct, frozen=True):
    """A view or a query: its name, what it answers in a sentence, and its SQL."""

    name: str
    answers: str
    sql: str

    def since(self, day: str) -> str:
        """Its SQL from this day on instead of for the last week; the day is `YYYY-MM-DD`."""
        return self.sql.replace(LAST_WEEK, f"'{day}'")


@cache
def views() -> dict[str, Statement]:
    """`events` and `entries`."""
    return _read("views")


@cache
def queries() -> dict[str, Statement]:
    """All of them, by name."""
    return _read("queries")


def _read(folder: str) -> dict[str, Statement]:
    found = {}
    for file in sorted(files(__package__).joinpath(folder).iterdir(), key=lambda it: it.name):
        if file.name.endswith(".sql"):
            first, _, sql = file.read_text().partition("\n")
            name = file.name.removesuffix(".sql")
            found[name] = Statement(name, first.removeprefix("-- "), sql.strip())
    return found
