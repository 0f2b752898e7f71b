"""Bytes of erased people in the embedded store's file: gone when it is written anew, which nobody may have open then.

While the service runs, it has the file open many times over. So an erasure takes the rows out at once, and leaves a
mark by which the file is written anew when the service ends, or when it starts after it was killed.
"""

from __future__ import annotations

from pathlib import Path

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.service.admission import OURS

MARK = "rewrite"


def owe(folder: Path) -> None:
    """Leave the mark; before the rows are taken out, so that a crash in between forgets nothing."""
    (folder / OURS).mkdir(exist_ok=True)
    (folder / OURS / MARK).touch()


def settle(folder: Path, store: Path) -> bool:
    """Write the file anew where that is owed, and say whether; nobody may have it open."""
    mark = folder / OURS / MARK
    if not mark.exists() or not store.exists():
        return False
    engine = DuckDBEngine(store)
    try:
        engine.rewrite()
    finally:
        engine.close()
    mark.unlink()
    return True
