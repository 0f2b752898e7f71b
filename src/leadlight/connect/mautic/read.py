"""Reading a Mautic: pages by id, what changed since, what the audit log says of the past, deletions and merges.

Contacts and companies are paged by id, never by offset, so that nothing slips from page to page while people work. What
was the newest change when a reading began is where the next one begins. The audit log (for administrators only) tells
what values were before, who was deleted, and who was merged into whom; without it, ids that are no longer there are
looked for once in a while.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.mautic.api import PAGE, Condition, listed, more_after, numbers, records, stats, when
from leadlight.connect.mautic.audit import changes_of, merged_into
from leadlight.connect.mautic.describe import COMPANIES, CONTACTS
from leadlight.connect.mautic.rows import company_values, contact_values
from leadlight.connect.protocol import Page, Row, Value, Want
from leadlight.connect.typed import moment, text
from leadlight.connect.versions import Change, versions

OVERLAP = timedelta(minutes=2)
"""What was written this long before the newest change is read again: transactions end out of order."""
SWEEP = timedelta(hours=24)
"""How often ids that are gone are looked for, where no audit log tells."""
AUDITED = {CONTACTS: "lead", COMPANIES: "company"}
COLUMNS = ("dateModified", "dateAdded")
"""A record that was never edited has no time of its last change, so both are asked for."""
ALL = "all"


def read(http: Http, want: Want, *, anonymous: bool, now: datetime) -> Iterator[Page]:
    """Yield contacts or companies: all of them at first, then what changed, then who is gone."""
    name = want.object.name
    state = dict(want.cursor or {})
    if "todo" not in state:
        first = "since" not in state
        state = {
            "since": state.get("since"),
            "next": _newest(http, name) or state.get("since"),
            "audit": _last_entry(http) if state.get("audit") is None else state["audit"],
            "swept": _stamp(now) if first else state.get("swept"),
            "todo": [ALL] if first else list(COLUMNS),
            "after": 0,
        }
    while state["todo"]:
        rows, last = _page(http, want, state, anonymous=anonymous)
        state = {**state, "todo": state["todo"][1:], "after": 0} if last is None else {**state, "after": last}
        if rows:
            yield Page(rows, state)
    done = {"since": state["next"], "audit": state["audit"], "swept": state["swept"]}
    for page in _gone(http, name, done):
        yield page
        done = dict(page.cursor)
    swept = moment(done["swept"])
    if done["audit"] is None and (swept is None or now - swept >= SWEEP):
        yield from _there(http, want, done, anonymous=anonymous)
        done["swept"] = _stamp(now)
    yield Page((), done)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"


def _page(http: Http, want: Want, state: Mapping[str, Any], *, anonymous: bool) -> tuple[list[Row], int | None]:
    """Return the rows of the next page, and the last id where there are more after it."""
    conditions: list[Condition] = [("id", "gt", str(state["after"]))]
    since = moment(state["since"])
    column = state["todo"][0]
    if column != ALL and since is not None:
        conditions.append((column, "gte", when(since - OVERLAP)))
    found, more = _records(http, want.object.name, conditions, anonymous=anonymous)
    ids = numbers(found, state["after"])
    if column == COLUMNS[1] and since is not None:  # those that were edited since came in the pass before
        edited = [moment(one.get(COLUMNS[0])) for one in found]
        found = [one for one, at in zip(found, edited, strict=True) if at is None or at < since - OVERLAP]
    rows = _rows(http, want, found, None if column == ALL else since)
    return rows, max(ids) if more else None


def _records(
    http: Http, name: str, conditions: Sequence[Condition], *, anonymous: bool
) -> tuple[list[dict[str, Any]], bool]:
    known: list[Condition] = [] if anonymous or name != CONTACTS else [("dateIdentified", "isNotNull", None)]
    body = listed(http, f"/api/{name}", [*conditions, *known], orderBy="id", orderByDir="asc", limit=PAGE)
    found = records(body, name)
    return found, more_after(body, found)


def _newest(http: Http, name: str) -> str | None:
    """Return when anything was last changed or made, by the system's own clock."""
    found = [
        moment(record.get(column))
        for column, order in zip(COLUMNS, ("date_modified", "date_added"), strict=True)
        for record in records(listed(http, f"/api/{name}", (), orderBy=order, orderByDir="desc", limit=1), name)
    ]
    times = [at for at in found if at is not None]
    return _stamp(max(times)) if times else None


