"""The lists beside the providers: YAML files that are read once; and lists of the user's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from leadlight.errors import NotFoundError, UsageError


@cache
def shipped(name: str) -> Any:
    """Return what stands in a YAML file of this folder.

    >>> "info" in shipped("email.yaml")["roles"]
    True
    """
    return YAML(typ="safe").load((files(__package__) / name).read_text(encoding="utf-8"))


def lines_of(path: Path) -> frozenset[str]:
    """Return the entries of a user's own list: one a line, in lower case, without comments (#) and blank lines.

    Raises NotFoundError or UsageError: no such file, or no text.
    """
    entries = (line.split("#", 1)[0].strip().lower() for line in _read(path).splitlines())
    return frozenset(entry for entry in entries if entry)


def yaml_of(path: Path) -> Any:
    """Return what stands in a YAML file of the user's own. Raises NotFoundError or UsageError."""
    try:
        return YAML(typ="safe").load(_read(path))
    except YAMLError as error:
        problem = " ".join(str(error).split())[:200]
        raise UsageError(f"{path.name} is no YAML: {problem}", fix="Correct the file.") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError:
        raise NotFoundError(f"no file {path.name}", fix="Paths are relative to the workspace.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is no text in UTF-8", fix="Save it as UTF-8.") from None
