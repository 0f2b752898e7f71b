"""Columns that a table does not have in Dataverse, and that a ranking needs: made of others while reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.connect.dynamics.odata import KIND, is_id
from leadlight.connect.protocol import Field, Value
from leadlight.connect.typed import moment, number
from leadlight.expr.types import Type

PARTY = "leadlight_party"
"""Where a record carries who took part in it, from the parties of the activity."""
PEOPLE = frozenset({"lead", "contact"})
OPEN, FIRST, SECOND = 0, 1, 2
"""Values of `statecode`; what they mean differs by table."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that is made."""

    field: Field
    of: tuple[str, ...]
    """What is asked for to make it, by logical names."""
    make: Callable[[Mapping[str, Any]], Value]


def derived_of(table: str) -> Sequence[Derived]:
    """Return the made columns of a table."""
    return DERIVED.get(table, ())


def _to(*kinds: str, of: str) -> Callable[[Mapping[str, Any]], Value]:
    """Return how a lookup is followed to tables of these kinds only."""

    def make(record: Mapping[str, Any]) -> Value:
        value = record.get(f"_{of}_value")
        kind = record.get(f"_{of}_value@{KIND}")
        return str(value) if is_id(value) and kind in kinds else None

    return make


def _outcome(record: Mapping[str, Any]) -> Value:
    return {FIRST: "won", SECOND: "lost"}.get(_state(record))


def _state(record: Mapping[str, Any]) -> int:
    state = record.get("statecode")
    return state if isinstance(state, int) and not isinstance(state, bool) else OPEN


def _closed_at(record: Mapping[str, Any]) -> Value:
    return None if _state(record) == OPEN else _within(record, "actualclosedate")


def _within(record: Mapping[str, Any], name: str) -> datetime | None:
    """Return the end of a day, or when the record was last changed within it: never before it can have been known."""
    day, changed = moment(record.get(name)), moment(record.get("modifiedon"))
    if day is None or day != day.replace(hour=0, minute=0, second=0):
        return day
    end = day.replace(hour=23, minute=59, second=59)
    return changed if changed is not None and day <= changed < end else end


def _value(record: Mapping[str, Any]) -> Value:
    actual = number(record.get("actualvalue"))
    return number(record.get("estimatedvalue")) if actual is None else actual


def _person_of_deal(record: Mapping[str, Any]) -> Value:
    ways = (_to("contact", of="parentcontactid"), _to("contact", of="customerid"), _to("lead", of="originatingleadid"))
    return next((found for way in ways if (found := way(record)) is not None), None)


def _person(record: Mapping[str, Any]) -> Value:
    party = record.get(PARTY)
    return _to(*PEOPLE, of="regardingobjectid")(record) or (party if isinstance(party, str) else None)


def _done_at(record: Mapping[str, Any]) -> Value:
    if _state(record) != FIRST:
        return None
    return moment(record.get("actualend")) or moment(record.get("modifiedon"))


def _held_at(record: Mapping[str, Any]) -> Value:
    return None if _state(record) == SECOND else moment(record.get("scheduledstart"))


def _way_of_mail(record: Mapping[str, Any]) -> Value:
    return {True: "email_sent", False: "email_received"}.get(record.get("directioncode"))  # type: ignore[arg-type]


def _made(
    name: str, kind: Type, label: str, of: tuple[str, ...], make: Callable[[Mapping[str, Any]], Value]
) -> Derived:
    return Derived(Field(name, kind, label=label, writable=False), of, make)


_PERSON = _made(
    "person", Type.TEXT, "the lead or contact it regards, else who took part", ("regardingobjectid",), _person
)
_DONE = _made(
    "done_at", Type.TIME, "when it was completed, missing otherwise", ("statecode", "actualend", "modifiedon"), _done_at
)

DERIVED: Mapping[str, Sequence[Derived]] = {
    "contact": (
        _made(
            "account",
            Type.TEXT,
            "the account, where the company is one",
            ("parentcustomerid",),
            _to("account", of="parentcustomerid"),
        ),
    ),
    "opportunity": (
        _made("deal_outcome", Type.TEXT, "won or lost, missing while it is open", ("statecode",), _outcome),
        _made(
            "deal_closed_at",
            Type.TIME,
            "when it was won or lost",
            ("statecode", "actualclosedate", "modifiedon"),
            _closed_at,
        ),
        _made(
            "deal_value",
            Type.NUMBER,
            "the actual revenue, else the estimated",
            ("actualvalue", "estimatedvalue"),
            _value,
        ),
        _made(
            "deal_person",
            Type.TEXT,
            "its contact; else the customer, where that is a contact; else the lead it came of",
            ("parentcontactid", "customerid", "originatingleadid"),
            _person_of_deal,
        ),
    ),
    "email": (
        _PERSON,
        _DONE,
        _made("way", Type.TEXT, "email_sent or email_received", ("directioncode",), _way_of_mail),
    ),
    "phonecall": (_PERSON, _DONE),
    "task": (_PERSON, _DONE),
    "appointment": (
        _PERSON,
        _made("held_at", Type.TIME, "when it begins, unless cancelled", ("statecode", "scheduledstart"), _held_at),
    ),
    "campaignresponse": (
        _PERSON,
        _made(
            "responded_at",
            Type.TIME,
            "when it was received",
            ("receivedon", "createdon"),
            lambda record: _response(record),
        ),
    ),
}


def _response(record: Mapping[str, Any]) -> Value:
    return moment(record.get("receivedon")) or moment(record.get("createdon"))
