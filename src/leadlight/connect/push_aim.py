"""What leadlight.yaml says about writing back, made ready: which object, which sources' leads, which fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadlight.connect.protocol import Connector
from leadlight.connect.push_records import Aim
from leadlight.connect.push_values import FIELDS
from leadlight.connect.unknown import no_connection, no_object
from leadlight.errors import UsageError
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
        raise no_connection(name, spec.connections)
    found = {
        one: connection.push
        for one, connection in spec.connections.items()
        if connection.push is not None and name in (None, one)
    }
    if not found:
        what = "no connection" if name is None else f"the connection {name}"
        raise UsageError(f"leadlight.yaml says nothing about what goes back to {what.removeprefix('no ')}", fix=HOW)
    return found


def aims_of(spec: WorkspaceSpec, name: str, connection: ConnectionSpec, made: Connector) -> list[Aim]:
    """Return what is written where: an aim for each object, the system's people first.

    Raises UsageError where no source of the connection brings leads by the ids of their records, NotFoundError for an
    object that none reads.
    """
    assert connection.push is not None
    if not made.about.writes:
        raise UsageError(f"{made.about.title} is only read: nothing can be pushed", fix="Take `push:` out.")
    sources = {
        one: source
        for one, source in spec.sources.items()
        if source.connection == name and source.role is SourceKind.LEADS and source.id == RECORD
    }
    push, names = connection.push, _names(connection.push)
    return [
        Aim(
            name,
            chosen,
            {one: source.prefix or "" for one, source in sources.items() if source.object == chosen},
            names,
            push.when,
            push.tasks,
            push.tasks_at_most,
        )
        for chosen in _objects(name, push.object, sources, made)
    ]


def _objects(
    name: str, told: str | Sequence[str] | None, sources: Mapping[str, SourceSpec], made: Connector
) -> list[str]:
    """Return the objects that are written to: those that are told, or all that leads are read of."""
    objects = list(dict.fromkeys(source.object for source in sources.values() if source.object is not None))
    if not objects:
        raise UsageError(
            f"no source of the connection {name} brings leads by the ids of their records",
            fix=f"A source with `connection: {name}`, `kind: leads` and without an `id:` of its own does.",
        )
    for one in [told] if isinstance(told, str) else told or ():
        if one not in objects:
            raise no_object(
                f"no source of {name} brings leads of the object",
                one,
                objects,
                fix="Write one of them as `object` of `push`, or add a source of leads that reads it.",
            )
    if told is not None:
        return [told] if isinstance(told, str) else list(dict.fromkeys(told))
    usual = [str(one.get("object")) for one in made.mapping.values()]
    return sorted(objects, key=lambda one: usual.index(one) if one in usual else len(usual))


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
