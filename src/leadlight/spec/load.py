"""Read `leadlight.yaml` and `scorecards/*.yaml`: specs that know the place of every value, or all faults at once."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from leadlight.errors import Fault, NotFoundError, SpecError, did_you_mean
from leadlight.spec.marks import Marks
from leadlight.spec.models import ScorecardSpec, WorkspaceSpec
from leadlight.spec.validation import validate
from leadlight.spec.yaml import Parsed, read_yaml

WORKSPACE_FILE = "leadlight.yaml"
SCORECARD_FOLDER = "scorecards"
MAX_BYTES = 2_000_000
"""How large a file may be; a learned scorecard of 60 features with many pairs has some 100 kB."""

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """A spec, the file it was read from (as shown to the user), and where its values stand there."""

    spec: T
    file: str
    marks: Marks


@dataclass(frozen=True, slots=True)
class LoadedWorkspace:
    """A folder's specs; scorecards by name, which is the name of their file without `.yaml`."""

    root: Path
    workspace: Document[WorkspaceSpec]
    scorecards: dict[str, Document[ScorecardSpec]]


def load_workspace(folder: Path) -> LoadedWorkspace:
    """Read a workspace's files.

    Raises NotFoundError where there is no `leadlight.yaml`, SpecError with all faults of all files.
    """
    path = folder / WORKSPACE_FILE
    if not path.exists():
        raise _no_workspace(folder)
    workspace, faults = _load(path, WORKSPACE_FILE, WorkspaceSpec)
    scorecards: dict[str, Document[ScorecardSpec]] = {}
    for file in _scorecard_files(folder):
        shown = f"{SCORECARD_FOLDER}/{file.name}"
        if file.suffix != ".yaml":
            faults.append(Fault(f"a scorecard's file ends in .yaml: rename it to {file.stem}.yaml", shown))
            continue
        document, more = _load(file, shown, ScorecardSpec)
        faults += more
        if document is not None:
            scorecards[file.stem] = document
    if faults or workspace is None:
        raise SpecError(faults)
    return LoadedWorkspace(folder, workspace, scorecards)


def load_scorecard(path: Path) -> Document[ScorecardSpec]:
    """Read one scorecard's file.

    Raises NotFoundError where there is none, SpecError with all its faults.
    """
    if not path.exists():
        near = [file.name for file in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        raise NotFoundError(f"no scorecard {path}: {did_you_mean(path.name, near)}")
    document, faults = _load(path, path.as_posix(), ScorecardSpec)
    if faults or document is None:
        raise SpecError(faults)
    return document


def _scorecard_files(folder: Path) -> list[Path]:
    inside = folder / SCORECARD_FOLDER
    if not inside.is_dir():
        return []
    return sorted(
        file for file in inside.iterdir() if file.suffix in (".yaml", ".yml") and not file.name.startswith(".")
    )


def _no_workspace(folder: Path) -> NotFoundError:
    if not folder.is_dir():
        return NotFoundError(f"no folder {folder}", fix="Name the folder that holds leadlight.yaml.")
    if (folder / "leadlight.yml").exists():
        return NotFoundError(f"no {WORKSPACE_FILE} in {folder}", fix="Rename leadlight.yml to leadlight.yaml.")
    return NotFoundError(
        f"no {WORKSPACE_FILE} in {folder}", fix="Make a workspace with `leadlight init`, or go to one."
    )


def _load(path: Path, shown: str, model: type[T]) -> tuple[Document[T] | None, list[Fault]]:
    text = _read(path, shown)
    if isinstance(text, Fault):
        return None, [text]
    parsed = read_yaml(text, shown)
    faults = list(parsed.faults)
    if parsed.marks.root is None:
        return None, faults
    if not isinstance(parsed.value, dict):
        return None, [*faults, _not_a_map(parsed)]
    spec, more = validate(model, parsed)
    faults = sorted(faults + more, key=lambda fault: (fault.line or 0, fault.column or 0))
    return (None if spec is None else Document(spec, shown, parsed.marks)), faults


def _not_a_map(parsed: Parsed) -> Fault:
    what = "a list" if isinstance(parsed.value, list) else "one value"
    return parsed.marks.fault(f"the file must be a map (key: value); found {what}")


def _read(path: Path, shown: str) -> str | Fault:
    """Read a file's text, or say what stands against it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Fault(f"the file is larger than {MAX_BYTES // 1_000_000} MB", shown)
        data = path.read_bytes()
    except IsADirectoryError:
        return Fault("this is a folder, not a file", shown)
    except OSError as error:
        return Fault(f"the file cannot be read: {error.strerror}", shown)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Fault("the file is written in UTF-16: save it as UTF-8", shown, 1, 1)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        message = f"the byte 0x{data[error.start]:02X} is not UTF-8: save the file as UTF-8"
        return Fault(message, shown, before.count("\n") + 1, len(before) - before.rfind("\n"))
