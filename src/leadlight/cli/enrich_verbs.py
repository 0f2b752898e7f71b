"""The verb that looks leads up outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlight.cli.options import Folder, Json
from leadlight.errors import UsageError

if TYPE_CHECKING:
    import threading
    from datetime import timedelta

    from leadlight.workspace import Workspace

LEAD = typer.Argument(metavar="LEAD", help="An id of one lead; all unless told.", show_default=False)


def enrich(
    lead: Annotated[str | None, LEAD] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="COND", help="Only leads for which the condition is true.")
    ] = None,
    provider: Annotated[
        list[str] | None, typer.Option("--provider", "-p", metavar="NAME", help="Only this provider; may be repeated.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="MONEY", min=0, help="What it may cost; the best leads first.")
    ] = None,
    requests: Annotated[
        int | None, typer.Option("--requests", metavar="N", min=0, help="How many requests may be sent.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask nobody: say who would be asked about whom, and what it would cost.")
    ] = False,
    forget: Annotated[
        str | None, typer.Option("--forget", metavar="PROVIDER", help="Remove all that a provider has ever said.")
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option("--follow", metavar="EVERY", help="Read, look up and score every 30s, say, until Ctrl-C."),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Look leads up: ask the providers named under `enrich:` in leadlight.yaml.

    Nobody is asked whose answer could not change a lead's grade, nor what was answered and still holds. Ctrl-C keeps
    what came; run it again to go on. Leads of whom something new is known are scored again.
    """
    from leadlight.cli import render_enrich
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    told = {"LEAD": lead, "--where": where, "--provider": provider, "--budget": budget, "--requests": requests,
            "--dry-run": dry_run or None}  # fmt: skip
    opened = open_workspace(workspace)
    if forget is not None:
        _alone("--forget", {**told, "--follow": follow})
        write(opened.forget_provider(forget), as_json=json)
        return
    options: dict[str, Any] = {
        "where": where, "providers": provider or (), "money": budget, "requests": requests,
    }  # fmt: skip
    if follow is not None:
        _alone("--follow", {"LEAD": lead, "--dry-run": dry_run or None})
        _follow(opened, _duration(follow), options, as_json=json)
        return
    from leadlight.cli.progress import looking_up

    with looking_up() as progress:
        run = opened.enrich(lead, dry_run=dry_run, progress=progress, **options)
    write(run, as_json=json, render=render_enrich.enriched)


def _alone(option: str, others: dict[str, Any]) -> None:
    """Refuse options that make no sense beside another."""
    beside = [name for name, value in others.items() if value is not None and value != []]
    if beside:
        raise UsageError(f"{option} does not go with {' and '.join(beside)}", fix="Leave one of them out.")


def _duration(text: str) -> timedelta:
    from leadlight.spec.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--follow: {error}") from None


def _follow(opened: Workspace, every: timedelta, options: dict[str, Any], *, as_json: bool) -> None:
    """Go round, a line for each round, until somebody says stop."""
    import json as jsonlib

    from leadlight.cli.console import clean, print_raw

    def told(done: Any) -> None:
        print_raw((jsonlib.dumps(done.as_dict()) if as_json else clean(str(done))) + "\n")

    with _until_stopped() as stop:
        opened.follow(every, stop=stop, told=told, **options)


@contextmanager
def _until_stopped() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C, and whoever ends the process, sets."""
    import signal
    import threading

    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in signals}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


VERBS: dict[str, Callable[..., None]] = {"enrich": enrich}
