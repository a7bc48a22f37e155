"""The page: one HTML file that needs nothing else.

What anybody wrote reaches it on two ways only: through the template, which escapes it, and as JSON in a block that the
browser does not run. A policy in the page lets run nothing but the two scripts whose SHA-256 it names, and connect to
nowhere.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

SCRIPTS = ("data.js", "charts.js", "tables.js", "page.js")
DATA = "{{ data }}"  # where they stand in the template
ESCAPED = ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"), ("\u2028".encode(), b"\\u2028"))
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def page(values: dict[str, Any], data: dict[str, Any]) -> list[bytes]:
    """The HTML in pieces. `values` are the template's, `data` is what the scripts show."""
    charts, own = get_plotlyjs(), "\n".join(["'use strict';", *map(_asset, SCRIPTS)])
    ours = {
        "policy": POLICY.format(scripts=" ".join(map(_hash, (charts, own)))),
        "style": Markup(_asset("page.css")),  # noqa: S704 - ours
        "charts": Markup(charts),  # noqa: S704 - Plotly's
        "script": Markup(own),  # noqa: S704 - ours
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    # The data are most of it: they stay bytes, beside the template.
    before, after = _asset("page.html").split(DATA)
    first, last = (environment.from_string(it).render(**values, **ours).encode() for it in (before, after))
    return [first, as_block(data), last]


def as_block(data: Any) -> bytes:
    """JSON that may stand in a `<script>`: nothing in it can end it, or begin anything."""
    encoded = msgspec.json.encode(data)
    for found, escaped in (*ESCAPED, ("\u2029".encode(), b"\\u2029")):
        encoded = encoded.replace(found, escaped)
    return encoded


@cache
def _asset(name: str) -> str:
    return (files("slack_audit_cli.page") / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
