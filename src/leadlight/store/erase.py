"""Erase a person: from every table, and from the bytes of the file."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store import refused
from leadlight.store.leads import keep_numbers
from leadlight.store.merge import BY_ADDRESS, DEFAULT
from leadlight.store.sql import Sql, fill, literal
from leadlight.store.unscored import note_unscored, note_unscored_accounts

BY_LEAD = ("observations", "attributes", "events", "set_aside", "rolled_up", "outcomes", "leads", "ids")
BY_ANY_KEY = ("scores", "grade_history")
BY_OWN_KEY = ("facts", "lookups")

_ANY = "EXISTS (SELECT 1 FROM (SELECT unnest(?::INTEGER[]) AS told) t WHERE t.told IN ({}))"
BY_KEYS = {
    "merges": Sql(_ANY.format("key, was, survivor")),
    "apart": Sql(_ANY.format("a, b")),
    **{
        table: Sql("list_contains(?::INTEGER[], _said_of)")
        for table in ("judgements", "origins", "consents", "taken_out")
    },
}
"""Tables of who is who and which events count → which of their rows are about a person (its keys)."""

_DEVICE = literal(refused.ANONYMOUS)
_FORMER = Sql("anonymous IN (SELECT previous FROM live_aliases WHERE list_contains($1::VARCHAR[], previous))")
_DEVICE_OR_USER = fill(
    '(list_contains($1::VARCHAR[], "user") OR list_contains($1::VARCHAR[], {device} || anonymous) OR {former})',
    device=_DEVICE, former=_FORMER,
)  # fmt: skip
BY_CALL = {
    "live_traits": Sql("list_contains(?::INTEGER[], _key)"),
    "live_lookups": Sql("list_contains(?::INTEGER[], lead)"),
    "outbox": Sql("list_contains(?::INTEGER[], _key)"),
    "pushed": Sql("list_contains(?::INTEGER[], _key)"),
    "push_tasks": Sql("list_contains(?::INTEGER[], _key)"),
    "live_links": _DEVICE_OR_USER,
    "live_owners": _DEVICE_OR_USER,
    "live_aliases": Sql('(list_contains($1::VARCHAR[], "user") OR list_contains($1::VARCHAR[], previous))'),
    refused.TABLE: refused.ABOUT,
}
"""Tables that are there or not, of the service, and of what goes to other systems, beside the store's own → which of
their rows are about a person (its keys, its ids, or the ids of its refused calls)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant: the lead's number, and every id with its key, also of merged duplicates."""

    lead: int
    ids: tuple[str, ...]
    keys: tuple[int, ...]


NO_LEAD = -1
"""The number of a person whose calls could not be stored, and of whom nothing else is known."""


def find_person(engine: Engine, id: str) -> Person:  # noqa: A002 - the user's word
    """Return the person with an id, also one that only refused calls name. Raises NotFoundError."""
    people = engine.rows(
        "SELECT lead, id, key FROM ids WHERE lead = (SELECT any_value(lead) FROM ids WHERE id = ?) ORDER BY key", [id]
    )
    if not people and refused.about_person(engine, [id]):
        return Person(NO_LEAD, (id,), ())
    if not people:
        raise NotFoundError(f"there is nobody with the id {id!r} in the store")
    return Person(people[0][0], tuple(str(own) for _, own, _ in people), tuple(key for _, _, key in people))


def about(engine: Engine, person: Person) -> Iterator[tuple[str, Sql, list[Any]]]:
    """Yield every table that holds something about a person: its name, the condition of such rows, its one parameter.

    What `erase` removes and what `access` shows is this list.
    """
    keys, present = list(person.keys), engine.tables()
    yield from ((table, _ONE_OF_LEADS, [person.lead]) for table in BY_LEAD)
    yield from ((table, _ONE_OF_LEADS, keys) for table in BY_ANY_KEY)
    yield from ((table, _ONE_OF_KEYS, keys) for table in BY_OWN_KEY)
    yield from ((table, condition, keys) for table, condition in BY_KEYS.items())
    for table, condition in BY_CALL.items():
        if table == refused.TABLE and table in present:
            ids = (*person.ids, *only_named(engine, person))
            yield table, condition, refused.about_person(engine, ids, _addresses(engine, person))
        elif table in present:
            yield table, condition, list(person.ids) if "VARCHAR[]" in condition else keys


_ONE_OF_LEADS = Sql("list_contains(?::INTEGER[], lead)")
_ONE_OF_KEYS = Sql("list_contains(?::INTEGER[], _key)")


