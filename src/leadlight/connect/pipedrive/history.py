"""What fields of Pipedrive were before: its changelog, one request a record, so only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from leadlight.connect.http import Http
from leadlight.connect.pipedrive.describe import PAGE, Described, items, next_cursor
from leadlight.connect.pipedrive.kinds import Kind
from leadlight.connect.pipedrive.values import custom_of
from leadlight.connect.protocol import Value
from leadlight.connect.typed import moment, text, typed
from leadlight.connect.versions import Change

LOGGED = frozenset({"persons", "organizations", "deals"})
"""Objects that have a changelog."""
PLAIN = frozenset(
    {"name", "first_name", "last_name", "job_title", "title", "status", "value", "currency", "lost_reason"}
)
"""Fields of everybody whose values stand in it as they stand in the record (links stand there by name)."""
FORMS = frozenset({"varchar", "varchar_auto", "text", "double", "enum", "date"})
PAGES_MOST = 40


def is_logged(kind: Kind, one: Described) -> bool:
    """Say whether what a field was before can be read."""
    if kind.name not in LOGGED:
        return False
    return one.form in FORMS if one.field.custom else one.field.name in PLAIN


def changes_of(http: Http, kind: Kind, number: str, fields: Mapping[str, Described]) -> list[Change]:
    """Return what is known of a record's changes. Raises RemoteError."""
    known = {one.code: one for one in fields.values() if is_logged(kind, one)}
    return [change for raw in _log(http, kind, number) if (change := _change(raw, known)) is not None] if known else []


def _change(raw: Mapping[str, Any], known: Mapping[str, Described]) -> Change | None:
    one, at = known.get(text(raw.get("field_key")) or ""), moment(raw.get("time"))
    if one is None or at is None:
        return None
    before, after = raw.get("old_value"), raw.get("new_value")
    old, new = _value(before, one), _value(after, one)
    unread = (old is None and text(before) is not None) or (new is None and text(after) is not None)
    return None if unread else Change(one.field.name, at, new, old)


def _value(raw: Any, one: Described) -> Value:
    return custom_of(raw, one) if one.field.custom else typed(raw, one.field.type)


def _log(http: Http, kind: Kind, number: str) -> Iterator[Mapping[str, Any]]:
    path, params = f"/api/v1/{kind.name}/{quote(number, safe='')}/changelog", {"limit": PAGE}
    more: dict[str, Any] = {}
    for _ in range(PAGES_MOST):
        body = http.get(path, **params, **more)
        yield from items(body, path)
        following = next_cursor(body)
        if following is None or following == more.get("cursor"):
            return
        more["cursor"] = following
