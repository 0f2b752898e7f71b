"""Calls that the service could not store, put aside with the reason: listed, counted, found by whom they are about.

Their table `live_refused` is there where a workspace was served. A row holds the call as it was accepted
(`service.call` writes it), or the text of a message that no call could be made of, as it came. The same call with the
same reason is one, whose id follows from both: it is the same however often it is put aside.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store.sql import Sql, fill

TABLE = "live_refused"
ANONYMOUS = "anonymous:"
"""Begins the ids of devices; a call has them without it."""
LISTED = 100

Which = Sequence[str] | Literal["all"]

_ID = Sql("substr(md5(call || reason), 1, 16)")
_ROWS = Sql('(SELECT min("at") AS "at", call, reason FROM live_refused GROUP BY call, reason)')


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call that was put aside: when (naive UTC), why, and what it is, as it was accepted."""

    id: str
    at: datetime
    reason: str
    call: str

    @property
    def parts(self) -> Mapping[str, Any] | None:
        """What it says, by the short keys of `service.call`; None where it is no call."""
        try:
            found = json.loads(self.call)
        except ValueError:
            return None
        is_call = isinstance(found, dict) and all(isinstance(found.get(name), str) for name in ("m", "t", "r"))
        return found if is_call else None

    @property
    def what(self) -> str:
        """What it is, without a word that it says: names of events and properties can name a person, too.

        >>> call = '{"m":"m1","t":"2026-03-01T10:00:00","r":"2026-03-01T10:00:00","u":"ann","e":"x"}'
        >>> RefusedCall("1", datetime(2026, 3, 1), "", call).what
        'event of a user, 2026-03-01 10:00'
        """
        parts = self.parts
        if parts is None:
            return f"no call, {many(len(self.call), 'character')}"
        said = [name for name, key in (("event", "e"), ("traits", "i"), ("group", "g"), ("alias", "v")) if key in parts]
        whose = "user" if "u" in parts else "device" if "a" in parts else "nobody"
        moment = parts["t"][:16].replace("T", " ") if re.match(r"[\d-]{10}", parts["t"]) else "no time"
        return f"{', '.join(said) or 'call'} of {'nobody' if whose == 'nobody' else 'a ' + whose}, {moment}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values, in full."""
        return {"id": self.id, "at": f"{self.at.isoformat()}Z", "reason": self.reason, "what": self.what,
                "call": self.call}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class RefusedListing(Readable):
    """Calls that were put aside, the newest first; `counts` are of all by reason, without the values in it.

    `did` are those that were just replayed or dropped. `full` shows what they say.
    """

    rows: tuple[RefusedCall, ...]
    counts: Mapping[str, int]
    did: tuple[str, ...] = ()
    what: Literal["listed", "replayed", "dropped"] = "listed"
    full: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        found: dict[str, Any] = {"counts": dict(self.counts)}
        if self.what != "listed":
            return {**found, self.what: list(self.did)}
        return {**found, "calls": [row.as_dict() for row in self.rows]}

    @property
    def counted(self) -> str:
        """How many there are, in words."""
        return many(sum(self.counts.values()), "refused call")

    def __str__(self) -> str:
        if self.what != "listed":
            left = f"; {self.counted} left" if self.counts else ""
            waits = ": the service stores them, or the next `leadlight serve`" if self.what == "replayed" else ""
            return f"{many(len(self.did), 'call')} {self.what}{waits if self.did else ''}{left}"
        if not self.counts:
            return "no call was refused"
        lines = [self.counted, *(f"  {count:>6,}  {reason}" for reason, count in self.counts.items())]
        for row in self.rows:
            reason = row.reason if self.full else without_values(row.reason)
            lines.append(f"  {row.id}  {row.at:%Y-%m-%d %H:%M}  {row.call if self.full else row.what}: {reason}")
        return "\n".join(lines)


def exists(engine: Engine) -> bool:
    """Return whether the workspace was ever served."""
    return TABLE in engine.tables()


def count(engine: Engine) -> int:
    """Count the calls that were put aside."""
    if not exists(engine):
        return 0
    return int(engine.rows(fill("SELECT count(*) FROM {rows} r", rows=_ROWS))[0][0])


