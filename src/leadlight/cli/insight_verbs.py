"""Verbs that look at past leads: who buys, who is like whom, what comes next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json, Scorecard
from leadlight.errors import UsageError

Lead = Annotated[str, typer.Argument(metavar="ID", help="An id of the lead.", show_default=False)]


def profile(scorecard: Scorecard = None, as_of: AsOf = None, workspace: Folder = Path(), json: Json = False) -> None:
    """Say who the ideal buyer is: what the won have more often than all, what less, and which pairs matter.

    Past leads are looked at as they stood some days after they came, never after their outcome.
    """
    from leadlight.cli import render_insight
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("looking at the past"):
        found = opened.profile(scorecard, as_of=as_of)
    write(found, as_json=json, render=render_insight.profile)


def similar(
    lead: Lead,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many to show.")] = 20,
    same_account: Annotated[
        bool, typer.Option("--same-account/--other-accounts", help="Count the lead's colleagues in, or leave them out.")
    ] = True,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Find the past leads most like one in what gives points, and say how they ended."""
    from leadlight.cli import render_insight
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("looking at the past"):
        found = opened.similar(lead, scorecard, as_of=as_of, limit=limit, same_account=same_account)
    write(found, as_json=json, render=render_insight.similar)


def next_step(
    lead: Lead,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many to show.")] = 5,
    within: Annotated[str, typer.Option("--within", metavar="TIME", help="How far ahead to look: 14d, 4w.")] = "14d",
    actions: Annotated[
        list[str] | None,
        typer.Option("--action", metavar="TYPE", help="A type of event that is ours to do; may be repeated."),
    ] = None,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Suggest what could come next: what past leads in a like state did next who were won more often."""
    from leadlight.cli import render_insight
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    ahead, opened = _duration(within), open_workspace(workspace)
    with working("looking at the past"):
        found = opened.next(lead, scorecard, as_of=as_of, within=ahead, actions=actions or (), limit=limit)
    write(found, as_json=json, render=render_insight.next_step)


def _duration(text: str) -> timedelta:
    """Read a duration. Raises UsageError."""
    from leadlight.spec.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--within: {error}") from None


VERBS: dict[str, Callable[..., None]] = {"profile": profile, "similar": similar, "next": next_step}
