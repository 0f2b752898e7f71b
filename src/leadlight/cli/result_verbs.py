"""Verbs that hand results on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import AsOf, Folder, Json, Per, Scorecard


def report(
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Where to; report.html in the workspace unless told.", show_default=False
        ),
    ] = None,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Write one HTML page about everybody's scores that needs nothing else: to look at, to mail, to print."""
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("writing the report"):
        written = opened.report(target, scorecard, as_of=as_of)
    write(written, as_json=json)


def export(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="FILE.csv, FILE.parquet, or table:NAME in the store.", show_default=False
        ),
    ],
    per: Per = None,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Write the whole ranking: rank, id, score, grade, reasons and every contribution."""
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("exporting"):
        written = opened.export(target, scorecard, as_of=as_of, per=per)
    write(written, as_json=json)


def sql(
    dialect: Annotated[
        str,
        typer.Option(
            "--dialect",
            "-d",
            metavar="NAME",
            help="duckdb, postgres, bigquery, snowflake, databricks, spark, trino or clickhouse.",
        ),
    ] = "duckdb",
    contributions: Annotated[
        bool, typer.Option("--contributions/--no-contributions", help="A column for every contribution, or not.")
    ] = True,
    scorecard: Scorecard = None,
    as_of: AsOf = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Print the one statement that scores everybody, to run in your own warehouse.

    It reads the tables leads, attributes, events and account_attributes in the documented shape.
    """
    from leadlight.cli.console import print_raw, write_json
    from leadlight.workspace import open_workspace

    text = open_workspace(workspace).sql(scorecard, dialect=dialect, as_of=as_of, contributions=contributions)
    if json:
        write_json({"dialect": dialect, "sql": text})
    else:
        print_raw(text)


VERBS: dict[str, Callable[..., None]] = {"report": report, "export": export, "sql": sql}
