"""The verb that takes scores back into the systems that leads live in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import Folder, Json


def push(
    connection: Annotated[
        str | None,
        typer.Argument(metavar="CONNECTION", help="One of `connections:` in leadlight.yaml; all with `push:`."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: show every field of every record that would be written.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="Write so many records at most, best first.")
    ] = None,
    take_over: Annotated[
        list[str] | None,
        typer.Option("--take-over", metavar="FIELD", help="Write this field whatever people have put there. Repeated."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Try what the system refused before once more.")] = False,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Score, and write back what changed: score, grade, probability, reasons, next step, into the fields of leads.

    A field that holds something else than what was written last is a person's: it is kept and told. Ends with code 1
    where a record or field needs somebody (it says what to do), 9 where the system stopped it: what was written is
    noted, and the rest comes the next time.
    """
    from leadlight.cli.console import words, write
    from leadlight.cli.progress import pushing
    from leadlight.workspace import open_workspace

    with pushing() as progress:
        report = open_workspace(workspace).push(
            connection, dry_run=dry_run, limit=limit, take_over=take_over or (), again=again, progress=progress
        )
    write(report, as_json=json, render=words)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


VERBS: dict[str, Callable[..., None]] = {"push": push}
