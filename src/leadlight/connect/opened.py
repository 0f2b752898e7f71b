"""Open a connection that leadlight.yaml names: its settings read, its secrets found, its requests paced and counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from leadlight.connect.http import Http
from leadlight.connect.pace import Clock
from leadlight.connect.protocol import Connector, Limits, Session, Settings, Surroundings
from leadlight.connect.quota import Quota
from leadlight.connect.registry import connector
from leadlight.connect.secrets import find_secrets
from leadlight.errors import Fault, LeadlightError, SpecError, did_you_mean
from leadlight.sources.lake import connection_folder
from leadlight.spec.connections import ConnectionSpec
from leadlight.spec.load import WORKSPACE_FILE
from leadlight.spec.marks import Marks
from leadlight.spec.models import WorkspaceSpec
from leadlight.spec.validation import validate
from leadlight.spec.yaml import Parsed

QUOTA = "quota.json"
TO_BE_WRITTEN = "…"
"""What `init --from` writes where only the user knows what belongs there."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that is ready to be asked; give it back with `close`."""

    name: str
    connector: Connector
    settings: Settings
    session: Session
    limits: Limits
    http: Http | None
    quota: Quota | None
    secrets: Mapping[str, str] = field(repr=False)

    def close(self) -> None:
        """Close its connections, and write down what was used of its quota."""
        if self.http is not None:
            self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return 0 if self.http is None else self.http.requests


def open_connection(
    name: str,
    spec: ConnectionSpec,
    root: Path,
    *,
    now: Callable[[], datetime],
    marks: Marks | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> Opened:
    """Open a connection. Nothing is asked of the system yet.

    `clock` paces and counts requests: the machine's, with `now`, unless told. `marks` says where the values of
    leadlight.yaml stand. Raises SpecError for settings that make no sense, NotFoundError for an unknown system,
    UsageError for missing secrets, MissingExtraError.
    """
    made = connector(spec.system)
    settings = settings_of(name, spec, made, marks)
    file = None if spec.secrets_file is None else Path(spec.secrets_file)
    told = os.environ if environ is None else environ
    secrets = find_secrets(made.about, told, told=spec.secrets, file=file, workspace=root)
    limits = limits_of(spec, made)
    clock = clock or Clock(now=now)
    way = made.way(settings, secrets)
    quota = http = None
    if way is not None:
        folder = connection_folder(root, name)
        quota = Quota(made.about.title, limits.per_day, folder / QUOTA, share=spec.share, clock=clock)
        http = Http(way, made.about, limits=limits, secrets=secrets, quota=quota, clock=clock, folder=folder)
    try:
        session = made.open(settings, Surroundings(secrets, http, now()))
    except BaseException:
        if http is not None:
            http.close()
        raise
    return Opened(name, made, settings, session, limits, http, quota, secrets)


def limits_of(spec: ConnectionSpec, made: Connector) -> Limits:
    """Return what may be asked of the system: what leadlight.yaml says goes before what the vendor allows."""
    limits = made.about.limits
    if spec.per_second is not None:
        limits = replace(limits, per_second=spec.per_second)
    return limits if spec.per_day is None else replace(limits, per_day=spec.per_day)


def settings_of(name: str, spec: ConnectionSpec, made: Connector, marks: Marks | None = None) -> Settings:
    """Read the keys of a connection that are the connector's own; raises SpecError with each fault at its place."""
    marks = marks or Marks(WORKSPACE_FILE)
    inside = marks.root
    for part in ("connections", name):
        inside = inside.children.get(part) if inside else None
    settings, faults = validate(made.settings, Parsed(spec.own, Marks(marks.file, inside)))
    if settings is None:
        where = f"connections.{name}"
        raise SpecError([replace(fault, path=f"{where}.{fault.path}" if fault.path else where) for fault in faults])
    return settings


def check_settings(spec: WorkspaceSpec, marks: Marks) -> tuple[Fault, ...]:
    """Return what is wrong with the connections of leadlight.yaml, as far as can be told without asking anybody."""
    faults: list[Fault] = []
    for name, connection in spec.connections.items():
        try:
            faults += _check(name, connection, marks)
        except SpecError as error:
            faults += error.faults
        except LeadlightError as error:
            message = f"{error.message}. {error.fix}" if error.fix else error.message
            faults.append(marks.fault(message, ("connections", name, "system")))
    return tuple(faults)


def _check(name: str, spec: ConnectionSpec, marks: Marks) -> list[Fault]:
    made = connector(spec.system)
    left = [key for key, value in spec.own.items() if value == TO_BE_WRITTEN]
    if left:
        return [marks.fault(_belongs_there(made, key), ("connections", name, key)) for key in left]
    settings_of(name, spec, made, marks)
    known = [secret.name for secret in made.about.secrets]
    path = ("connections", name, "secrets")
    faults = [
        marks.fault(f"{made.about.title} has no secret {told!r}: {did_you_mean(told, known)}", (*path, told),
                    mark=marks.key((*path, told)))
        for told in spec.secrets if told not in known
    ]  # fmt: skip
    if spec.push is not None and not made.about.writes:
        faults.append(
            marks.fault(f"{made.about.title} is only read: nothing can be pushed", ("connections", name, "push"))
        )
    return faults


def _belongs_there(made: Connector, key: str) -> str:
    field = made.settings.model_fields.get(key)
    told = f": {field.description}" if field is not None and field.description else ""
    return f"write what belongs here{told}"