def _rows(http: Http, want: Want, found: Sequence[Mapping[str, Any]], since: datetime | None) -> list[Row]:
    fields = want.object.fields
    if want.object.name == COMPANIES:
        shaped = {str(record["id"]): company_values(record, fields) for record in found}
    else:
        wants_company = want.object.field("company_id") is not None
        companies = _companies(http, [str(record["id"]) for record in found]) if wants_company and found else {}
        shaped = {str(record["id"]): contact_values(record, fields, companies) for record in found}
    if not want.history or not any(field.history for field in fields):
        return [Row(key, values) for key, values in shaped.items()]
    log = _log(http, want, list(shaped), since)
    created = {str(record["id"]): moment(record.get("dateAdded")) for record in found}
    return [
        row for key, values in shaped.items() for row in _history(key, values, log.get(key, ()), created[key], since)
    ]


def _history(
    id: str,  # noqa: A002
    values: Mapping[str, Value],
    changes: Sequence[Change],
    created: datetime | None,
    since: datetime | None,
) -> list[Row]:
    """Return what a record was; of one that was read before, what it has become since then.

    Its first row is dated by its creation then, so that whoever has newer ones drops it: the log was asked for changes
    since the last reading only.
    """
    if not changes:
        return [Row(id, values)]
    return versions(id, values, changes, created_at=created, whole=since is not None)


def _log(http: Http, want: Want, ids: Sequence[str], since: datetime | None) -> dict[str, list[Change]]:
    """Return the changes of some records that the audit log knows, by record."""
    found: dict[str, list[Change]] = {}
    after = 0
    while ids:
        conditions: list[Condition] = [
            ("id", "gt", str(after)),
            ("object", "eq", AUDITED[want.object.name]),
            ("action", "eq", "update"),
            ("object_id", "in", ",".join(ids)),
        ]
        if since is not None:
            conditions.append(("date_added", "gte", when(since - OVERLAP)))
        entries, more = stats(http, "audit_log", conditions, PAGE) or ([], False)
        for entry in entries:
            found.setdefault(str(entry.get("object_id")), []).extend(changes_of(entry, want.object))
        if not more:
            break
        after = max(numbers(entries, after))
    return found


def _companies(http: Http, ids: Sequence[str]) -> dict[str, str]:
    """Return the primary company of contacts, by contact."""
    conditions: list[Condition] = [("lead_id", "in", ",".join(ids)), ("is_primary", "eq", "1")]
    found: dict[str, str] = {}
    start, more = 0, True
    while more:
        body = listed(http, "/api/stats/companies_leads", conditions, limit=PAGE, start=start)
        rows = records(body, "stats")
        pairs = ((text(row.get("lead_id")), text(row.get("company_id"))) for row in rows)
        found |= {contact: company for contact, company in pairs if contact and company}
        more = more_after(body, rows, start)
        start += len(rows)
    return found


def _last_entry(http: Http) -> int | None:
    """Return the audit log's last id; None where this user may not see the log."""
    shown = stats(http, "audit_log", (), 1, newest=True)
    return None if shown is None else max(numbers(shown[0], 0), default=0)


def _gone(http: Http, name: str, done: Mapping[str, Any]) -> Iterator[Page]:
    """Yield who was deleted, and who was merged into whom, as the audit log has it."""
    after = done["audit"]
    while after is not None:
        conditions: list[Condition] = [
            ("id", "gt", str(after)),
            ("object", "eq", AUDITED[name]),
            ("action", "in", "delete,merge"),
        ]
        shown = stats(http, "audit_log", conditions, PAGE)
        if shown is None:  # this user may not see it any more
            yield Page((), {**done, "audit": None})
            return
        entries, more = shown
        rows = [
            Row(str(entry["object_id"]), {}, moment(entry.get("date_added")), gone=True, into=merged_into(entry))
            for entry in entries
            if text(entry.get("object_id"))
        ]
        last = max(numbers(entries, after), default=after)
        if entries:
            yield Page(_merged_last(rows), {**done, "audit": last})
        after = last if more else None


def _merged_last(rows: Sequence[Row]) -> list[Row]:
    """Drop the deletion of whom a merge accounts for: Mautic logs both."""
    merged = {row.id for row in rows if row.into}
    return [row for row in rows if row.into or row.id not in merged]


def _there(http: Http, want: Want, done: Mapping[str, Any], *, anonymous: bool) -> Iterator[Page]:
    """Yield the ids there are; a pass that is cut short begins anew."""
    after: int | None = 0
    while after is not None:
        found, more = _records(http, want.object.name, [("id", "gt", str(after))], anonymous=anonymous)
        ids = numbers(found, after)
        after = max(ids) if more else None
        yield Page((), dict(done), there=[str(id) for id in ids])  # noqa: A001
