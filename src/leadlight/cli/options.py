"""The options that verbs share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--workspace", "-w", metavar="FOLDER", help="The workspace's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Scorecard = Annotated[
    str | None,
    typer.Option("--scorecard", "-s", metavar="NAME", help="The scorecard; `house` or the first unless told."),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="What was known then: 2026-06-30, 2026-06-30T14:00, 30d (ago), now."),
]
Lead = Annotated[str, typer.Argument(metavar="ID", help="An id of the lead, or an account's name.", show_default=False)]
Per = Annotated[
    str | None, typer.Option("--per", metavar="ATTRIBUTE", help="Rank within its values: a team, a region, a queue.")
]
