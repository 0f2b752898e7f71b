"""Pipedrive as a connector: https://developers.pipedrive.com/docs/api/v1 (its API v2; v1 where v2 has nothing)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http, Way
from leadlight.connect.pipedrive import map as mapped
from leadlight.connect.pipedrive.describe import Described, described, kind_of, object_of
from leadlight.connect.pipedrive.history import LOGGED, is_logged
from leadlight.connect.pipedrive.kinds import KINDS, Kind
from leadlight.connect.pipedrive.read import Reading, stage_names
from leadlight.connect.pipedrive.way import ABOUT, PipedriveSettings, way
from leadlight.connect.pipedrive.write import find, looked, noted, readied, written
from leadlight.connect.protocol import (
    Field,
    Note,
    Object,
    Page,
    PushField,
    Readied,
    Session,
    Settings,
    Surroundings,
    Value,
    Want,
    Write,
    Written,
)
from leadlight.connect.unknown import fields_by_name
from leadlight.expr.types import Type

ENTITIES = {"person": "persons", "organization": "organizations", "deal": "deals", "activity": "activities"}
ENTITIES |= {"lead": "leads", "note": "notes"}


class PipedriveSession:
    """An account of Pipedrive that is signed in to."""

    def __init__(self, http: Http, now: datetime, *, history: bool) -> None:
        self._http, self._now, self._history = http, now, history
        self._fields: dict[str, dict[str, Described]] = {}
        self._names: dict[str, str] | None = None
        self._types: dict[str, Type] = {}

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return objects with their fields. Raises RemoteError, NotFoundError."""
        kinds = [kind_of(name) for name in (KINDS if objects is None else objects)]
        return [object_of(kind, self._described(kind)) for kind in kinds]

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor. Raises RemoteError."""
        kind = kind_of(want.object.name)
        known = self._described(kind)
        fields = {field.name: known[field.name] for field in want.object.fields if field.name in known}
        if {"stage", "pipeline"} & set(fields) and self._names is None:
            self._names = stage_names(self._http)
        history = self._history and want.history and kind.name in LOGGED
        yield from Reading(self._http, kind, fields, self._names or {}, self._now, history).pages(want.cursor)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that fields are there, and make those that are not. Raises RemoteError."""
        kind = kind_of(object)
        known = self._described(kind)
        answers = [readied(self._http, kind, known, field, dry=dry) for field in fields]
        if any(answer.was == "made" for answer in answers) and not dry:
            del self._fields[kind.name]
        self._types |= {answer.field: field.type for answer, field in zip(answers, fields, strict=True)}
        return answers

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields hold now. Raises RemoteError."""
        kind = kind_of(object)
        if not ids:
            return {}
        return looked(self._http, kind, ids, self._named(kind, fields), self._types)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write records, one after the other. Raises RemoteError."""
        kind = kind_of(object)
        if not batch:
            return []
        fields = self._named(kind, sorted({name for write in batch for name in write.values}))
        return [written(self._http, kind, fields, write) for write in batch]

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add tasks or notes. Raises RemoteError."""
        kind = kind_of(object)
        return [noted(self._http, kind, note) for note in notes]

    def _described(self, kind: Kind) -> dict[str, Described]:
        if kind.name not in self._fields:
            found = described(self._http, kind)
            if self._history:
                found = {name: replace(one, field=self._logged(kind, one)) for name, one in found.items()}
            self._fields[kind.name] = found
        return self._fields[kind.name]

    @staticmethod
    def _logged(kind: Kind, one: Described) -> Field:
        return replace(one.field, history=is_logged(kind, one))

    def _named(self, kind: Kind, names: Sequence[str]) -> dict[str, Described]:
        """Return fields by their names. Raises NotFoundError."""
        return fields_by_name(f"Pipedrive's {kind.name} have no field", names, self._described(kind), find)


class Pipedrive:
    """The connector `pipedrive`."""

    about = ABOUT
    settings: type[Settings] = PipedriveSettings
    mapping: Mapping[str, Mapping[str, Any]] = mapped.MAPPING
    starter = mapped.STARTER
    scorecard = mapped.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way | None:
        """Return the way in. Raises UsageError."""
        assert isinstance(settings, PipedriveSettings)
        return way(settings, secrets)

    def open(self, settings: Settings, surroundings: Surroundings) -> Session:
        """Return a session; nothing is asked yet."""
        assert isinstance(settings, PipedriveSettings)
        assert surroundings.http is not None
        return PipedriveSession(surroundings.http, surroundings.now, history=settings.history)

    def changed(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        url: str,  # noqa: ARG002
        secrets: Mapping[str, str],
        now: datetime,  # noqa: ARG002
    ) -> Sequence[str]:
        """Verify a webhook by its HTTP auth (Pipedrive signs none) and return which object has changed."""
        import orjson

        user, password = secrets.get("webhook_user", ""), secrets.get("webhook_password", "")
        expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        told = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
        if not password or not hmac.compare_digest(expected.encode(), told.encode()):
            raise PermissionError("the webhook's user name and password are not those of this connection")
        try:
            meta = orjson.loads(body).get("meta", {})
            entity = meta.get("entity") or meta.get("object")
        except (orjson.JSONDecodeError, AttributeError):
            raise PermissionError("this is no webhook of Pipedrive's") from None
        return [ENTITIES[entity]] if isinstance(entity, str) and entity in ENTITIES else []


CONNECTOR = Pipedrive()
