"""The verb that answers a person who asks what is known about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import Folder, Json


def access(
    lead: Annotated[str, typer.Argument(metavar="ID", help="Any id the person has.", show_default=False)],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE", help="Write all of it to this JSON file.")
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Gather everything that is known about a person: every row, where it comes from, every score and why.

    It is what `erase` would remove. Without --into, the terminal shows how much there is of what; --json shows all.
    """
    from leadlight.cli import render_access
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    found = open_workspace(workspace).access(lead)
    write(found, as_json=json, render=lambda report: render_access.access(report, into and report.write(into)))


VERBS: dict[str, Callable[..., None]] = {"access": access}
