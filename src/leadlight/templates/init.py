"""The verb: make a small workspace that works at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from leadlight.errors import NotFoundError, UsageError, did_you_mean
from leadlight.spec.contract import CONTRACT_FILE
from leadlight.spec.load import SCORECARD_FOLDER, WORKSPACE_FILE
from leadlight.spec.readable import Readable
from leadlight.spec.schema import json_schema
from leadlight.templates.playbooks import playbook_folder

TEMPLATES = ("starter", "demo")

WRITTEN = date(2026, 6, 30)
"""The day on which the example data end; `init` moves all their dates so that they end today."""

SCHEMA_FOLDER = ".leadlight"

NEXT = {
    "starter": ("leadlight ingest", "leadlight rank"),
    "demo": ("leadlight simulate data", "leadlight ingest", "leadlight rank --as-of 2026-06-30"),
}
NEXT_WITH_PLAYBOOK = ("leadlight check", *NEXT["starter"])


@dataclass(frozen=True, slots=True, repr=False)
class InitReport(Readable):
    """What was made, and the commands to go on with."""

    folder: Path
    template: str
    """The template's name, or the playbook's or the system's."""
    files: tuple[str, ...]
    """Paths inside the folder."""
    next: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "folder": str(self.folder),
            "template": self.template,
            "files": list(self.files),
            "next": list(self.next),
        }

    def __str__(self) -> str:
        made = "\n".join(f"  {name}" for name in self.files)
        return f"Made a workspace in {self.folder}:\n{made}\nNext:\n" + "\n".join(f"  {step}" for step in self.next)


@dataclass(frozen=True, slots=True, repr=False)
class SchemaReport(Readable):
    """The schema files that were written."""

    files: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"files": [str(path) for path in self.files]}

    def __str__(self) -> str:
        return "\n".join(f"written: {path}" for path in self.files)


def init(
    folder: Path,
    template: str = "starter",
    *,
    playbook: str | None = None,
    system: str | None = None,
    today: date | None = None,
) -> InitReport:
    """Make a workspace in a folder, new or existing; `starter` has example data, `demo` goes with `simulate`.

    A playbook is made in the place of a template: a workspace for one line of business, with example data; or one that
    reads a system (a CRM, say) and writes back to it. Raises UsageError, and writes nothing, where a file of that name
    is there already, or both are wanted; NotFoundError for an unknown name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     report = init(Path(place) / "shop")
    >>> report.next[1:]
    ('leadlight ingest', 'leadlight rank')
    """
    if template not in TEMPLATES:
        raise NotFoundError(f"no template {template!r}: {did_you_mean(template, TEMPLATES)}")
    if playbook is not None and system is not None:
        raise UsageError("a workspace is for a playbook or from a system, not both at once")
    content = _content(template, playbook, system, today or datetime.now(UTC).date())
    _check_free(folder, content)
    for name, text in content.items():
        _write(folder / name, text)
    steps = _next(template, playbook, system)
    steps = steps if folder.resolve() == Path.cwd() else (f"cd {folder}", *steps)
    return InitReport(folder, system or playbook or template, tuple(content), steps)


def _next(template: str, playbook: str | None, system: str | None) -> tuple[str, ...]:
    if system is not None:
        from leadlight.templates.system import next_steps

        return next_steps(system)
    return NEXT[template] if playbook is None else NEXT_WITH_PLAYBOOK


def refresh_schemas(folder: Path) -> SchemaReport:
    """Write the JSON Schemas that the workspace's files name, for editors; after an upgrade they may have grown.

    Raises NotFoundError where there is no workspace.
    """
    if not (folder / WORKSPACE_FILE).exists():
        raise NotFoundError(f"no {WORKSPACE_FILE} in {folder}", fix="Make a workspace with `leadlight init`.")
    content = _schemas()
    for name, text in content.items():
        _write(folder / name, text)
    return SchemaReport(tuple(folder / name for name in content))


def _content(template: str, playbook: str | None, system: str | None, today: date) -> dict[str, str]:
    """Return what to write: path in the workspace → text. All but templates go with the starter's `.gitignore`."""
    starter = files("leadlight") / "templates" / "starter"
    if system is not None:
        from leadlight.templates.system import system_content

        texts = system_content(system)
    else:
        root = files("leadlight") / "templates" / template if playbook is None else playbook_folder(playbook)
        texts = {name: file.read_text(encoding="utf-8") for name, file in _walk(root, PurePosixPath())}
    texts.setdefault("gitignore", (starter / "gitignore").read_text(encoding="utf-8"))
    made = {".gitignore" if name == "gitignore" else name: _finished(name, text, today) for name, text in texts.items()}
    return dict(sorted(made.items(), key=lambda item: (item[0] != WORKSPACE_FILE, item[0]))) | _schemas()


def _walk(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[str, Traversable]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _walk(item, path / item.name)
        else:
            yield str(path / item.name), item


def _finished(name: str, text: str, today: date) -> str:
    """Tell editors where a YAML file's schema is; bring the dates of example data up to today."""
    if name.endswith(".csv"):
        return moved(text, today)
    if not name.endswith(".yaml"):
        return text
    kind, up = ("scorecard", "../") if name.startswith(SCORECARD_FOLDER) else ("workspace", "")
    kind = "contract" if name == CONTRACT_FILE else kind
    return f"# yaml-language-server: $schema={up}{_schema_file(kind)}\n{text}"


def moved(text: str, today: date) -> str:
    """Move every date of a text by as many days as `today` is after the day on which the examples end.

    >>> moved("L1,2026-06-28T09:30", date(2026, 7, 2))
    'L1,2026-06-30T09:30'
    """
    shift = today - WRITTEN
    return re.sub(r"\d{4}-\d\d-\d\d", lambda found: str(date.fromisoformat(found[0]) + shift), text)


def _schema_file(kind: str) -> str:
    return f"{SCHEMA_FOLDER}/{kind}.schema.json"


def _schemas() -> dict[str, str]:
    kinds: tuple[Literal["workspace", "scorecard", "contract"], ...] = ("workspace", "scorecard", "contract")
    return {_schema_file(kind): json.dumps(json_schema(kind), indent=1) + "\n" for kind in kinds}


def _check_free(folder: Path, content: dict[str, str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", fix="Name a folder.")
    taken = [name for name in content if (folder / name).exists()]
    if taken:
        shown = ", ".join(taken[:5]) + (" …" if len(taken) > 5 else "")
        raise UsageError(
            f"{folder} has {shown} already; nothing was written", fix="Name a new folder: leadlight init shop"
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
