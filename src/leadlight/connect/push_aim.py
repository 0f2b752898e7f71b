"""What leadlight.yaml says about writing back, made ready: which object, which sources' leads, which fields."""

from __future__ import annotations

from collections.abc import Mapping

from leadlight.connect.protocol import Connector
from leadlight.connect.push_records import Aim
from leadlight.connect.push_values import FIELDS
from leadlight.errors import NotFoundError, UsageError, did_you_mean
from leadlight.spec.connections import ConnectionSpec, PushSpec
from leadlight.spec.models import SourceKind, SourceSpec, WorkspaceSpec

RECORD = "_id"
"""The column of a record's own id."""
HOW = "Write `push:` under the connection in leadlight.yaml (docs/howto/crm.md)."


def pushed_connections(spec: WorkspaceSpec, name: str | None) -> dict[str, PushSpec]:
    """Return the connections that scores go back to, or the one of a name.

    Raises NotFoundError for a name there is none of, UsageError where nothing is said about writing back.
    """
    if name is not None and name not in spec.connections:
        raise NotFoundError(f"there is no connection {name!r}: {did_you_mean(name, spec.connections)}")
    found = {
        one: connection.push
        for one, connection in spec.connections.items()
        if connection.push is not None and name in (None, one)
    }
    if not found:
        what = "no connection" if name is None else f"the connection {name}"
        raise UsageError(f"leadlight.yaml says nothing about what goes back to {what.removeprefix('no ')}", fix=HOW)
    return found


def aim_of(spec: WorkspaceSpec, name: str, connection: ConnectionSpec, made: Connector) -> Aim:
    """Return what is written where.

    Raises UsageError where no source of the connection brings leads by the ids of their records, NotFoundError for an
    object that none reads.
    """
    assert connection.push is not None
    if not made.about.writes:
        raise UsageError(f"{made.about.title} is only read: nothing can be pushed", fix="Take `push:` out.")
    sources = {
        one: source
        for one, source in spec.sources.items()
        if source.connection == name and source.role is SourceKind.LEADS
    }
    push, chosen = connection.push, _object(name, connection.push.object, sources, made)
    return Aim(
        name,
        chosen,
        {one: source.prefix or "" for one, source in sources.items() if source.object == chosen},
        _names(push),
        push.when,
        push.tasks,
        push.tasks_at_most,
    )


def _object(name: str, told: str | None, sources: Mapping[str, SourceSpec], made: Connector) -> str:
    """Return the object that is written to: the one that is told, or the system's people."""
    objects = [source.object for source in sources.values() if source.object is not None and source.id == RECORD]
    if not objects:
        raise UsageError(
            f"no source of the connection {name} brings leads by the ids of their records",
            fix=f"A source with `connection: {name}`, `kind: leads` and without an `id:` of its own does.",
        )
    if told is not None:
        if told not in objects:
            raise NotFoundError(
                f"no source of {name} brings leads of the object {told!r}: {did_you_mean(told, objects)}"
            )
        return told
    usual = [one.get("object") for one in made.mapping.values() if one.get("kind") == SourceKind.LEADS]
    return next((str(one) for one in usual if one in objects), objects[0])


def _names(push: PushSpec) -> dict[str, str | None]:
    """Return what is written and into which field: all, unless some are named; null leaves one out.

    Raises UsageError where nothing is left.
    """
    if not push.fields:
        return dict.fromkeys(FIELDS)
    found: dict[str, str | None] = {what: name for what, name in push.fields.items() if name is not None}
    if not found:
        raise UsageError(
            "`fields:` under `push:` leaves everything out", fix="Name a field for what is to be written: `score: …`."
        )
    return found
