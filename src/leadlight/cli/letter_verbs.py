"""The verb that says why a score is not higher, for a letter."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json, Scorecard
from leadlight.errors import UsageError


class Reference(StrEnum):
    """What a score is held against."""

    ALL = "all"
    PASSING = "passing"
    BEST = "best"


def letter(
    lead: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An id; with --into, everybody below.", show_default=False)
    ] = None,
    reasons: Annotated[int, typer.Option("--reasons", metavar="N", min=1, max=20, help="How many at most.")] = 4,
    against: Annotated[
        Reference,
        typer.Option("--against", help="The average of all, of those slightly above the line, or the best there is."),
    ] = Reference.ALL,
    line: Annotated[
        str | None, typer.Option("--line", metavar="GRADE", help="What passes: a grade and all better, or a score.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE.csv", help="Write the reasons of everybody below the line.")
    ] = None,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Say why a score is not higher: the principal reasons, in the wording a letter needs.

    They are the criteria whose points fall furthest below a reference, the gate before all; the distances add up.
    Never a protected attribute. The wording is a criterion's `letter:`, or its name.
    """
    from leadlight.cli import render_letter
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    if into is not None:
        if line is None or lead is not None:
            raise UsageError("--into writes about everybody below a line", fix="Name no ID, and the line with --line.")
        with working("writing letters"):
            written = opened.letters(into, scorecard, line=line, reasons=reasons, against=against.value, as_of=as_of)
        write(written, as_json=json)
        return
    if lead is None:
        raise UsageError("whose letter?", fix="Name an ID, or everybody: --line GRADE --into FILE.csv.")
    found = opened.letter(lead, scorecard, reasons=reasons, against=against.value, line=line, as_of=as_of)
    write(found, as_json=json, render=render_letter.letter)


VERBS: dict[str, Callable[..., None]] = {"letter": letter}