@dataclass(frozen=True, slots=True, repr=False)
class Erased(Readable):
    """Who was erased (all ids, also of merged duplicates), and how many rows of which table."""

    ids: tuple[str, ...]
    rows: Mapping[str, int]

    def __str__(self) -> str:
        return f"erased {', '.join(self.ids)}: {many(sum(self.rows.values()), 'row')}"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"ids": list(self.ids), "rows": dict(self.rows), "total": sum(self.rows.values())}


def erase(engine: Engine, id: str, *, now: datetime, rewrite: bool = True) -> Erased:  # noqa: A002 - the user's word
    """Remove a person everywhere: ids, attributes, all that sources and providers said, events, outcomes, scores.

    The store's file is then written anew, so that no byte is left in it; without `rewrite`, whoever calls sees to that
    later. Salted SHA-256 hashes of the ids and addresses stay, so that reading the same files again, or mail to the
    person, does not bring them back: whoever has the store can test a guess against them, and nothing more. The user's
    own files (and rejects files) are not touched. Raises NotFoundError.
    """
    with engine.transaction():
        erased = _remove(engine, find_person(engine, id), now)
    if rewrite:
        engine.rewrite()
    return erased


def _remove(engine: Engine, person: Person, now: datetime) -> Erased:
    by_address = {f"{BY_ADDRESS}{address}" for address in _addresses(engine, person)}  # not to come back by it, either
    _remember(engine, (*person.ids, *sorted({*by_address, *only_named(engine, person)} - set(person.ids))), now)
    keep_numbers(engine)
    _note_colleagues(engine, person)
    rows = dict[str, int]()
    for table, condition, parameter in list(about(engine, person)):
        where = fill("{table} WHERE {condition}", table=table, condition=condition)
        count = int(engine.rows(fill("SELECT count(*) FROM {where}", where=where), [parameter])[0][0])
        engine.execute(fill("DELETE FROM {where}", where=where), [parameter])
        if count or table not in BY_CALL:
            rows[table] = count
    engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [rows["events"]])
    return Erased(ids=person.ids, rows=rows)


def only_named(engine: Engine, person: Person) -> list[str]:
    """Return ids that calls have said to be the person's, by which nothing was said yet: devices, and former ids."""
    if "live_owners" not in engine.tables():
        return []
    found = engine.rows(
        fill(
            'SELECT {device} || anonymous FROM live_owners WHERE list_contains($1::VARCHAR[], "user") '
            'UNION SELECT previous FROM live_aliases WHERE list_contains($1::VARCHAR[], "user")',
            device=_DEVICE,
        ),
        [list(person.ids)],
    )
    return sorted({str(one) for (one,) in found} - set(person.ids))


def _note_colleagues(engine: Engine, person: Person) -> None:
    """Note to be scored again whose scores rest on what the person did: its accounts, and the others there."""
    lead = Sql(str(person.lead))
    accounts = fill("SELECT account FROM attributes WHERE lead = {lead} AND account IS NOT NULL", lead=lead)
    others = fill("account IN ({accounts}) AND lead <> {lead}", accounts=accounts, lead=lead)
    note_unscored_accounts(engine, accounts)
    note_unscored(engine, fill("SELECT lead FROM attributes WHERE {others}", others=others))


def _addresses(engine: Engine, person: Person) -> list[str]:
    """Return the addresses that the person has, or had, in lower case."""
    known = {own.removeprefix(BY_ADDRESS).lower() for own in person.ids if own.startswith(BY_ADDRESS)}
    if DEFAULT not in engine.columns("observations"):
        return sorted(known)
    found = engine.rows(
        fill("SELECT DISTINCT lower(trim({email}::VARCHAR)) FROM observations WHERE lead = ? AND {email} IS NOT NULL",
             email=DEFAULT), [person.lead],
    )  # fmt: skip
    return sorted(known | {str(address) for (address,) in found if address})


def _remember(engine: Engine, ids: tuple[str, ...], now: datetime) -> None:
    """Keep hashes of the ids, all with the store's one salt."""
    found = engine.rows("SELECT any_value(salt) FROM erased")[0][0]
    salt = str(found) if found else secrets.token_hex(16)
    for own in ids:
        digest = hashlib.sha256((salt + own).encode()).hexdigest()
        engine.execute("INSERT INTO erased VALUES (?, ?, ?)", [salt, digest, now])
