"""From a path or glob to the files it means."""

from __future__ import annotations

import difflib
import glob
import os
from dataclasses import dataclass
from pathlib import Path

from leadlight.errors import DataError, Fault

MAX_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Located:
    """A file and how it is shown to the user: relative to the workspace where it lies inside."""

    path: Path
    shown: str


def locate(pattern: str, root: Path, source: str) -> list[Located]:
    """Find the files of a path or glob (`*`, `?`, `[…]`, `**`), sorted by name; hidden files are left out.

    Raises DataError when there are none, naming the folder and the files nearest to what was asked for.
    """
    full = str(root / Path(pattern).expanduser())
    if Path(full).is_dir():
        raise _fault(source, f"{pattern} is a folder, not a file: write {pattern.rstrip('/')}/* for the files in it")
    if Path(full).exists():
        return [_located(Path(full), root)]
    found = [Path(name) for name in sorted(glob.glob(full, recursive=True)) if Path(name).is_file()]  # noqa: PTH207
    if not found:
        raise _fault(source, _none_found(pattern, Path(full), root))
    return [_located(path, root) for path in found]


def _located(path: Path, root: Path) -> Located:
    real, base = os.path.abspath(path), os.path.abspath(root)  # noqa: PTH100 (links stay as the user wrote them)
    inside = os.path.commonpath([real, base]) == base
    return Located(path, Path(os.path.relpath(real, base)).as_posix() if inside else real)


def _none_found(pattern: str, full: Path, root: Path) -> str:
    """Say which folder was looked in and which of its files come nearest."""
    folder = full.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    shown = _located(folder, root).shown
    there = "the workspace's folder" if shown == "." else f"folder {shown}"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    what = "no file matches" if glob.has_magic(str(full)) else "there is no file"
    if not names:
        return f"{what} {pattern}: {there} has no files"
    near = difflib.get_close_matches(full.name, names, n=MAX_NEAREST, cutoff=0.4) or names[:MAX_NEAREST]
    return f"{what} {pattern}: {there} has {', '.join(near)}{', …' if len(names) > len(near) else ''}"


def _fault(source: str, message: str) -> DataError:
    return DataError([Fault(message, path=f"sources.{source}")])
