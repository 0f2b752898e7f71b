"""Verbs that make a workspace and fill, look after and clean its store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from leadlight.cli.options import Folder, Json
from leadlight.errors import UsageError


class Template(StrEnum):
    """Which workspace `init` makes."""

    STARTER = "starter"
    DEMO = "demo"


class WorldOf(StrEnum):
    """What `simulate` makes."""

    LEADS = "leads"
    SUBSCRIPTIONS = "subscriptions"


class Subject(StrEnum):
    """What `schema` describes."""

    WORKSPACE = "workspace"
    SCORECARD = "scorecard"
    CONTRACT = "contract"
    VENDOR = "vendor"


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to make it.")] = Path(),
    template: Annotated[
        Template, typer.Option("--template", "-t", help="starter has example data; demo goes with `simulate`.")
    ] = Template.STARTER,
    playbook: Annotated[
        str | None,
        typer.Option("--playbook", "-p", metavar="NAME", help="A workspace for one line of business, as in support."),
    ] = None,
    playbooks: Annotated[bool, typer.Option("--playbooks", help="List the playbooks and make nothing.")] = False,
    system: Annotated[
        str | None,
        typer.Option("--from", "-f", metavar="SYSTEM", help="A workspace that reads a system, as in hubspot."),
    ] = None,
    systems: Annotated[bool, typer.Option("--systems", help="List the systems and make nothing.")] = False,
    json: Json = False,
) -> None:
    """Make a small workspace that works at once, every part of it explained by comments.

    Nothing is overwritten. With the starter, put your own export in the place of data/leads.csv when you have looked
    around. A playbook brings the words, features, scorecards and example data of one line of business, and a contract
    that says what your own files must look like. With --from, leads, accounts, events and outcomes come from a CRM or
    marketing automation (`leadlight sync`), and scores go back to it (`leadlight push`).
    """
    from leadlight.cli.console import write
    from leadlight.templates.init import init as make
    from leadlight.templates.playbooks import playbooks as known

    if playbooks:
        write(known(), as_json=json)
    elif systems:
        from leadlight.connect.registry import systems as listed

        write(listed(), as_json=json)
    else:
        write(make(folder, template.value, playbook=playbook, system=system), as_json=json)


def check(workspace: Folder = Path(), json: Json = False) -> None:
    """Look at every file of the workspace and list all faults at once.

    Each fault comes with its file and line, what was found, what is allowed, and the nearest name. Nothing is changed.
    """
    from leadlight.cli import render
    from leadlight.cli.console import write
    from leadlight.workspace import check_folder

    write(check_folder(workspace), as_json=json, render=render.checked)


def ingest(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE]...", help="Sources to read; all unless told.", show_default=False),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="When the files were as they are, for exports of former days."),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Read the sources into the store: all of it, or nothing where there are faults.

    Doing it again changes nothing; files that have not changed are not read again. What carries no date of its own is
    known since the as-of, which is now unless told.
    """
    from leadlight.cli import render
    from leadlight.cli.console import write
    from leadlight.cli.progress import ingesting
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with ingesting() as (progress, looking_up):
        report = opened.ingest(only=sources or (), as_of=as_of, progress=progress, looking_up=looking_up)
    write(report, as_json=json, render=render.ingested)
    if report.enriched is not None and not json:
        _show_enriched(report.enriched)


def _show_enriched(run: Any) -> None:
    from leadlight.cli import render_enrich
    from leadlight.cli.console import show

    show(render_enrich.enriched(run))


def simulate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write the files.")] = Path("data"),
    leads: Annotated[int, typer.Option(metavar="N", help="How many leads, or subscribers.")] = 5000,
    events: Annotated[
        int | None, typer.Option(metavar="N", help="About how many events; 40 a lead unless told.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed makes the same world.")] = 1,
    until: Annotated[
        str | None,
        typer.Option("--until", "--as-of", metavar="DATE", help="The day the world ends; 2026-06-30 unless told."),
    ] = None,
    days: Annotated[int, typer.Option(metavar="N", help="How long the world lasted.")] = 540,
    world: Annotated[
        WorldOf, typer.Option("--world", help="Leads of a company, or its subscribers who use, renew and leave.")
    ] = WorldOf.LEADS,
    json: Json = False,
) -> None:
    """Make files of a company that does not exist: leads, accounts, events and deals; or subscribers.

    The true probability of every lead comes along in truth.parquet, which no scorecard should look at.
    """
    from leadlight.cli.console import words, write
    from leadlight.cli.progress import making
    from leadlight.simulate import simulate as make
    from leadlight.simulate.world import UNTIL

    end = UNTIL if until is None else _day(until)
    if world is WorldOf.SUBSCRIPTIONS:
        from leadlight.simulate.subscriptions import simulate_subscriptions

        if events is not None:
            raise UsageError("--events goes with the world of leads", fix="Leave it out.")
        write(simulate_subscriptions(folder, subscribers=leads, seed=seed, until=end, days=days), as_json=json)
        return
    with making("leads") as progress:
        report = make(folder, leads=leads, events=events, seed=seed, until=end, days=days, progress=progress)
    write(report, as_json=json, render=lambda made: words(repr(made)))


def _day(text: str) -> datetime:
    from leadlight.spec.moments import parse_moment
    from leadlight.workspace import utc_now

    return parse_moment(text, utc_now())


def schema(
    of: Annotated[
        Subject | None,
        typer.Argument(
            metavar="[workspace|scorecard|contract|vendor]", help="One; all unless told.", show_default=False
        ),
    ] = None,
    write_files: Annotated[
        bool, typer.Option("--write", help="Write them into the workspace's folder .leadlight, where `init` puts them.")
    ] = False,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Print the JSON Schemas of the files you write, so that editors complete and check them.

    It is JSON with and without --json.
    """
    from leadlight.cli.console import write, write_json
    from leadlight.spec.schema import json_schema
    from leadlight.templates.init import refresh_schemas

    if write_files:
        write(refresh_schemas(workspace), as_json=json)
    elif of is not None:
        write_json(json_schema(of.value))
    else:
        write_json({subject.value: json_schema(subject.value) for subject in Subject})


def erase(
    lead: Annotated[str, typer.Argument(metavar="ID", help="Any id the person has.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Remove a person from every table of the store, for good, and say how many rows that were.

    Reading the same files again does not bring the person back. Your own files are not touched.
    """
    from leadlight.cli import render
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    if not yes:
        entity = opened.loaded.workspace.spec.entity
        _confirm(f"Erase the {entity} {lead} and all that is known about it, for good?", as_json=json)
    write(opened.erase(lead), as_json=json, render=render.erased)


def _confirm(question: str, *, as_json: bool) -> None:
    """Ask; go on only after a yes. Where nobody can be asked, say how to go on."""
    from leadlight.cli.console import clean

    if as_json or not sys.stdin.isatty():
        raise UsageError("erasing cannot be undone, and there is nobody to ask", fix="Add --yes.")
    if not typer.confirm(clean(question), err=True):
        raise UsageError("nothing was erased")


VERBS: dict[str, Callable[..., None]] = {
    "init": init,
    "check": check,
    "ingest": ingest,
    "simulate": simulate,
    "schema": schema,
    "erase": erase,
}
