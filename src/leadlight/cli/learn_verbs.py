"""Verbs that learn from outcomes and judge by them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json, Scorecard
from leadlight.errors import UsageError, shorten

Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Judge by leads from then on; all unless told.")
]
Until = Annotated[
    str | None,
    typer.Option("--until", "--as-of", metavar="TIME", help="What had happened by then; now unless told."),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The scorecard's name.", show_default=False)]


def learn(
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What the scorecard will be called; `learned` unless told."),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", metavar="NAME", help="Which of several outcomes it is about; makes `learned_NAME`."),
    ] = None,
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
    from leadlight.cli.console import steps, working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    if start is not None:
        with working("moving points"):
            write(opened.adjust(start, as_of=as_of, seed=seed), as_json=json, render=render_learn.adjusted)
        return
    with steps("learning") as step:
        found = opened.learn(
            name=name,
            outcome=outcome,
            against=against,
            keep=keep or (),
            force=force,
            if_needed=if_needed,
            seed=seed,
            as_of=as_of,
            step=step,
        )
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
    since: Since = None,
    until: Until = None,
    line: Annotated[
        str | None,
        typer.Option("--line", metavar="GRADE", help="Who is chosen, where protected groups are compared."),
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
        found = opened.evaluate(scorecard, since=since, until=until, line=line)
    write(found, as_json=json, render=render_learn.evaluation)


def threshold(
    per_day: Annotated[
        list[str] | None,
        typer.Option(
            "--per-day", metavar="N", help="Leads that can be called a day; with --per by each, or GROUP=N, repeated."
        ),
    ] = None,
    cost: Annotated[float | None, typer.Option("--cost", metavar="C", min=0, help="What a call costs.")] = None,
    gain: Annotated[
        float | None, typer.Option("--gain", metavar="G", help="What a win brings; its worth unless told.")
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option("--precision", metavar="P", help="The share of those called that should be won: 0.2."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--per", "--by", metavar="ATTRIBUTE", help="The attribute that says which group calls."),
    ] = None,
    since: Since = None,
    until: Until = None,
    scorecard: Scorecard = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Say from which score on to call: for a capacity, for a cost of a call, or for a precision.

    Every line is told from past leads, with what it would have brought beside it.
    """
    from leadlight.cli import render_learn
    from leadlight.cli.console import working, write
    from leadlight.learn.line import Wish
    from leadlight.workspace import open_workspace

    wish = Wish(per_day=_capacity(per_day or []), cost=cost, precision=precision, gain=gain, by=by)
    opened = open_workspace(workspace)
    with working("ranking the past"):
        found = opened.threshold(wish, scorecard, since=since, until=until)
    write(found, as_json=json, render=render_learn.line)


def _capacity(given: list[str]) -> float | dict[str, float] | None:
    """Read `40`, or `north=20` once for each group. Raises UsageError."""
    if not given:
        return None
    if len(given) == 1 and "=" not in given[0]:
        return _number(given[0])
    pairs = [text.rpartition("=") for text in given]
    if any(not name for name, _, _ in pairs):
        raise UsageError("a capacity is one number, or GROUP=NUMBER for each group", fix="As in --per-day north=20.")
    names = [name for name, _, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"--per-day: {', '.join(map(shorten, twice))} is named twice", fix="Name each group once.")
    return {name: _number(number) for name, _, number in pairs}


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise UsageError(f"--per-day: {shorten(text)} is no number above 0")
    return value


def backtest(
    top: Annotated[int, typer.Option("--top", "-n", metavar="N", min=1, help="How many are called at each step.")] = 50,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="When to begin: 2026-01-01, or 180d (before --until).")
    ] = "180d",
    until: Until = None,
    every: Annotated[str, typer.Option("--every", metavar="TIME", help="From one step to the next.")] = "7d",
    relearn: Annotated[
        str, typer.Option("--relearn", metavar="TIME", help="How often the learned scorecard is learned anew.")
    ] = "28d",
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed replays the same.")] = 1,
    scorecard: Scorecard = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Replay the past: learn on what was known, rank who was open, call the first, count deals and worth.

    Beside it the scorecard in use, random order, and hindsight, which nobody can have.
    """
    from leadlight.cli import render_learn
    from leadlight.cli.console import steps, write
    from leadlight.workspace import open_workspace

    step_by, anew = _duration("--every", every), _duration("--relearn", relearn)
    opened = open_workspace(workspace)
    with steps("replaying the past") as step:
        found = opened.backtest(
            scorecard, top=top, since=since, until=until, every=step_by, relearn=anew, seed=seed, step=step
        )
    write(found, as_json=json, render=render_learn.replay)


def _duration(option: str, text: str) -> timedelta:
    from leadlight.spec.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def watch(
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Before and since; when it was learned unless told (else 90d)."),
    ] = None,
    segment: Annotated[
        str | None, typer.Option("--by", metavar="ATTRIBUTE", help="Look at probabilities by its values too.")
    ] = None,
    as_of: AsOf = None,
    scorecard: Scorecard = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Say what has shifted since a scorecard was learned, and whether it is time to learn again."""
    from leadlight.cli import render_learn
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("comparing then and now"):
        found = opened.watch(scorecard, since=since, as_of=as_of, segment=segment)
    write(found, as_json=json, render=render_learn.watched)


VERBS: dict[str, Callable[..., None]] = {
    "learn": learn,
    "publish": publish,
    "revert": revert,
    "evaluate": evaluate,
    "threshold": threshold,
    "backtest": backtest,
    "watch": watch,
}
