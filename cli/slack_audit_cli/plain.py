"""Somebody else's text on a terminal: it never controls it, and is never markup."""

from rich.text import Text


def plain(text: str) -> str:
    """With a mark for every character that is not printed."""
    return "".join(it if it.isprintable() else "�" for it in text)


def on_one_line(text: object) -> str:
    """The same, with line breaks and other white space as single spaces."""
    return plain(" ".join(str(text).split()))


def said(text: str, style: str = "") -> Text:
    """The same, for a table."""
    return Text(plain(text), style=style)
