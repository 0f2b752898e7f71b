"""The verbs about who is who, and which events count: merges, bots."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadlight.cli.options import Folder, Json

if TYPE_CHECKING:
    from leadlight.workspace import Workspace

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many are shown.")]


def merges(
    lead: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only what became of this one's ids.", show_default=False)
    ] = None,
    undo: Annotated[
        int | None, typer.Option("--undo", metavar="MERGE", help="Take this merge back, for good.", show_default=False)
    ] = None,
    join: Annotated[
        tuple[str, str] | None,
        typer.Option("--join", metavar="ID ID", help="Let the second be one with the first.", show_default=False),
    ] = None,
    apart: Annotated[
        tuple[str, str] | None,
        typer.Option("--apart", metavar="ID ID", help="Keep these two apart, whatever they share.", show_default=False),
    ] = None,
    limit: Limit = 20,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """List who was merged with whom and why; take a merge back, join two, or keep two apart.

    What was taken back is as if it had never been, and no rule makes it again. Run `leadlight score` after a change.
    """
    from leadlight.cli.console import write
    from leadlight.errors import UsageError
    from leadlight.workspace import open_workspace

    if sum(told is not None for told in (undo, join, apart)) > 1:
        raise UsageError("--undo, --join and --apart are three different things", fix="Ask for one at a time.")
    if undo is None and join is None and apart is None:
        write(open_workspace(workspace).merges(lead, limit=limit), as_json=json)
        return
    with _opened(workspace) as opened:
        if undo is not None:
            found = opened.undo_merge(undo)
        elif join is not None:
            found = opened.join_leads(*join)
        elif apart is not None:
            opened.part_leads(*apart)
            found = opened.merges(apart[0], limit=limit)
    write(found, as_json=json)


def resolve(
    threshold: Annotated[
        float, typer.Option("--from", metavar="P", help="List pairs of this probability and more.")
    ] = 0.9,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the pairs to a file.", show_default=False)
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", help="Do as the verdicts in the file say.", show_default=False),
    ] = None,
    accept: Annotated[
        tuple[str, str] | None,
        typer.Option("--accept", metavar="ID ID", help="They are the same: join them.", show_default=False),
    ] = None,
    reject: Annotated[
        tuple[str, str] | None,
        typer.Option("--reject", metavar="ID ID", help="They are not: keep them apart, for good.", show_default=False),
    ] = None,
    above: Annotated[
        float | None,
        typer.Option("--above", metavar="P", help="Join all pairs of this probability and more.", show_default=False),
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Find leads that are probably the same person, with the reasons; nothing is joined without asking.

    Names, e-mail addresses, phones, companies and addresses are compared, as far as leads have them. What is joined
    can be undone: `leadlight merges`.
    """
    from leadlight.cli.console import working, write
    from leadlight.workspace import open_workspace

    changes = above is not None or any(told is not None for told in (apply, accept, reject))
    with working("comparing"), _opened(workspace) if changes else nullcontext(open_workspace(workspace)) as opened:
        found = opened.resolve(
            threshold=threshold, above=above, target=csv, verdicts=apply, same=[accept] if accept else [],
            different=[reject] if reject else [],
        )  # fmt: skip
    write(found, as_json=json)


def bots(
    lead: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only the events of this one.", show_default=False)
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="REASON",
            help="Only those of a reason: crawler, honeypot, scanner, rate, address, consent or hand.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what happened since.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Only what happened before.", show_default=False)
    ] = None,
    event: Annotated[
        str | None, typer.Option("--event", metavar="EVENT", help="The event of this short name.", show_default=False)
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="Let them count, whatever the rules say.")] = False,
    flag: Annotated[bool, typer.Option("--flag", help="Set events aside that count, by hand.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Hold all events against the rules as they are now.")] = False,
    limit: Limit = 20,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """List the events that do not count, and why: bots, and people who have not consented; or change that.

    What is moved by hand no rule moves back. Run `leadlight score` after a change.
    """
    from leadlight.cli.console import write
    from leadlight.errors import UsageError
    from leadlight.workspace import open_workspace

    if release + flag + again > 1:
        raise UsageError("--release, --flag and --again are three different things", fix="Ask for one at a time.")
    opened = open_workspace(workspace)
    if again:
        write(opened.sweep(), as_json=json)
        return
    move: Literal["release", "flag"] | None = "release" if release else "flag" if flag else None
    found = opened.set_aside(
        lead=lead, reason=reason, since=since, until=until, event=event, limit=limit, move=move
    )  # fmt: skip
    write(found, as_json=json)


def _opened(folder: Path) -> AbstractContextManager[Workspace]:
    """Open a workspace to change who is who; what was said live goes along, where the service's packages are there."""
    from leadlight.workspace import open_workspace

    try:
        from leadlight.service.live_workspace import opened
    except ImportError:
        return nullcontext(open_workspace(folder))
    return opened(folder)


VERBS: dict[str, Callable[..., None]] = {"merges": merges, "resolve": resolve, "bots": bots}
