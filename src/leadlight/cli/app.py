"""The program `leadlight`: its verbs, and how it ends.

Nothing heavy is imported here: `leadlight --help` must come at once. Verbs import what they need when they run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli import (
    access_verb,
    allocate_verbs,
    data_verbs,
    enrich_verbs,
    facts_verb,
    insight_verbs,
    keep_verbs,
    learn_verbs,
    letter_verbs,
    notify_verbs,
    people_verbs,
    push_verbs,
    refused_verb,
    result_verbs,
    score_verbs,
    serve_verbs,
    sync_verbs,
    uplift_verbs,
    who_verbs,
)
from leadlight.cli.failures import fail, silence
from leadlight.cli.options import Folder, Json
from leadlight.cli.sections import SECTIONS, Sections
from leadlight.sources.scratch import remove_left

PROGRAM = "leadlight"
VERBS: dict[str, Callable[..., None]] = {
    **data_verbs.VERBS,
    **sync_verbs.VERBS,
    **push_verbs.VERBS,
    **score_verbs.VERBS,
    **allocate_verbs.VERBS,
    **learn_verbs.VERBS,
    **uplift_verbs.VERBS,
    **letter_verbs.VERBS,
    **insight_verbs.VERBS,
    **enrich_verbs.VERBS,
    **facts_verb.VERBS,
    **access_verb.VERBS,
    **people_verbs.VERBS,
    **result_verbs.VERBS,
    **serve_verbs.VERBS,
    **notify_verbs.VERBS,
    **refused_verb.VERBS,
    **keep_verbs.VERBS,
    **who_verbs.VERBS,
}

app = typer.Typer(
    cls=Sections,
    name=PROGRAM,
    invoke_without_command=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
for _names in SECTIONS.values():
    for _name in _names:
        app.command(_name, context_settings={"max_content_width": 100})(who_verbs.audited(_name, VERBS[_name]))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")]


@app.callback()
def root(
    context: typer.Context,
    workspace: Folder = Path(),
    json: Json = False,
    _shown: Version = False,
) -> None:
    """Score leads by scorecards you can read: every score is a sum of points, and every point has a reason.

    Without a command: look at the folder and say what to do next.
    """
    if context.invoked_subcommand is not None:
        remove_left()
        context.default_map = {name: {"workspace": workspace, "json": json} for name in VERBS}
        return
    from leadlight.cli.console import write
    from leadlight.cli.overview import look
    from leadlight.cli.render import overview

    write(look(workspace), as_json=json, render=overview)


def main(args: Sequence[str] | None = None) -> int:
    """Run the program; return the code to exit with."""
    given = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(args=given, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return silence()
    except SystemExit as end:  # typer's way to say that the pipe was closed
        return silence() if end.code == 1 else int(end.code or 0)
    except BaseException as error:
        return fail(error, as_json=wants_json(given))
    if code == 130:  # typer's way to say Ctrl-C
        return fail(KeyboardInterrupt(), as_json=wants_json(given))
    return int(code or 0)


def wants_json(args: Sequence[str]) -> bool:
    """Say whether JSON was asked for, even where the arguments make no sense."""
    before = args[: args.index("--")] if "--" in args else args
    return "--json" in before
