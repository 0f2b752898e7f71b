"""The verb that learns who is moved by a campaign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json


def uplift(
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What the scorecard will be called; `uplift` unless told."),
    ] = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", metavar="NAME", help="Which of several outcomes, and so which treatment.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="FEATURE", help="Learn from it although it looks like a leak."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Publish it though it did not pass the gate.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed learns the same scorecard.")] = 1,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Learn from a randomised campaign who is moved by it, which is not who would come anyway.

    The outcome says who was treated, the rest was held back: treatment: {treated: "segment = 'Mailed'"}. Judged on
    leads it was not learned from, against a random choice and against ranking by the chance of a win.
    """
    from leadlight.cli import render_uplift
    from leadlight.cli.console import steps, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with steps("learning") as step:
        found = opened.uplift(
            name=name, outcome=outcome, keep=keep or (), force=force, seed=seed, as_of=as_of, step=step
        )
    write(found, as_json=json, render=render_uplift.learned)


VERBS: dict[str, Callable[..., None]] = {"uplift": uplift}