def counts(engine: Engine) -> dict[str, int]:
    """Count them by reason, without the values in it; the most first."""
    if not exists(engine):
        return {}
    found = Counter[str]()
    for reason, number in engine.rows(fill("SELECT reason, count(*) FROM {rows} r GROUP BY reason", rows=_ROWS)):
        found[without_values(reason)] += int(number)
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def refused(
    engine: Engine, which: Which = "all", *, after: tuple[datetime, str] | None = None, limit: int | None = None
) -> list[RefusedCall]:
    """Return calls that were put aside, those of some ids or all, the newest first.

    `after` is the moment and id of the last one of the page before.
    """
    if not exists(engine):
        return []
    ids = None if which == "all" else list(which)
    at, last = after or (None, None)
    found = engine.rows(
        fill(
            'SELECT id, "at", reason, call FROM (SELECT {id} AS id, "at", reason, call FROM {rows} r) s '
            "WHERE (?::VARCHAR[] IS NULL OR list_contains(?::VARCHAR[], id)) "
            'AND (?::TIMESTAMP IS NULL OR "at" < ?::TIMESTAMP OR ("at" = ?::TIMESTAMP AND id > ?::VARCHAR)) '
            'ORDER BY "at" DESC, id{limit}',
            id=_ID, rows=_ROWS, limit=Sql("" if limit is None else f" LIMIT {int(limit)}"),
        ),
        [ids, ids, at, at, at, last],
    )  # fmt: skip
    return [RefusedCall(*row) for row in found]


def listing(
    engine: Engine, *, limit: int = LISTED, after: tuple[datetime, str] | None = None, full: bool = False
) -> RefusedListing:
    """List what was put aside, with how many there are for each reason."""
    return RefusedListing(tuple(refused(engine, after=after, limit=limit)), counts(engine), full=full)


def named(engine: Engine, which: Which, *, to: str) -> list[RefusedCall]:
    """Return the calls of some ids, or all.

    Raises NotFoundError for an id that there is none of; `to` says what was to be done with it.
    """
    found = refused(engine, which)
    there = {one.id for one in found}
    missing = [] if which == "all" else [one for one in which if one not in there]
    if missing:
        raise NotFoundError(f"there is no refused call {missing[0]!r} to {to}", fix="`leadlight refused` lists them.")
    return found


ABOUT = fill("list_contains(?::VARCHAR[], {id})", id=_ID)
"""The condition of the calls of some ids."""


def remove(engine: Engine, ids: Sequence[str]) -> None:
    """Take calls out."""
    engine.execute(fill("DELETE FROM live_refused WHERE {about}", about=ABOUT), [list(ids)])


def drop(engine: Engine, which: Which) -> RefusedListing:
    """Take calls out for good; all or nothing.

    Raises NotFoundError.
    """
    with engine.transaction():
        found = [one.id for one in named(engine, which, to="drop")]
        if found:
            remove(engine, found)
    return RefusedListing((), counts(engine), tuple(found), "dropped")


# ------------------------------------------------------------------------------------------------ of whom they speak


def about_person(engine: Engine, ids: Sequence[str], addresses: Sequence[str] = ()) -> list[str]:
    """Return the ids of the calls that are of a person, by the person's ids, or that say one of its addresses.

    In what is no call, both are looked for as words.
    """
    if not exists(engine):
        return []
    users, devices = set(ids), {one.removeprefix(ANONYMOUS) for one in ids if one.startswith(ANONYMOUS)}
    said = {one.casefold() for one in addresses}
    words = [re.compile(rf"(?<!\w){re.escape(one)}(?!\w)", re.IGNORECASE) for one in users | devices | said if one]

    def meant(one: RefusedCall) -> bool:
        if (parts := one.parts) is None:
            return any(word.search(one.call) for word in words)
        own = parts.get("u") in users or parts.get("a") in devices or parts.get("v") in users | devices
        return own or (bool(said) and any(value.strip().casefold() in said for value in _texts(parts)))

    return [one.id for one in refused(engine) if meant(one)]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inside in value.values() for text in _texts(inside)]
    if isinstance(value, list):
        return [text for inside in value for text in _texts(inside)]
    return [value] if isinstance(value, str) else []


# ------------------------------------------------------------------------------------------------------ in few words

_MARKS = "\"'`«»‘’“”"
_VALUES = re.compile(rf"[{_MARKS}].*[{_MARKS}]|[{_MARKS}].*$|\S*@\S*|\d+")


def without_values(reason: str) -> str:
    """Return a reason without what it says of the call: nothing that is quoted, no address and no number.

    >>> without_values("Conversion Error: Could not convert string 'ann' to INT32\\nLINE 1: …")
    'Conversion Error: Could not convert string … to INT…'
    >>> without_values("kafka:leads:0:17: no user, and ann@acme.example is none")
    'kafka:leads:…:…: no user, and … is none'
    """
    return _VALUES.sub("…", reason.partition("\n")[0])
