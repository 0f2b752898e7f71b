"""Verbs that learn from outcomes and judge by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json, Scorecard

Name = Annotated[str, typer.Argument(metavar="NAME", help="The scorecard's name.", show_default=False)]


def learn(
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the scorecard will be called.")] = "learned",
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="NAME", help="The scorecard in use, to be beaten; `house` unless told."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="A hand-written scorecard whose points the outcomes may move."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="FEATURE", help="Learn from it although it looks like a leak."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Publish it though it did not pass the gate.")] = False,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Only where `watch` says that it is time (for a scheduler).")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed learns the same scorecard.")] = 1,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Learn from past outcomes who is won, as a scorecard you can read and edit.

    It is judged by newer outcomes than it learned from. Better than the scorecard in use and honest in its
    probabilities, it is published (scorecards/NAME.yaml); else it stays a draft (drafts/NAME.yaml), with the reasons.
    """
    from leadlight.cli import render_learn
    from leadlight.cli.console import steps, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with steps("learning") as step:
        found = opened.learn(
            name=name, against=against, start=start, keep=keep or (), force=force, if_needed=if_needed, seed=seed,
            as_of=as_of, step=step,
        )  # fmt: skip
    write(found, as_json=json, render=render_learn.learned)


def publish(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Though it did not pass the gate.")] = False,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Publish a draft: move it from drafts/ to scorecards/, and keep the one it replaces."""
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    write(open_workspace(workspace).publish(name, force=force), as_json=json)


def revert(name: Name, workspace: Folder = Path(), json: Json = False) -> None:
    """Put back the scorecard that the published one replaced."""
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    write(open_workspace(workspace).revert(name), as_json=json)


def evaluate(
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Judge by leads from then on; all unless told.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", "--as-of", metavar="TIME", help="What had happened by then; now unless told."),
    ] = None,
    scorecard: Scorecard = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Hold a scorecard against what came of the leads it would have ranked."""
    from leadlight.cli import render_learn
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("ranking the past"):
        found = opened.evaluate(scorecard, since=since, until=until)
    write(found, as_json=json, render=render_learn.evaluation)


VERBS: dict[str, Callable[..., None]] = {
    "learn": learn,
    "publish": publish,
    "revert": revert,
    "evaluate": evaluate,
}
