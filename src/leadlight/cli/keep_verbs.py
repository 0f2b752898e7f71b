"""The verbs that keep a store small, and safe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import Folder, Json
from leadlight.errors import StoreError, StoreInUse


def retain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken out, and why not.")] = False,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Take events out of the store that count for no score any more; every score stays what it is, now and later.

    They are moved into Parquet files, unless `retain: {archive: null}` in leadlight.yaml says that they are deleted. A
    lead's `history` still tells how many of each type there were in each month.
    """
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    try:
        write(open_workspace(workspace).retain(dry_run=dry_run), as_json=json)
    except StoreInUse as error:
        raise _ask_the_service(error, "retain") from None


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Where to; in .leadlight/backups unless told.", show_default=False),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Write one file that holds the store, leadlight.yaml, the scorecards, and what the service keeps.

    While `leadlight serve` runs, POST /v1/backup does it.
    """
    from leadlight.cli.console import write
    from leadlight.workspace import open_workspace

    try:
        write(open_workspace(workspace).backup(file), as_json=json)
    except StoreInUse as error:
        raise _ask_the_service(error, "backup") from None


def _ask_the_service(error: StoreInUse, verb: str) -> StoreError:
    return StoreError(
        error.message, fix=f"If it is `leadlight serve`, ask it: POST /v1/{verb}. Else wait, and try again."
    )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` has written.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Move aside what is there.")] = False,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Put a backup into the workspace's folder, when it has been found to be whole.

    What is there already stays, unless with --force: then it is moved aside, into .leadlight.
    """
    from leadlight.cli.console import write
    from leadlight.store.backup import restore as put_back
    from leadlight.workspace import utc_now

    write(put_back(workspace, file, force=force, now=utc_now()), as_json=json)


VERBS: dict[str, Callable[..., None]] = {"retain": retain, "backup": backup, "restore": restore}
