"""Read `leadlight.yaml` and `scorecards/*.yaml`: specs that know the place of every value, or all faults at once."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from leadlight.errors import Fault, NotFoundError, SpecError, did_you_mean
from leadlight.spec.contract import CONTRACT_FILE, NOTHING, ContractSpec
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
    contract: ContractSpec = field(default_factory=lambda: NOTHING)
    """What the sources' files must look like; nothing where there is no `contract.yaml`."""


@dataclass(frozen=True, slots=True)
class PartlyLoaded:
    """What a folder's files say in spite of their faults; `loaded` is None where `leadlight.yaml` says nothing.

    `lost` are the features that have a fault, by name; where `is_open`, more is lost than that.
    """

    loaded: LoadedWorkspace | None
    faults: tuple[Fault, ...] = ()
    lost: frozenset[str] = frozenset()
    is_open: bool = False


def load_workspace(folder: Path) -> LoadedWorkspace:
    """Read a workspace's files.

    Raises NotFoundError where there is no `leadlight.yaml`, SpecError with all faults of all files.
    """
    found = load_partly(folder)
    if found.faults or found.loaded is None:
        raise SpecError(found.faults)
    return found.loaded


def load_partly(folder: Path) -> PartlyLoaded:
    """Read a workspace's files, leaving out what has a fault, so that the rest can be looked at too.

    Of `leadlight.yaml` single features and sources are left out, or other keys; a scorecard is left out as a whole.
    Raises NotFoundError where there is no `leadlight.yaml`.
    """
    path = folder / WORKSPACE_FILE
    if not path.exists():
        raise _no_workspace(folder)
    workspace, faults, lost = _load_sound_part(path)
    scorecards, more = _load_scorecards(folder)
    contract, of_contract = _load_contract(folder / CONTRACT_FILE)
    loaded = None if workspace is None else LoadedWorkspace(folder, workspace, scorecards, contract)
    features = frozenset(name for section, name in lost if section == "features" and name is not None)
    is_open = any(section in ("sources", "enrich") or (section, name) == ("features", None) for section, name in lost)
    return PartlyLoaded(loaded, (*faults, *of_contract, *more), features, is_open)


def _load_contract(path: Path) -> tuple[ContractSpec, list[Fault]]:
    """Read what the files must look like; nothing where nobody says so, or where that has faults."""
    if not path.exists():
        return NOTHING, []
    document, faults = _load(path, CONTRACT_FILE, ContractSpec)
    return (NOTHING if document is None else document.spec), faults


def _load_scorecards(folder: Path) -> tuple[dict[str, Document[ScorecardSpec]], list[Fault]]:
    faults: list[Fault] = []
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
    return scorecards, faults


def load_scorecard(path: Path) -> Document[ScorecardSpec]:
    """Read one scorecard's file.

    Raises NotFoundError where there is none, SpecError with all its faults.
    """
    if not path.exists():
        near = [file.name for file in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        raise NotFoundError(f"no scorecard {path}: {did_you_mean(path.name, near)}")
    return load_file(path, path.as_posix(), ScorecardSpec)


def read_scorecard(text: str, shown: str) -> Document[ScorecardSpec]:
    """Read a scorecard that is no file yet; `shown` is what faults call it, and its name is that without `.yaml`.

    Raises SpecError with all its faults.
    """
    parsed, faults = _parse_text(text, shown)
    spec, more = (None, []) if parsed is None else validate(ScorecardSpec, parsed)
    if parsed is None or spec is None or faults or more:
        raise SpecError(_in_order([*faults, *more]))
    return Document(spec, shown, parsed.marks)


def load_file(path: Path, shown: str, model: type[T]) -> Document[T]:
    """Read a file of any kind; `shown` is what faults call it. Raises SpecError with all its faults."""
    document, faults = _load(path, shown, model)
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
    parsed, faults = _parse(path, shown)
    if parsed is None:
        return None, faults
    spec, more = validate(model, parsed)
    document = None if spec is None else Document(spec, shown, parsed.marks)
    return document, _in_order([*faults, *more])


def _parse(path: Path, shown: str) -> tuple[Parsed | None, list[Fault]]:
    """Read a file that holds a map; None where it does not."""
    text = _read(path, shown)
    return (None, [text]) if isinstance(text, Fault) else _parse_text(text, shown)


def _parse_text(text: str, shown: str) -> tuple[Parsed | None, list[Fault]]:
    parsed = read_yaml(text, shown)
    faults = list(parsed.faults)
    if parsed.marks.root is None:
        return None, faults
    return (parsed, faults) if isinstance(parsed.value, dict) else (None, [*faults, _not_a_map(parsed)])


def _in_order(faults: list[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))


Lost = set[tuple[str, str | None]]
"""Sections of `leadlight.yaml`, and what is left out of each; None for the whole of it."""


def _load_sound_part(path: Path) -> tuple[Document[WorkspaceSpec] | None, list[Fault], Lost]:
    """Read `leadlight.yaml` without what is wrong in it."""
    parsed, faults = _parse(path, WORKSPACE_FILE)
    if parsed is None:
        return None, faults, set()
    spec, more = validate(WorkspaceSpec, parsed)
    lost: Lost = set()
    if spec is None:
        lost = {_lost(fault, parsed.value) for fault in more}
        sound = {section: _without(section, value, lost) for section, value in parsed.value.items()}
        sound = {section: value for section, value in sound.items() if (section, None) not in lost}
        spec, _ = validate(WorkspaceSpec, Parsed(sound, parsed.marks))
    document = None if spec is None else Document(spec, WORKSPACE_FILE, parsed.marks)
    return document, _in_order([*faults, *more]), lost


def _lost(fault: Fault, value: dict[str, Any]) -> tuple[str, str | None]:
    """Return the section, and the feature, source or key of `enrich` in it, that a fault is in."""
    section, _, rest = (fault.path or "").partition(".")
    name = rest.partition(".")[0]
    inside = value.get(section)
    named = section in ("features", "sources", "enrich") and isinstance(inside, dict) and name in inside
    return section, name if named else None


def _without(section: str, value: Any, lost: Lost) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: inside for name, inside in value.items() if (section, name) not in lost}


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
