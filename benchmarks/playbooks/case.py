"""A case: a playbook put on real data, from raw files, as a user of that trade would.

    from case import cases, make
    workspace = make(cases()["support_incidents"], Path("/tmp/incidents"))

Raw data are read from ../shared/data (or the folder that LEADLIGHT_DATA names) and never changed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from leadlight.templates.init import init
from leadlight.workspace import Workspace

DATA = Path(os.environ.get("LEADLIGHT_DATA", Path(__file__).parents[3] / "shared" / "data"))
CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """One playbook on one real data set; its features, scorecards and outcome are used as shipped."""

    name: str
    """Unique, as in `support: incidents`."""
    playbook: str
    data: str
    """The folder in ../shared/data; empty where the case makes its own data."""
    scorecard: str
    """The hand-written scorecard to judge."""
    prepare: Callable[[Path, Path], None] = field(repr=False)
    """(raw folder, workspace's folder without example data): sets the sources, writes or copies what is needed."""
    now: datetime
    """The clock: everything up to here is known. Naive UTC."""
    capacity: float
    """The share of leads the domain can handle; gain is reported at it."""
    outcome: str | None = None
    """Which outcome, where the workspace has several."""
    rows: str = ""
    """What a row is, in one line."""
    practice: Mapping[str, str] = field(default_factory=dict)
    """Label → feature that the domain ranks by today, the higher the sooner; becomes `learn.beside`."""
    literature: str = ""
    """A figure from the literature, with its source."""
    notes: str = ""
    """Traps, and what the figures do not say."""
    slow: bool = False

    @property
    def raw(self) -> Path:
        """The folder of the raw files."""
        return DATA / self.data

    @property
    def present(self) -> bool:
        """Whether the raw files are there, or none are needed."""
        return not self.data or self.raw.is_dir()


def cases() -> dict[str, Case]:
    """Return every case by the name of its file."""
    return {path.stem: load(path) for path in sorted(CASES.glob("*.py"))}


def load(path: Path) -> Case:
    """Return the `CASE` of a file."""
    name = f"playbook_case_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    found: Case = module.CASE
    return found


def make(case: Case, folder: Path, *, ingest: bool = True) -> Workspace:
    """Make the case's workspace in a folder that is not there yet, and read its files."""
    init(folder, playbook=case.playbook, today=case.now.date())
    shutil.rmtree(folder / "data")
    (folder / "data").mkdir()
    case.prepare(case.raw, folder)
    edit(folder, lambda spec: _judged_by(spec, case))
    workspace = Workspace(folder, now=lambda: case.now)
    if ingest:
        workspace.ingest()
    return workspace


def _judged_by(spec: Any, case: Case) -> None:
    """Have gains told at the case's capacity, and what the domain ranks by today stand beside."""
    learn = spec.setdefault("learn", {})
    learn["capacity"] = case.capacity
    if case.practice:
        learn.setdefault("beside", {}).update(case.practice)


def set_sources(folder: Path, sources: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace the sources of a workspace's `leadlight.yaml`: what a user edits, and all a user edits."""
    edit(folder, lambda spec: spec.update(sources={name: dict(source) for name, source in sources.items()}))


def edit(folder: Path, change: Callable[[Any], object]) -> None:
    """Change `leadlight.yaml` in place; comments stay."""
    yaml, path = YAML(), folder / "leadlight.yaml"
    yaml.width = 10_000
    spec = yaml.load(path.read_text(encoding="utf-8"))
    change(spec)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(spec, file)
