"""Verbs that score and explain."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from leadlight.cli.options import AsOf, Folder, Json, Lead, Per, Scorecard
from leadlight.errors import UsageError, shorten

if TYPE_CHECKING:
    from leadlight.scorecards.places import Order
    from leadlight.workspace import Workspace


def score(scorecard: Scorecard = None, as_of: AsOf = None, workspace: Folder = Path(), json: Json = False) -> None:
    """Score everybody by all scorecards, or one, and keep the scores and changes of grade.

    A scorecard that was edited is published by this: its scores move silently.
    """
    from leadlight.cli import render
    from leadlight.cli.console import show, working, write_json
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("scoring"):
        runs = opened.score(scorecard, as_of=as_of)
    if json:
        write_json({"runs": [run.as_dict() for run in runs]})
    else:
        show(render.runs(runs))


def rank(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="A file of leads to rank with no workspace: learned from those decided.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", min=1, help="How many to show; 20, or 5 of each with --per."),
    ] = None,
    grade: Annotated[str | None, typer.Option("--grade", "-g", metavar="GRADE", help="Only this grade.")] = None,
    per: Per = None,
    order: Annotated[
        str,
        typer.Option(
            "--order", metavar="HOW", help="score, deadline (the earliest first), rescue (what can still be in time)."
        ),
    ] = "score",
    per_day: Annotated[
        float | None, typer.Option("--per-day", metavar="N", min=0, help="--order rescue: how much is done a day.")
    ] = None,
    effort: Annotated[
        str | None, typer.Option("--effort", metavar="FEATURE", help="--order rescue: what one takes; 1 unless told.")
    ] = None,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", metavar="COLUMN", help="FILE: the column that says how it ended.")
    ] = None,
    win: Annotated[
        list[str] | None, typer.Option("--win", metavar="VALUE", help="FILE: what the outcome says of the won.")
    ] = None,
    id_column: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="FILE: names the lead.")] = None,
    created: Annotated[str | None, typer.Option("--created", metavar="COLUMN", help="FILE: when it came.")] = None,
    worth: Annotated[str | None, typer.Option("--worth", metavar="COLUMN", help="FILE: what a win brought.")] = None,
    dates: Annotated[
        str | None, typer.Option("--dates", metavar="FORMAT", help="FILE: day_first, month_first, or a format.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="FEATURE", help="FILE: learn from it all the same.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FOLDER", help="FILE: where the results go; FILE-ranked unless told."),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Say who comes first, and why: of a workspace, or of one file of leads with no workspace at all.

    Of a workspace, nothing is stored; to have the whole ranking in a file, use `leadlight export`. Of a FILE, the
    columns are found out, a scorecard is learned from the leads that are decided, and those open are ranked.
    """
    from leadlight.cli import render
    from leadlight.cli.console import steps, working, write
    from leadlight.workspace import open_workspace

    if file is not None:
        from leadlight.cli import render_learn
        from leadlight.file_ranking import rank_file

        with steps("looking at the file") as step:
            found = rank_file(
                file, into=into, outcome=outcome, win=win or (), id=id_column, created_at=created, worth=worth,
                dates=dates, keep=keep or (), limit=limit or 20, step=step,
            )  # fmt: skip
        write(found, as_json=json, render=render_learn.ranked_file)
        return
    opened = open_workspace(workspace)
    with working("ranking"):
        ranking = opened.rank(
            scorecard, as_of=as_of, limit=limit, grade=grade, per=per, order=cast("Order", order), per_day=per_day,
            effort=effort,
        )  # fmt: skip
    write(ranking, as_json=json, render=render.ranking)


def explain(
    lead: Lead, scorecard: Scorecard = None, as_of: AsOf = None, workspace: Folder = Path(), json: Json = False
) -> None:
    """Say where each point of a score comes from; the points add up to the score."""
    from leadlight.cli import render
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    ledger = opened.explain(lead, scorecard, as_of=as_of)
    write(ledger, as_json=json, render=partial(render.ledger, labels=_labels(opened, ledger.scorecard)))


def why(
    lead: Lead,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="The earlier moment: 30d (before the later), or a date.")
    ] = "30d",
    until: Annotated[
        str | None, typer.Option("--until", "--as-of", metavar="TIME", help="The later moment; now unless told.")
    ] = None,
    scorecard: Scorecard = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Say what moved a score between two moments, item by item; the items add up to the difference."""
    from leadlight.cli import render
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    movement = opened.why(lead, scorecard, since=since, until=until)
    write(movement, as_json=json, render=partial(render.movement, labels=_labels(opened, movement.after.scorecard)))


def history(
    lead: Lead, scorecard: Scorecard = None, as_of: AsOf = None, workspace: Folder = Path(), json: Json = False
) -> None:
    """List the scores that were given and kept (by `leadlight score`), and the changes of grade.

    And what `leadlight retain` took out of its events, counted by month. With --as-of, those up to that moment.
    """
    from leadlight.cli import render
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    past = opened.history(lead, scorecard, as_of=as_of)
    write(past, as_json=json, render=partial(render.history, labels=_labels(opened, past.scorecard)))


def try_lead(
    lead: Annotated[
        str,
        typer.Argument(
            metavar="JSON", help='{"email": …}, a file that holds it, or - for standard input.', show_default=False
        ),
    ],
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Score somebody given as JSON and say why. Nothing is stored.

    The object has attributes by name and, where wanted, id, created_at, account, and events:
    {"country": "Spain", "events": [{"type": "page_view", "at": "2d", "path": "/pricing"}]}
    """
    from leadlight.cli import render
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    given = _read_lead(lead)
    opened = open_workspace(workspace)
    ledger = opened.try_lead(given, scorecard, as_of=as_of)
    write(ledger, as_json=json, render=partial(render.ledger, labels=_labels(opened, ledger.scorecard)))


def diff(
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="Another scorecard's file; the version last used unless told."),
    ] = None,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Say what publishing an edited scorecard would do to everybody. Nothing is stored.

    Who changes grade, how the scores move, and how either version would have ranked the outcomes of the past.
    """
    from leadlight.cli import render
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("scoring by both"):
        difference = opened.diff(scorecard, against=against, as_of=as_of)
    write(difference, as_json=json, render=render.difference)


def _labels(workspace: Workspace, scorecard: str) -> list[str]:
    grades = workspace.loaded.scorecards[scorecard].spec.grades
    return grades.labels if grades else []


def _read_lead(given: str) -> dict[str, Any]:
    """Read the lead's JSON from the argument itself, from a file, or from standard input.

    Raises UsageError for what is no JSON object.
    """
    import json

    text = _text(given)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"this is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise UsageError("this JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise UsageError(f"expected one JSON object, found {shorten(value)}", fix='Write {"attribute": value, …}.')
    return value


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if given.lstrip().startswith(("{", "[", '"')):
        return given
    try:
        return Path(given).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        fix = "Give JSON ({…}), a file that holds it, or - for standard input."
        raise UsageError(f"cannot read {shorten(given)}: {reason}", fix=fix) from None


VERBS: dict[str, Callable[..., None]] = {
    "score": score,
    "rank": rank,
    "explain": explain,
    "why": why,
    "history": history,
    "try": try_lead,
    "diff": diff,
}
