"""Small documents that all processes of a service share: its keys, its logins. In files, or in a table of the store.

A shelf is read as a whole and changed one change at a time, whoever else changes it: the embedded service keeps files
that only their owner may read, several processes on one PostgreSQL a table there.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from leadlight.engines.base import Engine
from leadlight.errors import StoreError

Document = Any
"""Plain JSON values."""

Change = Callable[[Document], Document]

TABLES = (
    "CREATE TABLE IF NOT EXISTS live_documents (name VARCHAR NOT NULL, version BIGINT NOT NULL, "
    "content VARCHAR NOT NULL)",
)


class Shelf(Protocol):
    """A place for documents."""

    def version(self, name: str) -> object:
        """Return what is another thing whenever the document is another; None where there is no document."""

    def read(self, name: str) -> Document:
        """Return a document; None where there is none. Raises StoreError where it holds no JSON."""

    def change(self, name: str, change: Change) -> Document:
        """Put in a document's place what `change` makes of it, and return that; nobody else changes it meanwhile."""


class FileShelf:
    """Documents as files of one folder, which only their owner may read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shelf = FileShelf(Path(folder))
    ...     shelf.read("keys"), shelf.change("keys", lambda found: [*(found or []), 1]), shelf.read("keys")
    (None, [1], [1])
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._lock = folder, Lock()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def version(self, name: str) -> object:
        """Return when the file was written, and which it is."""
        try:
            found = self._path(name).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def read(self, name: str) -> Document:
        """Return a document; None where there is none."""
        path = self._path(name)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, OSError):
            raise no_document(path.name, self.folder) from None

    def change(self, name: str, change: Change) -> Document:
        """Write the document beside the file, then put it in its place. Raises StoreError where that is not to be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock, locked(self.folder / ".lock"):
                content = change(self.read(name))
                self._write(self._path(name), content)
        except OSError as error:
            raise StoreError(
                f"{name}.json cannot be written: {error.strerror}", fix="See to room on the disk, then send it again."
            ) from None
        return content

    def _write(self, path: Path, content: Document) -> None:
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


class TableShelf:
    """Documents as rows of a table, over a connection of their own, made again where it was lost."""

    def __init__(self, engine: Engine) -> None:
        """Make the table where there is none."""
        self.engine, self._lock = engine, Lock()
        make_tables(engine, "live_documents", TABLES)

    def version(self, name: str) -> object:
        """Return how often the document was changed."""
        with self._lock, asked(self.engine):
            return self.engine.rows("SELECT max(version) FROM live_documents WHERE name = ?", [name])[0][0]

    def read(self, name: str) -> Document:
        """Return a document; None where there is none."""
        with self._lock, asked(self.engine):
            return self._read(name)[1]

    def _read(self, name: str) -> tuple[int, Document]:
        found = self.engine.rows("SELECT version, content FROM live_documents WHERE name = ?", [name])
        try:
            return (int(found[0][0]), json.loads(found[0][1])) if found else (0, None)
        except ValueError:
            raise no_document(name, "the table live_documents") from None

    def change(self, name: str, change: Change) -> Document:
        """Change the document's row, in a transaction of its own."""
        with self._lock, asked(self.engine), self.engine.transaction():
            version, found = self._read(name)
            content = change(found)
            self.engine.execute("DELETE FROM live_documents WHERE name = ?", [name])
            self.engine.execute("INSERT INTO live_documents VALUES (?, ?, ?)", [name, version + 1, json.dumps(content)])
        return content


def make_tables(engine: Engine, known_by: str, statements: Sequence[str]) -> None:
    """Make tables where they are not there yet, one process at a time."""
    if not engine.columns(known_by):
        with engine.transaction():
            for statement in statements:
                engine.execute(statement)


@contextmanager
def asked(engine: Engine) -> Iterator[None]:
    """Ask an engine over a connection that lives; a fault of the driver is a StoreError.

    Raises StoreError.
    """
    engine.revive()
    try:
        yield
    except engine.fault as error:
        said = str(error).strip().partition("\n")[0]
        raise StoreError(f"the store cannot be asked: {said}", fix="Try again when it is reachable.") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let no other process in before this one is out."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def no_document(name: str, where: object) -> StoreError:
    """Return the fault of a document that holds something else."""
    return StoreError(f"{name} in {where} is not what Leadlight wrote", fix="Put it back from a backup, or remove it.")
