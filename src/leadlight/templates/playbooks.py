"""The playbooks that come with the package: every folder in `playbooks/` that holds a `leadlight.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from leadlight.errors import NotFoundError, did_you_mean
from leadlight.spec.load import WORKSPACE_FILE
from leadlight.spec.readable import Readable


@dataclass(frozen=True, slots=True)
class Playbook:
    """A ready workspace for one line of business."""

    name: str
    about: str
    """What it ranks, in a line: the first comment of its `leadlight.yaml`."""


@dataclass(frozen=True, slots=True, repr=False)
class Playbooks(Readable):
    """All of them, by name."""

    playbooks: tuple[Playbook, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the list as plain JSON values."""
        return {"playbooks": [{"name": item.name, "about": item.about} for item in self.playbooks]}

    def __str__(self) -> str:
        width = max((len(item.name) for item in self.playbooks), default=0)
        return "\n".join(f"{item.name:<{width}}  {item.about}" for item in self.playbooks)


def playbooks() -> Playbooks:
    """Return every playbook, in the order of their names.

    >>> all(item.about for item in playbooks().playbooks)
    True
    """
    found = [item for item in _root().iterdir() if item.joinpath(WORKSPACE_FILE).is_file()] if _root().is_dir() else []
    return Playbooks(tuple(Playbook(item.name, _about(item)) for item in sorted(found, key=lambda item: item.name)))


def playbook_folder(name: str) -> Traversable:
    """Return where a playbook's files lie. Raises NotFoundError, which lists them all, for a name that is none."""
    known = playbooks()
    names = [item.name for item in known.playbooks]
    if name not in names:
        raise NotFoundError(f"no playbook {name!r}: {did_you_mean(name, names)}", fix=f"The playbooks are:\n{known}")
    return _root() / name


def _root() -> Traversable:
    return files("leadlight") / "playbooks"


def _about(folder: Traversable) -> str:
    first = folder.joinpath(WORKSPACE_FILE).read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").strip().rstrip(".")
