"""The verb about calls that the service could not store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from leadlight.cli.options import Folder, Json


def refused(
    replay: Annotated[
        list[str] | None,
        typer.Option("--replay", metavar="ID", help="Store what was refused once more: an id, or all. Repeated."),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="ID", help="Take out what was refused, for good: an id, or all. Repeated."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what the calls say, which may name people.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many to list.")] = 50,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """List the calls that the service accepted and could not store, and why; store them once more, or drop them.

    What is replayed waits like a new call and counts once, at its own time: the service stores it, or the next
    `leadlight serve`. Nothing that calls say is shown but with --show or --json.
    """
    from leadlight.cli.console import write
    from leadlight.cli.render_refused import listing
    from leadlight.cli.who_verbs import needs_serve

    needs_serve()
    from leadlight.service.refused import look

    write(
        look(workspace, again=_which(replay), drop=_which(drop), limit=limit, full=show), as_json=json, render=listing
    )


def _which(told: list[str] | None) -> list[str] | Literal["all"] | None:
    return "all" if told is not None and "all" in told else told


VERBS: dict[str, Callable[..., None]] = {"refused": refused}
