"""The verb that gives a limited resource away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json, Scorecard
from leadlight.errors import UsageError, shorten


def allocate(
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="FILE.csv or FILE.parquet for the whole list, with what became of each.",
            show_default=False,
        ),
    ] = None,
    capacity: Annotated[
        list[str] | None,
        typer.Option(
            "--capacity",
            "-c",
            metavar="RESOURCE=N",
            help="How much there is: gpu=96, or a column of the pools; a bare N counts leads. Repeated.",
        ),
    ] = None,
    need: Annotated[
        list[str] | None,
        typer.Option(
            "--need",
            metavar="RESOURCE=FEATURE",
            help="How much one takes: an attribute, a feature, or a number; 1 unless told. Repeated.",
        ),
    ] = None,
    pools: Annotated[
        str | None,
        typer.Option("--pools", metavar="FILE", help="Who has it, as CSV or YAML: a row for each agent, node or team."),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option("--pool", metavar="COLUMN", help="The column that names a pool; the first unless told."),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option("--per", metavar="ATTRIBUTE", help="The attribute that says which pool one must go to."),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="CONDITION", help="Only these ask: \"state = 'waiting'\".")
    ] = None,
    fits: Annotated[
        str | None,
        typer.Option(
            "--fits", metavar="CONDITION", help='Which pool may serve whom: "contains(pool_skills, category)".'
        ),
    ] = None,
    spread: Annotated[
        bool | None,
        typer.Option(
            "--spread/--fill", help="Share the work out evenly, or fill one pool after another.", show_default=False
        ),
    ] = None,
    optimise: Annotated[
        bool, typer.Option("--best/--no-best", help="Look for the best total too, to compare with.")
    ] = True,
    time_limit: Annotated[
        float, typer.Option("--time-limit", metavar="SECONDS", min=0.1, help="How long to look for the best total.")
    ] = 20.0,
    limit: Annotated[
        int,
        typer.Option("--limit", "-n", metavar="N", min=1, help="How many to show, of those served and of the rest."),
    ] = 20,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Give a limited resource to the ranked list: agents' hours, GPUs, calls. Who is served, who waits and why.

    Strictly by rank: each in turn takes what it needs if it is still there. Beside it the best total there is, solved
    exactly where that can be done, and what keeping to the rank costs. Defaults stand in leadlight.yaml (`allocate:`).
    """
    from leadlight.cli import render_allocate
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    everybody = _plural(opened.loaded.workspace.spec.entity)
    with working("allocating"):
        found = opened.allocate(
            scorecard, as_of=as_of, capacity=_amounts("--capacity", capacity or [], bare=everybody),
            need=_amounts("--need", need or []), pools=pools, pool=pool, per=per, where=where, fits=fits,
            spread=spread, limit=limit, optimise=optimise, time_limit=time_limit, target=target,
        )  # fmt: skip
    write(found, as_json=json, render=render_allocate.allocation)


def _plural(entity: str) -> str:
    from leadlight.spec.entity import plural

    return plural(entity)


def _amounts(option: str, given: list[str], *, bare: str | None = None) -> dict[str, float | str]:
    """Read `gpu=96` or `gpu=gpus`, once for each resource, or a number alone. Raises UsageError."""
    found: dict[str, float | str] = {}
    for text in given:
        name, equals, amount = text.partition("=")
        if not equals and bare is not None:
            name, amount = bare, text
        if not name.strip() or not amount.strip():
            raise UsageError(f"{option}: {shorten(text)} is not RESOURCE=N", fix=f"As in {option} gpu=96.")
        if name.strip() in found:
            raise UsageError(f"{option}: {name.strip()} is told twice")
        found[name.strip()] = _amount(option, amount.strip())
    return found


def _amount(option: str, text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        return text
    if not 0 <= value < float("inf"):
        raise UsageError(f"{option}: {shorten(text)} is no number from 0 on")
    return value


VERBS: dict[str, Callable[..., None]] = {"allocate": allocate}
