"""The lists beside the providers: YAML files that are read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@cache
def shipped(name: str) -> Any:
    """Return what stands in a YAML file of this folder.

    >>> "info" in shipped("email.yaml")["roles"]
    True
    """
    return YAML(typ="safe").load((files(__package__) / name).read_text(encoding="utf-8"))


def lines_of(path: Path) -> frozenset[str]:
    """Return the entries of a user's own list: one a line, in lower case, without comments (#) and blank lines."""
    text = path.read_text(encoding="utf-8-sig")
    entries = (line.split("#", 1)[0].strip().lower() for line in text.splitlines())
    return frozenset(entry for entry in entries if entry)
