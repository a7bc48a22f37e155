"""The views and named queries of analytics.yaml, made from the SQL that `slack-audit sql` runs.

    python -m local.queries            writes them into analytics.yaml
    python -m local.queries --check    ends with 1 if they are not what stands there

Each .sql file is one view or query: its first line is a comment that says what it answers, the rest is Athena's SQL.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple, cast

import sqlglot
from sqlglot import exp

from local.deploy import ROOT

ANALYTICS = ROOT / "analytics.yaml"
SQL = ROOT / "cli" / "slack_audit_cli" / "sql"
BEGIN, END = "  # ---- made by make queries", "\nOutputs:\n"
HIVE = {"varchar": "string", "bigint": "bigint", "timestamp(3)": "timestamp"}  # Athena's type: Glue's


class Statement(NamedTuple):
    """A view or a query: its name, what it answers in a sentence, and its SQL without the comment."""

    name: str
    answers: str
    sql: str


def statements(folder: Path) -> list[Statement]:
    """Those of a folder, by name. Raises ValueError for a file that does not begin with what it answers."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        first, _, sql = path.read_text().partition("\n")
        if not first.startswith("-- ") or not first.endswith("."):
            raise ValueError(f"{path} must begin with a comment of one sentence that says what it answers")
        found.append(Statement(path.stem, first.removeprefix("-- "), sql.strip()))
    return found


def columns(view: Statement) -> dict[str, str]:
    """A view's columns in order, each with Athena's type: that of the cast that makes it, text without one."""
    parsed = cast("exp.Select", sqlglot.parse_one(view.sql, read="athena"))
    return {column.alias_or_name: _type(column) for column in parsed.selects}


def _type(column: exp.Expr) -> str:
    inner = column.unalias()
    if isinstance(inner, exp.Try):
        inner = inner.this
    return inner.args["to"].sql("trino").lower() if isinstance(inner, exp.Cast) else "varchar"


def resources() -> str:
    """All of them, as the template has them."""
    views = [_view(it) for it in statements(SQL / "views")]
    return "\n".join([*views, *(_query(it) for it in statements(SQL / "queries"))])


def _view(view: Statement) -> str:
    """As Athena itself keeps a view in Glue: JSON in base64, which Trino calls a Presto view."""
    typed = columns(view)
    kept = {
        "originalSql": view.sql,
        "catalog": "awsdatacatalog",
        "schema": "${Database}",
        "columns": [{"name": name, "type": kind} for name, kind in typed.items()],
    }
    listed = "".join(f"            - {{Name: {name}, Type: {HIVE[kind]}}}\n" for name, kind in typed.items())
    return f"""\
  {_logical_id(view.name)}View:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: {view.name}
        Description: {json.dumps(view.answers)}
        TableType: VIRTUAL_VIEW
        Parameters: {{presto_view: "true"}}
        PartitionKeys: []
        StorageDescriptor:
          Columns:
{listed}          SerdeInfo: {{}}
        ViewOriginalText: !Sub
          - "/* Presto View: ${{View}} */"
          - View:
              Fn::Base64: !Sub {json.dumps(json.dumps(kept))}
        ViewExpandedText: /* Presto View */
"""


def _query(query: Statement) -> str:
    text = "".join(f"        {line}\n" for line in query.sql.splitlines())
    return f"""\
  {_logical_id(query.name)}Query:
    Type: AWS::Athena::NamedQuery
    Properties:
      Name: {query.name}
      Description: {json.dumps(query.answers)}
      Database: !Ref Database
      WorkGroup: !Ref AthenaWorkgroup
      QueryString: |
{text}"""


def _logical_id(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def rewritten(template: str) -> str:
    """The template with them as they are now."""
    head, begin, rest = template.partition(BEGIN)
    line, _, _ = rest.partition("\n")
    _, end, tail = template.partition(END)
    return f"{head}{begin}{line}\n\n{resources()}{end}{tail}"


def main() -> None:
    """Writes, or compares."""
    template = ANALYTICS.read_text()
    wanted = rewritten(template)
    if "--check" not in sys.argv[1:]:
        ANALYTICS.write_text(wanted)
    elif wanted != template:
        sys.exit("analytics.yaml is not what the SQL says: make queries")


if __name__ == "__main__":
    main()
