"""A copy of an archive in a folder, as `aws s3 sync s3://BUCKET FOLDER` makes it, only read."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from slack_audit.errors import StorageError


class FolderVault:
    """One folder, which holds `log/` and `raw/`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise StorageError(f"There is no folder {folder}. Name one that holds log/ and raw/ of a copied bucket.")

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Every key with the prefix, which ends with a slash, that comes after another one, in the order of S3."""
        return (key for key in self._under(prefix, after) if key > after)

    def get(self, key: str) -> bytes | None:
        """An object's bytes, None if there is none."""
        try:
            return (self._folder / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise self._failure(key, error) from error

    def get_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """The same for many, in their order."""
        return map(self.get, keys)

    def _under(self, prefix: str, after: str) -> Iterator[str]:
        """Without the folders that end before that key."""
        for name, is_folder in self._listed(prefix):
            if is_folder:
                folder = f"{prefix}{name}/"
                if folder >= after[: len(folder)]:
                    yield from self._under(folder, after)
            else:
                yield os.fsencode(prefix + name).decode(errors="backslashreplace")

    def _listed(self, prefix: str) -> list[tuple[str, bool]]:
        """What lies in one folder, a folder sorted as its slash makes it."""
        try:
            with os.scandir(self._folder / prefix) as found:
                entries = [(it.name, it.is_dir()) for it in found]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._failure(prefix, error) from error
        return sorted(entries, key=lambda it: f"{it[0]}/" if it[1] else it[0])

    def _failure(self, key: str, error: OSError) -> StorageError:
        return StorageError(f"Could not read {self._folder / key} ({error}). Check the permissions of the folder.")
