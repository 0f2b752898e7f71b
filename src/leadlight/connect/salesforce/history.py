"""What fields were before: the field history of the records of a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from leadlight.connect.portions import portions
from leadlight.connect.protocol import Field
from leadlight.connect.salesforce import soql
from leadlight.connect.salesforce.describe import Sobject
from leadlight.connect.salesforce.query import Query
from leadlight.connect.typed import moment, typed
from leadlight.connect.versions import Change

AT_ONCE = 300
"""Records whose history is asked for at once: their ids have to fit into an address."""


def changes_of(
    query: Query, sobject: Sobject, fields: Sequence[Field], ids: Sequence[str], since: datetime | None
) -> Mapping[str, Sequence[Change]]:
    """Return what changed of records since a moment (None: since ever), by record. Raises RemoteError."""
    wanted = {name: field for field in fields if field.history for name in (field.name, _called(sobject, field))}
    found: dict[str, list[Change]] = defaultdict(list)
    if sobject.log is None or not wanted:
        return found
    for some in portions(ids, AT_ONCE):
        for record, change in _told(query, sobject, wanted, some, since):
            found[record].append(change)
    return found


def _told(
    query: Query, sobject: Sobject, wanted: Mapping[str, Field], ids: Sequence[str], since: datetime | None
) -> Iterator[tuple[str, Change]]:
    log = sobject.log
    assert log is not None
    conditions = [soql.among(log.record, ids)]
    if since is not None:
        conditions.append(f"CreatedDate >= {soql.moment(since)}")
    asked = [log.record, "Field", "OldValue", "NewValue", "CreatedDate"]
    order = [log.record, "CreatedDate", "Id"]
    for one in query.all(soql.select(asked, log.table, *conditions, order=order)):
        field, at, record = wanted.get(str(one.get("Field"))), moment(one.get("CreatedDate")), one.get(log.record)
        if field is None or at is None or not isinstance(record, str):
            continue
        old, new = one.get("OldValue"), one.get("NewValue")
        if sobject.told.get(field.name) == "reference" and not (_names_records(old) and _names_records(new)):
            continue  # a reference is told twice, by names and by ids
        yield record, Change(field.name, at, typed(new, field.type), typed(old, field.type))


def _called(sobject: Sobject, field: Field) -> str:
    """Return what the history calls a field: `Owner` for the reference `OwnerId`."""
    return field.name.removesuffix("Id") if sobject.told.get(field.name) == "reference" else field.name


def _names_records(value: object) -> bool:
    return value is None or soql.is_id(value)
