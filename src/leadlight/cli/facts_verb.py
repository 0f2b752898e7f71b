"""The verb that shows where each value of a lead comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json


def facts(
    lead: Annotated[str, typer.Argument(metavar="ID", help="An id of the lead.", show_default=False)],
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Show every value of a lead: which is used, who says otherwise, its source, age and evidence.

    Values of your own files and those that were looked up stand side by side, with the rule that chose among them.
    """
    from leadlight.cli import render_facts
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    write(open_workspace(workspace).facts(lead, as_of=as_of), as_json=json, render=render_facts.facts)


VERBS: dict[str, Callable[..., None]] = {"facts": facts}
