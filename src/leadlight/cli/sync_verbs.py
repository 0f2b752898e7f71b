"""The verb that reads the systems that leads live in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlight.cli.options import Folder, Json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from leadlight.connect.sync_report import SyncReport
    from leadlight.sources.ingest_report import IngestReport


def sync(
    connections: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CONNECTION]...", help="Some of `connections:` in leadlight.yaml; all unless told.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="OBJECT", help="Read this object alone (contacts, Lead). Repeated."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read everything again; what does not come any more is gone.")
    ] = False,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:  # fmt: skip
    """Read what has changed in connected systems, with its history where they keep one, and take it into the store.

    The first time everything is read. A sync that is stopped goes on where it was; doing it again changes nothing. Ends
    with code 9 where a system could not be read: others are read all the same, and what came until then is kept.
    """
    from leadlight.cli.console import write
    from leadlight.cli.progress import syncing
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with syncing() as (progress, reading, looking_up):
        report = opened.sync(
            connections or (), objects=only or (), full=full, progress=progress, reading=reading, looking_up=looking_up
        )
    write(report, as_json=json, render=_synced)
    if report.error is not None:
        raise typer.Exit(report.error.exit_code)


def _synced(report: SyncReport) -> RenderableType:
    """Draw what was read, and of the store's side what is new there."""
    from rich.console import Group

    from leadlight.cli import render
    from leadlight.cli.console import words

    parts: list[RenderableType] = [words(str(report))]
    if report.ingested is not None and report.changed:
        parts.append(render.ingested(_news(report.ingested)))
        looked_up: Any = report.ingested.enriched
        if looked_up is not None:
            from leadlight.cli import render_enrich

            parts.append(render_enrich.enriched(looked_up))
    elif report.error is None:
        parts.append(words("the store is as before", "green"))
    return Group(*parts)


def _news(report: IngestReport) -> IngestReport:
    """Leave out sources that say nothing new, and notes that say it."""
    sources = [one for one in report.sources if one.new or one.changed or one.rejected or one.erased]
    return replace(
        report,
        sources=tuple(
            replace(one, notes=tuple(note for note in one.notes if not note.endswith(QUIET))) for one in sources
        ),
    )


QUIET = ("no value in any row", "nothing has changed since it was read")
"""Ends of notes that go without saying after every sync."""

VERBS: dict[str, Callable[..., None]] = {"sync": sync}
