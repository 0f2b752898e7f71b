"""All that can be told to be wrong before anything is read: specs, and the headers of the sources, together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadlight.errors import DataError, Fault, SpecError
from leadlight.sources.catalog import describe_sources
from leadlight.sources.contract import ColumnFound, described
from leadlight.sources.opened import Opened
from leadlight.sources.read import KEPT_IN, hold, said_already
from leadlight.spec.catalog import EVERYTHING, Catalog
from leadlight.spec.contract import ContractSpec
from leadlight.spec.load import WORKSPACE_FILE, LoadedWorkspace, PartlyLoaded, load_partly
from leadlight.spec.marks import Marks
from leadlight.spec.models import SourceSpec
from leadlight.spec.readable import Readable
from leadlight.spec.resolve import resolve


@dataclass(frozen=True, slots=True, repr=False)
class CheckReport(Readable):
    """What `check` found: no errors, or it would have raised them; warnings stop nothing."""

    features: int
    scorecards: Mapping[str, str]
    """Scorecard → its version."""
    warnings: tuple[Fault, ...]
    notes: tuple[str, ...]
    contract: tuple[ColumnFound, ...] = ()
    """Each column that the contract names, and what the files have for it."""

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "features": self.features,
            "scorecards": dict(self.scorecards),
            "warnings": [fault.as_dict() for fault in self.warnings],
            "notes": list(self.notes),
            "contract": [column.as_dict() for column in self.contract],
        }

    def __str__(self) -> str:
        cards = ", ".join(f"{name} ({version})" for name, version in self.scorecards.items()) or "none"
        lines = [f"the workspace is well: {self.features} features, scorecards: {cards}"]
        lines += [_line(column) for column in self.contract]
        return "\n".join(lines + [str(fault) for fault in self.warnings] + list(self.notes))


def _line(column: ColumnFound) -> str:
    """Say what a file has for a column, and what is lost without it."""
    if column.constant is not None:
        return f"{column.source}.{column.column}: {column.constant!r} in every row"
    if column.header is None:
        near = f" (or is it {column.nearest!r}?)" if column.nearest else ""
        lost = f": {column.without}" if column.without else ""
        return f"{column.source}.{column.column}: absent{near}{lost}"
    share = "" if not column.missing else f", {column.missing:.0%} missing"
    return f"{column.source}.{column.column}: {column.header!r}{share}"


Enrichment = Callable[[LoadedWorkspace, Catalog], tuple[Catalog, Sequence[Fault]]]
"""Given what the files have: the names that look-ups give too, and what is wrong with `enrich:`."""


def no_enrichment(_: LoadedWorkspace, catalog: Catalog) -> tuple[Catalog, Sequence[Fault]]:
    """Say nothing of `enrich:`."""
    return catalog, ()


def check_folder(folder: Path, *, enrichment: Enrichment = no_enrichment) -> CheckReport:
    """Look at every file in a workspace's folder, as `check` does, also where some cannot be read as they should.

    Raises NotFoundError where there is no workspace, and all faults at once.
    """
    return check(load_partly(folder), enrichment=enrichment)


def check(found: PartlyLoaded, *, enrichment: Enrichment = no_enrichment) -> CheckReport:
    """Look at every file the workspace has, and at the headers of its sources.

    Raises all faults at once: SpecError, or DataError where only the data have some.
    """
    if found.loaded is None:
        raise SpecError(found.faults)
    return _check(found.loaded, found, enrichment)


def _check(loaded: LoadedWorkspace, part: PartlyLoaded, enrichment: Enrichment) -> CheckReport:
    spec, contract = loaded.workspace.spec, loaded.contract
    catalog, notes, found = describe_sources(spec, loaded.root, contract)
    columns, broken = _held(spec.sources, loaded.root, contract)
    found = [fault for fault in found if not _said(spec.sources, fault, broken)]
    if part.is_open:
        catalog = replace(catalog, hidden=EVERYTHING, events=None)
    catalog, of_enrich = enrichment(loaded, catalog)
    resolved, faults = resolve(loaded, catalog, lost=part.lost)
    faults = _beside(faults, of_enrich)
    errors = [*part.faults, *(fault for fault in faults if fault.severity == "error")]
    marks, known = loaded.workspace.marks, [fault.path for fault in errors]
    of_data = [place(fault, marks) for fault in found if fault.path is None or fault.path not in known]
    of_data += [fault for fault in broken if fault.severity == "error"]
    fix = KEPT_IN if any(fault in broken for fault in of_data) else None
    if errors:
        raise SpecError([*of_data, *errors], fix=fix)
    if of_data or resolved is None:
        raise DataError(of_data, fix=fix)
    versions = {name: card.version for name, card in resolved.scorecards.items()}
    warnings = tuple(fault for fault in (*broken, *faults) if fault.severity == "warning")
    return CheckReport(len(resolved.features), versions, warnings, tuple(notes), columns)


def _held(
    sources: Mapping[str, SourceSpec], root: Path, contract: ContractSpec
) -> tuple[tuple[ColumnFound, ...], list[Fault]]:
    """Hold the files of each source against its contract; one that cannot be opened has said so already."""
    columns: list[ColumnFound] = []
    faults: list[Fault] = []
    with Opened(sources.values()) as opened:
        for name, said in contract.root.items():
            if name not in sources:
                columns += [described(name, column, its, None) for column, its in said.columns.items()]
                continue
            try:
                found = hold(name, sources[name], root, said, opened)
            except DataError:
                continue
            columns += found.columns
            faults += found.faults
    return tuple(columns), faults


def _said(sources: Mapping[str, SourceSpec], fault: Fault, broken: Sequence[Fault]) -> bool:
    return any(said_already(name, source, fault, broken) for name, source in sources.items())


def _beside(faults: Sequence[Fault], more: Sequence[Fault]) -> list[Fault]:
    """Put more faults of `leadlight.yaml` where they belong by their lines."""
    of_workspace = [fault for fault in (*faults, *more) if fault.file == WORKSPACE_FILE]
    others = [fault for fault in (*faults, *more) if fault.file != WORKSPACE_FILE]
    return [*sorted(of_workspace, key=lambda fault: (fault.line or 0, fault.column or 0)), *others]


@contextmanager
def placed(marks: Marks) -> Iterator[None]:
    """Say of the faults of data that the body raises where they stand in `leadlight.yaml`."""
    try:
        yield
    except DataError as error:
        raise type(error)([place(fault, marks) for fault in error.faults], fix=error.fix) from None


def place(fault: Fault, marks: Marks) -> Fault:
    """Say where in `leadlight.yaml` a fault about a source stands, unless it is about a line of the data.

    A line and column without a file are those within the text that the fault is about.
    """
    if fault.file is not None or fault.path is None or not fault.path.startswith("sources."):
        return fault
    path = tuple(fault.path.split("."))
    mark = None if fault.line is None else marks.inside(path, fault.line, fault.column or 1)
    return marks.fault(fault.message, path, mark=mark)
