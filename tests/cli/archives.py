"""Small archives that are told window by window, and folders of them."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.verify.archives import Forge, collected


@cache
def _genesis() -> dict[str, bytes]:
    objects = collected(0)
    return {key: body for key, body in objects.items() if key.endswith("/000000000000.json")}


def archive_of(*windows: tuple[str, int, int, Iterable[bytes]]) -> dict[str, bytes]:
    """The log from its genesis on: of each window pass, first and last second, and the lines of its batch."""
    forge = Forge(_genesis())
    for name, lo, hi, lines in windows:
        forge.append(name if name in {"live", "late", "final"} else "live", lo, hi, lines)
        forge.changed(-1, pass_=name)
    return forge.sealed()


def written(objects: dict[str, bytes], folder: Path) -> Path:
    for key, body in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)
    return folder
