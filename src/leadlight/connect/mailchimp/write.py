"""Writing to an audience: merge fields that are made where they are not there, and their values; nobody's status.

A batch carries no `status`: those who are in the audience keep theirs, and nobody comes into it. Where Mailchimp wants
one all the same, members are updated one by one, which never touches it either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.mailchimp.api import NOT_FOUND, PAGE, listed, part
from leadlight.connect.mailchimp.describe import MEMBERS
from leadlight.connect.mailchimp.rows import held
from leadlight.connect.protocol import Field, Note, PushField, Readied, Value, Write, Written
from leadlight.connect.refusals import odd, said
from leadlight.connect.typed import text
from leadlight.connect.unknown import not_taken
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

TAG_MOST = 10
NAME_MOST = 50
TEXT_MOST = 255
"""Bytes of a text that Mailchimp keeps."""
NOTE_MOST = 1000
NOTES_PAGE = 100
BAD = 400
ARCHIVED = "archived"
VALUES = {"skip_merge_validation": "true"}
"""Other fields that must be filled are none of our business."""


def tag_of(name: str) -> str:
    """Return a field's name as Mailchimp takes it: at most 10 characters, so that `leadlight` becomes `LL`.

    >>> tag_of("leadlight_score"), tag_of("leadlight_probability"), tag_of("LL_GRADE")
    ('LL_SCORE', 'LL_PROBABI', 'LL_GRADE')
    """
    tag = re.sub(r"[^A-Z0-9_]+", "_", name.upper()).replace("LEADLIGHT", "LL")
    return tag.strip("_")[:TAG_MOST].rstrip("_")


def ready(http: Http, audience: str, fields: Sequence[PushField], there: set[str], *, dry: bool) -> list[Readied]:
    """See that merge fields are there (`there` are their tags), and make those that are not. Raises RemoteError."""
    return [
        Readied(tag, "there") if (tag := tag_of(field.name)) in there else _make(http, audience, tag, field, dry=dry)
        for field in fields
    ]


def _make(http: Http, audience: str, tag: str, field: PushField, *, dry: bool) -> Readied:
    kind = "number" if field.type is Type.NUMBER else "text"
    todo = (
        f"In Mailchimp, Audience > Settings > Audience fields and *|MERGE|* tags: add a field of kind {kind} "
        f"with the tag {tag}, not visible to subscribers."
    )
    if dry:
        return Readied(tag, "made")
    wanted = {"tag": tag, "name": field.label[:NAME_MOST], "type": kind, "public": False, "required": False}
    try:
        http.ask("POST", f"/lists/{audience}/merge-fields", json=wanted, retry=False)
    except RemoteError as error:
        if error.trouble in ("scope", "invalid"):
            return Readied(tag, "missing", f"{error.message}. {todo}")
        raise
    return Readied(tag, "made")


class Writer:
    """Looks at members and writes to them; knows their addresses, by which a batch names them, from looking."""

    def __init__(self, http: Http, audience: str) -> None:
        self._http, self._path = http, f"/lists/{audience}/members"
        self._audience = audience
        self._emails: dict[str, str] = {}

    def look(
        self, ids: Sequence[str], fields: Sequence[str], known: Mapping[str, Field]
    ) -> dict[str, dict[str, Value]]:
        """Return what merge fields of some members hold now: asked one by one, or by a pass if that is shorter."""
        wanted = [known.get(name) or Field(name, Type.TEXT) for name in fields]
        found = self._passed(set(ids)) if ids and self._pages() < len(ids) else {}
        for id_ in ids:
            if id_ not in found:
                record = self._one(id_)
                if record is not None:
                    found[id_] = record
        self._emails = {id_: email for id_, one in found.items() if (email := text(one.get("email_address")))}
        return {id_: self._values(one, wanted) for id_, one in found.items()}

    def write(self, batch: Sequence[Write]) -> list[Written]:
        """Write some members: in one request those whose address is known, the others one by one."""
        together = [one for one in batch if one.id in self._emails]
        done = self._batch(together) if together else {}
        return [done.get(one.id) or self._patch(one) for one in batch]

    def note(self, notes: Sequence[Note]) -> list[Written]:
        """Add notes: Mailchimp has no tasks. One that is there already (by its key) is not added again."""
        return [self._noted(one) for one in notes]

    # ------------------------------------------------------------------------------------------------- looking

    def _pages(self) -> int:
        _, total = listed(self._http, self._path, MEMBERS, fields="total_items,members.id", count=1)
        return total // PAGE + 1

    def _passed(self, ids: set[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        fields = "members.id,members.email_address,members.merge_fields,total_items"
        offset, more = 0, True
        while more and len(found) < len(ids):
            page, total = listed(self._http, self._path, MEMBERS, fields=fields, count=PAGE, offset=offset)
            found |= {str(one["id"]): one for one in page if one.get("id") in ids}
            offset += len(page)
            more = bool(page) and total > offset
        return found

    def _one(self, id_: str) -> dict[str, Any] | None:
        params = {"fields": "id,email_address,merge_fields,status"}
        answer = self._http.ask("GET", f"{self._path}/{part(id_)}", params=params, expect=(NOT_FOUND,))
        body = answer.json() if answer.status != NOT_FOUND else None
        return body if isinstance(body, dict) and body.get("status") != ARCHIVED else None

    def _values(self, record: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Value]:
        merged = record.get("merge_fields")
        merged = merged if isinstance(merged, dict) else {}
        return {field.name: held(merged.get(field.name), field) for field in fields}

    # ------------------------------------------------------------------------------------------------- writing

    def _batch(self, batch: Sequence[Write]) -> dict[str, Written]:
        """Write members in one request; who is not in what comes back is to be written alone."""
        members = [{"email_address": self._emails[one.id], "merge_fields": _sent(one)} for one in batch]
        answer = self._http.ask(
            "POST",
            f"/lists/{self._audience}",
            params=VALUES,
            json={"members": members, "update_existing": True},
            expect=(BAD,),
        )
        if answer.status == BAD:  # the whole batch is refused where one record breaks its form
            return {}
        body = answer.json()
        updated, errors = (body.get("updated_members"), body.get("errors")) if isinstance(body, dict) else (None, None)
        if not isinstance(updated, list) or not isinstance(errors, list):
            raise odd("Mailchimp", "a batch without updated_members and errors")
        by_email = {self._emails[one.id].lower(): one.id for one in batch}
        went_well = {str(one.get("id")) for one in updated if isinstance(one, dict)}
        found = {one.id: Written(one.id) for one in batch if one.id in went_well}
        for error in (error for error in errors if isinstance(error, dict)):
            id_, words = by_email.get(str(error.get("email_address")).lower()), text(error.get("error")) or "refused"
            if id_ is not None and "status" not in words.lower():
                found[id_] = _refused(id_, words, text(error.get("field")))
        return found

    def _patch(self, one: Write) -> Written:
        answer = self._http.ask(
            "PATCH",
            f"{self._path}/{part(one.id)}",
            params=VALUES,
            json={"merge_fields": _sent(one)},
            expect=(BAD, NOT_FOUND),
        )
        if answer.status == NOT_FOUND:
            return Written(one.id, "Mailchimp has no such member any more", gone=True)
        if answer.status == BAD:
            return _refused(one.id, said(answer) or "refused", None)
        body = answer.json()
        if isinstance(body, dict) and body.get("status") == ARCHIVED:
            return Written(one.id, "the member was archived in Mailchimp", gone=True)
        return Written(one.id)

    # --------------------------------------------------------------------------------------------------- notes

    def _noted(self, one: Note) -> Written:
        path = f"{self._path}/{part(one.id)}/notes"
        mark = f"[leadlight {one.key}]" if one.key else ""
        try:
            if mark:
                found, _ = listed(self._http, path, "notes", count=NOTES_PAGE, sort_dir="DESC")
                if any(mark in str(note.get("note")) for note in found):
                    return Written(one.id)
            due = f"Due {one.due:%Y-%m-%d}" if one.due else ""
            words = "\n".join(filter(None, (one.subject, one.text, due)))[: NOTE_MOST - len(mark) - 1]
            self._http.ask("POST", path, json={"note": "\n".join(filter(None, (words, mark)))}, retry=False)
        except RemoteError as error:
            if error.trouble == "absent":
                return Written(one.id, "Mailchimp has no such member any more", gone=True)
            if error.trouble not in ("invalid", "trouble"):
                raise
            return Written(one.id, error.message, again=error.trouble == "trouble")
        return Written(one.id)


def only_members(name: str) -> None:
    """Raise UsageError for any other object."""
    if name != MEMBERS:
        raise not_taken(f"Mailchimp takes scores and notes on members only, not on {name}", [MEMBERS])


def _refused(id_: str, words: str, field: str | None) -> Written:
    where = f" (field {field}: see Audience > Settings > Audience fields)" if field else ""
    again = "locked" in words.lower() or "try again" in words.lower()
    return Written(id_, f"Mailchimp: {words[:300]}{where}", again=again)


def _sent(one: Write) -> dict[str, Any]:
    return {name: _value(value) for name, value in one.values.items()}


def _value(value: Value) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.encode()[:TEXT_MOST].decode(errors="ignore") if isinstance(value, str) else value
