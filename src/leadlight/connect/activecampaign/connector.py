"""ActiveCampaign as a connector: https://developers.activecampaign.com/reference (API v3)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from leadlight.connect.activecampaign import map as mapped
from leadlight.connect.activecampaign.describe import CONTACTS, KINDS, Described, Kind, described, kind_of, object_of
from leadlight.connect.activecampaign.read import Reading
from leadlight.connect.activecampaign.way import ABOUT, ActiveCampaignSettings, Asker, way
from leadlight.connect.activecampaign.write import find, looked, noted, readied, written
from leadlight.connect.http import Way
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
from leadlight.connect.unknown import fields_by_name, not_taken
from leadlight.errors import RemoteError

MAILS = frozenset({"sent", "open", "click", "reply", "forward", "share", "bounce"})


class ActiveCampaignSession:
    """An account of ActiveCampaign that is signed in to."""

    def __init__(self, asker: Asker, now: datetime, sweep: timedelta) -> None:
        self._asker, self._now, self._sweep = asker, now, sweep
        self._fields: dict[str, dict[str, Described]] = {}

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return objects with their fields; of all, those that the plan has. Raises RemoteError, NotFoundError."""
        if objects is not None:
            return [object_of(kind, self._described(kind)) for kind in map(kind_of, objects)]
        found: list[Object] = []
        for kind in KINDS.values():
            try:
                found.append(object_of(kind, self._described(kind)))
            except RemoteError as error:
                if error.trouble != "disabled" or kind is CONTACTS:
                    raise
        return found

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor. Raises RemoteError."""
        kind = kind_of(want.object.name)
        known = self._described(kind)
        fields = {field.name: known[field.name] for field in want.object.fields if field.name in known}
        yield from Reading(self._asker, kind, fields, self._now, self._sweep).pages(want.cursor)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that fields are there, and make those that are not. Raises RemoteError."""
        kind = kind_of(object)
        known = self._described(kind)
        answers = [readied(self._asker, kind, known, field, dry=dry) for field in fields]
        if any(answer.was == "made" for answer in answers) and not dry:
            del self._fields[kind.name]
        return answers

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields hold now. Raises RemoteError."""
        return looked(self._asker, ids, self._named(_contacts(object), fields)) if ids else {}

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write contacts, one after the other. Raises RemoteError."""
        if not batch:
            return []
        fields = self._named(_contacts(object), sorted({name for write in batch for name in write.values}))
        return [written(self._asker, fields, write) for write in batch]

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add notes. Raises RemoteError."""
        kind = kind_of(object)
        return [noted(self._asker, kind, note) for note in notes]

    def _described(self, kind: Kind) -> dict[str, Described]:
        if kind.name not in self._fields:
            self._fields[kind.name] = described(self._asker, kind)
        return self._fields[kind.name]

    def _named(self, kind: Kind, names: Sequence[str]) -> dict[str, Described]:
        """Return fields by their names. Raises NotFoundError."""
        return fields_by_name(f"ActiveCampaign's {kind.name} have no field", names, self._described(kind), find)


class ActiveCampaign:
    """The connector `activecampaign`."""

    about = ABOUT
    settings: type[Settings] = ActiveCampaignSettings
    mapping: Mapping[str, Mapping[str, Any]] = mapped.MAPPING
    starter = mapped.STARTER
    scorecard = mapped.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way | None:
        """Return the way in. Raises UsageError."""
        assert isinstance(settings, ActiveCampaignSettings)
        return way(settings, secrets)

    def open(self, settings: Settings, surroundings: Surroundings) -> Session:
        """Return a session; nothing is asked yet."""
        assert isinstance(settings, ActiveCampaignSettings)
        assert surroundings.http is not None
        sweep = timedelta(hours=settings.sweep_hours)
        return ActiveCampaignSession(Asker(surroundings.http), surroundings.now, sweep)

    def changed(
        self,
        headers: Mapping[str, str],  # noqa: ARG002
        body: bytes,
        *,
        url: str,
        secrets: Mapping[str, str],
        now: datetime,  # noqa: ARG002
    ) -> Sequence[str]:
        """Verify a webhook by the secret in its address (ActiveCampaign signs none) and return what has changed."""
        told = parse_qs(urlsplit(url).query).get("secret", [""])[0]
        known = secrets.get("webhook_secret", "")
        if not known or not hmac.compare_digest(told.encode(), known.encode()):
            raise PermissionError("the address does not end in ?secret= and the secret of this connection")
        kind = parse_qs(body.decode("utf-8", errors="replace")).get("type", [""])[0]
        if not kind:
            raise PermissionError("this is no webhook of ActiveCampaign's")
        if kind.startswith("deal"):
            return ["deals"]
        if kind.startswith("account"):
            return ["accounts", "contacts"]
        return ["activities", "contacts"] if kind in MAILS else ["contacts"]


def _contacts(name: str) -> Kind:
    """Return the object that takes scores. Raises UsageError."""
    kind = kind_of(name)
    if kind.name != "contacts":
        raise not_taken(f"scores go to contacts of ActiveCampaign, not to its {kind.name}", ["contacts"])
    return kind


CONNECTOR = ActiveCampaign()
