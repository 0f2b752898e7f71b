"""Zoho CRM as a connector: https://www.zoho.com/crm/developer/docs/api/v8/."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http, Way
from leadlight.connect.protocol import (
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
from leadlight.connect.zoho import map as mapped
from leadlight.connect.zoho.describe import MODULES, Described, described, object_of
from leadlight.connect.zoho.history import is_logged
from leadlight.connect.zoho.read import Reading
from leadlight.connect.zoho.way import ABOUT, ZohoSettings, way
from leadlight.connect.zoho.write import find, looked, make_fields, noted, readied, written
from leadlight.errors import RemoteError


class ZohoSession:
    """An organisation of Zoho CRM that is signed in to."""

    def __init__(self, http: Http, now: datetime, *, history: bool) -> None:
        self._http, self._now, self._history = http, now, history
        self._fields: dict[str, dict[str, Described]] = {}

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return modules with their fields; of all, those that are not hidden. Raises RemoteError, NotFoundError."""
        if objects is not None:
            return [object_of(name, self._described(name)) for name in objects]
        found: list[Object] = []
        for name in MODULES:
            try:
                found.append(object_of(name, self._described(name)))
            except RemoteError as error:
                if error.trouble != "absent":
                    raise
        return found

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor. Raises RemoteError."""
        known = self._described(want.object.name)
        fields = {field.name: known[field.name] for field in want.object.fields if field.name in known}
        history = self._history and want.history
        yield from Reading(self._http, want.object.name, fields, self._now, history).pages(want.cursor)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that fields are there, and make those that are not. Raises RemoteError."""
        known = self._described(object)
        answers = {field.name: readied(object, known, field) for field in fields}
        absent = [field for field in fields if answers[field.name] is None]
        todo: dict[str, str] = {}
        if absent and not dry:
            todo = make_fields(self._http, object, absent)
            del self._fields[object]
            known = self._described(object)
        for field in absent:
            found = find(known, field.name, field.label)
            own = found.field.name if found else "_".join((field.label or field.name).split())
            answers[field.name] = (
                Readied(field.name, "missing", todo[field.name]) if field.name in todo else Readied(own, "made")
            )
        return [answer for field in fields if (answer := answers[field.name]) is not None]

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields hold now. Raises RemoteError."""
        return looked(self._http, object, ids, self._named(object, fields)) if ids else {}

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write records. Raises RemoteError."""
        if not batch:
            return []
        fields = self._named(object, sorted({name for write in batch for name in write.values}))
        return written(self._http, object, fields, batch)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add tasks or notes. Raises RemoteError."""
        return noted(self._http, object, notes)

    def _described(self, module: str) -> dict[str, Described]:
        if module not in self._fields:
            found = described(self._http, module)
            if self._history:
                logged = {name: replace(one.field, history=is_logged(one)) for name, one in found.items()}
                found = {name: replace(one, field=logged[name]) for name, one in found.items()}
            self._fields[module] = found
        return self._fields[module]

    def _named(self, module: str, names: Sequence[str]) -> dict[str, Described]:
        """Return fields by their names. Raises NotFoundError."""
        return fields_by_name(f"Zoho's {module} have no field", names, self._described(module), find)


class Zoho:
    """The connector `zoho`."""

    about = ABOUT
    settings: type[Settings] = ZohoSettings
    mapping: Mapping[str, Mapping[str, Any]] = mapped.MAPPING
    starter = mapped.STARTER
    scorecard = mapped.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way | None:
        """Return the way in."""
        assert isinstance(settings, ZohoSettings)
        return way(settings, secrets)

    def open(self, settings: Settings, surroundings: Surroundings) -> Session:
        """Return a session; nothing is asked yet."""
        assert isinstance(settings, ZohoSettings)
        assert surroundings.http is not None
        return ZohoSession(surroundings.http, surroundings.now, history=settings.history)

    def changed(
        self,
        headers: Mapping[str, str],  # noqa: ARG002
        body: bytes,
        *,
        url: str,  # noqa: ARG002
        secrets: Mapping[str, str],
        now: datetime,  # noqa: ARG002
    ) -> Sequence[str]:
        """Verify a notification by the token of its channel, which Zoho sends back, and return its module."""
        import orjson

        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError:
            told = None
        token = told.get("token") if isinstance(told, dict) else None
        known = secrets.get("webhook_token", "")
        if not known or not isinstance(token, str) or not hmac.compare_digest(token.encode(), known.encode()):
            raise PermissionError("the notification does not bring the token of this connection's channel")
        module = told.get("module")
        return [module] if isinstance(module, str) and module.isidentifier() else []


CONNECTOR = Zoho()
