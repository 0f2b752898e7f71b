"""Folders for what is needed for a while only: mended copies of files, exports on their way to whoever asked.

They may hold what is in people's files, so nothing of them may stay. A process that is killed cannot clear up: the next
verb, or whoever needs such a folder next, removes those whose process is gone. That it is gone shows from a lock which
the system takes off a process however it ends; no number of a process, which another may have by then, is looked at.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "leadlight-"
LOCK = ".lock"


class Scratch:
    """A folder that only its owner may read, until `cleanup`.

    >>> scratch = Scratch()
    >>> _ = (scratch.path / "copy.csv").write_text("id")
    >>> scratch.cleanup()
    >>> scratch.path.exists()
    False
    """

    def __init__(self) -> None:
        """Make it, and remove those that were left behind."""
        remove_left()
        made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
        self._lock = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # It gets the name by which others look for it only now: one that is seen without a lock is never in use.
        self.path = made.rename(made.with_name(made.name.removeprefix(".")))

    def cleanup(self) -> None:
        """Remove it with all that is in it; again is nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


@contextmanager
def scratch() -> Iterator[Path]:
    """Have such a folder for as long as the `with`."""
    made = Scratch()
    try:
        yield made.path
    finally:
        made.cleanup()


def remove_left() -> None:
    """Remove the folders of ours whose processes have ended; what cannot be looked at is left to others."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with suppress(OSError):
                if _is_ours(folder):
                    _remove_if_left(folder)


def _is_ours(folder: Path) -> bool:
    """Say whether it is a folder, and no link to one, that this user alone may read."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == 0o700


def _remove_if_left(folder: Path) -> None:
    """Remove a folder unless a process holds its lock. Raises OSError where one does, or there is none to hold."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
