"""The verbs about who may, and who did."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from leadlight.cli.options import Folder, Json

ACTIONS = ("list", "make", "rotate", "revoke", "link")
CHANGES: Mapping[str, tuple[str, ...]] = {
    "erase": (), "access": (), "publish": (), "revert": (), "restore": (), "retain": (),
    "merges": ("undo", "join", "apart"), "bots": ("release", "flag", "again"), "outbox": ("replay", "drop"),
    "refused": ("replay", "drop"), "resolve": ("apply", "accept", "reject", "above"),
}  # fmt: skip
"""Verbs of others that stand in the audit log when they have ended well: always, or where one of these is told."""


def keys(
    action: Annotated[
        str, typer.Argument(metavar="[list|make|rotate|revoke|link]", help="What to do.", show_default=False)
    ] = "list",
    which: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The new key's name, or a key's id.", show_default=False)
    ] = None,
    may: Annotated[
        list[str] | None,
        typer.Option("--may", metavar="SCOPE", help="make: browser, ingest, read or manage; may be repeated."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DURATION", help="make: after how long it ends, as in 90d.")
    ] = None,
    requests: Annotated[
        float | None, typer.Option("--requests", metavar="N", help="make: how many requests a second it may send.")
    ] = None,
    events: Annotated[
        float | None, typer.Option("--events", metavar="N", help="make: how many events a second it may send.")
    ] = None,
    grace: Annotated[
        str | None,
        typer.Option(
            "--grace", metavar="DURATION", help="rotate: how long the old secret is good yet; 1d unless told."
        ),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """List the keys of the service, make, rotate or revoke one; `link` is where a person sets the admin's password.

    It works while the service runs, too: that sees the change within seconds.
    """
    from leadlight.cli.console import write
    from leadlight.errors import UsageError, did_you_mean

    if action not in ACTIONS:
        raise UsageError(f"{action!r} is nothing that `leadlight keys` does: {did_you_mean(action, ACTIONS)}")
    options = {"--may": may, "--expires": expires, "--requests": requests, "--events": events}
    _only("make", action, options)
    _only("rotate", action, {"--grace": grace})
    needs_serve()
    from leadlight.service import keeping

    if action == "list":
        write(keeping.all_keys(workspace), as_json=json)
    elif action == "link":
        write(keeping.login_link(workspace), as_json=json)
    elif which is None:
        what = "a name" if action == "make" else "the id of the key"
        raise UsageError(f"`keys {action}` needs {what}", fix=f"Write `leadlight keys {action} …`.")
    elif action == "make":
        made = keeping.make_key(
            workspace, which, may or [], expires=_duration(expires), requests=requests, events=events
        )
        write(made, as_json=json)
    elif action == "rotate":
        write(keeping.rotate_key(workspace, which, grace=_duration(grace)), as_json=json)
    else:
        write(keeping.revoke_key(workspace, which), as_json=json)


def audit(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many of the newest.")] = 50,
    seen: Annotated[
        str | None,
        typer.Option("--seen", metavar="HASH", help="The hash that stood at its end the last time you looked."),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Show what was changed, by whom, and whether the log of it is as it was written.

    Ends with 1 where somebody has changed the log.
    """
    needs_serve()
    from leadlight.cli.console import write
    from leadlight.service.keeping import read_audit

    found = read_audit(workspace, limit=limit, seen=seen)
    write(found, as_json=json)
    if found.broken_at is not None:
        raise typer.Exit(1)


def audited(name: str, verb: Callable[..., None]) -> Callable[..., None]:
    """Return a verb that stands in the audit log when it has ended well, where there is one."""
    if name not in CHANGES:
        return verb

    @functools.wraps(verb)
    def noted(**options: Any) -> None:
        verb(**options)
        told = CHANGES[name]
        if options.get("dry_run") or (told and not any(options.get(one) for one in told)):
            return
        from leadlight.service.keeping import note

        note(options["workspace"], name, on=str(options.get("name") or ""))

    return noted


def _only(owner: str, action: str, options: Mapping[str, object]) -> None:
    from leadlight.errors import UsageError

    given = [name for name, value in options.items() if value is not None]
    if given and action != owner:
        raise UsageError(f"{', '.join(given)} goes with `keys {owner}`")


def _duration(text: str | None) -> Any:
    from leadlight.errors import UsageError
    from leadlight.spec.durations import parse_duration

    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def needs_serve() -> None:
    """Raise MissingExtraError where the packages of the service are not there."""
    from leadlight.errors import MissingExtraError

    try:
        import itsdangerous  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"this needs {error.name}", fix='Install it with `pip install "leadlight[serve]"`.'
        ) from None


VERBS: dict[str, Callable[..., None]] = {"keys": keys, "audit": audit}
