"""An archive whose objects stay in a folder once they were fetched: they never change under their key."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from slack_audit.adapters.vault_folder import FolderVault
from slack_audit.errors import StorageError
from slack_audit.verify.vault import Vault

AT_ONCE = 64  # objects that are looked for in the folder, and fetched, together


class CachedVault:
    """Another vault, and a folder that holds what was fetched as `aws s3 sync` lays it out."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        self._vault = vault
        self._root = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"Cannot keep objects in {folder} ({error}). Name another --cache.") from error
        self._folder = FolderVault(folder)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """As the archive has them now."""
        return self._vault.keys(prefix, after)

    def get(self, key: str) -> bytes | None:
        """From the folder, or fetched into it; None if there is none."""
        return next(self.get_many([key]))

    def get_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """The same for many, in their order."""
        waiting = iter(keys)
        while some := list(islice(waiting, AT_ONCE)):
            there = {key: self._folder.get(key) if _is_inside(key) else None for key in some}
            missing = [key for key, body in there.items() if body is None]
            for key, body in zip(missing, self._vault.get_many(missing), strict=True):
                there[key] = body
                if body is not None and _is_inside(key):
                    self._keep(key, body)
            yield from (there[key] for key in some)

    def _keep(self, key: str, body: bytes) -> None:
        """Whole or not at all: what is cut off in between is fetched again."""
        path = self._root / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.part")
            part.write_bytes(body)
            os.replace(part, path)
        except OSError as error:
            raise StorageError(f"Cannot keep {path} ({error}). Make room, or name another --cache.") from error


def _is_inside(key: str) -> bool:
    """A key may be anything in S3, and lead out of the folder here."""
    return ".." not in key.split("/")
