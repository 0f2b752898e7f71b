"""The verbs that tell people and programs of changes of grade, and look at what is to be told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from leadlight.cli.options import Folder, Json


def notify(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing: show every message that waits, as it would be said.")
    ] = False,
    test: Annotated[
        str | None,
        typer.Option("--test", metavar="NAME", help="Send a message to a destination that says that it is a test."),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Send the messages about changes of grade that are due: webhooks, a chat, e-mail, as leadlight.yaml says.

    For cron, behind `ingest` and `score`; `leadlight serve` does it by itself. What cannot be sent waits and is tried
    again by a later call. Ends with code 1 where the test did not arrive.
    """
    from leadlight.cli.console import words, working, write
    from leadlight.errors import MissingExtraError
    from leadlight.workspace import open_workspace

    try:
        import httpx  # noqa: F401
        import standardwebhooks  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"sending needs {error.name}", fix='Install it with `pip install "leadlight[serve]"`.'
        ) from None
    with working("sending"):
        found = open_workspace(workspace).notify(dry_run=dry_run, test=test)
    write(found, as_json=json, render=words)
    if getattr(found, "error", None) is not None:
        raise typer.Exit(1)


def outbox(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="waiting, sent, dead (put aside), void, or all. Repeated."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="NAME", help="Only what is for this destination.")
    ] = None,
    replay: Annotated[
        list[str] | None,
        typer.Option("--replay", metavar="ID", help="Send what was put aside again: an id, or all. Repeated."),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="ID", help="Take out what waits or was put aside: an id, or all that was "
                     "put aside. Repeated."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many to list.")] = 50,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:  # fmt: skip
    """List messages about changes of grade: what waits and what was put aside; send the latter again, or drop it."""
    from leadlight.cli.console import write
    from leadlight.cli.render_notify import listing
    from leadlight.workspace import open_workspace

    found = open_workspace(workspace).outbox(
        state=_states(state), to=to, replay=_which(replay), drop=_which(drop), limit=limit
    )
    write(found, as_json=json, render=listing)


def _states(told: list[str] | None) -> list[str]:
    if told is None:
        return ["waiting", "dead"]
    return ["waiting", "sent", "dead", "void"] if "all" in told else told


def _which(told: list[str] | None) -> list[str] | Literal["all"] | None:
    return "all" if told is not None and "all" in told else told


VERBS: dict[str, Callable[..., None]] = {"notify": notify, "outbox": outbox}
