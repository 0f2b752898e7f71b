"""Fields that an object does not have in Salesforce, and that a ranking needs: made of others while reading.

They are lower case with an underscore and without `__c`, which no field of Salesforce's is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.connect.protocol import Field, Value
from leadlight.connect.typed import moment, typed
from leadlight.expr.types import Type

PERSON = "deal_person"
WON, LOST = "won", "lost"


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that is made."""

    field: Field
    of: tuple[str, ...]
    """What is asked for to make it; those that the org has not are left out."""
    make: Callable[[Mapping[str, Any]], Value]
    """From a record and what stands beside it (`PERSON`: whose deal it is)."""


def derived_of(name: str, there: Collection[str]) -> Sequence[Derived]:
    """Return the made fields of an object that has these fields."""
    found = DERIVED.get(name, ())
    return [one for one in found if any(of.partition(".")[0] in there or "." in of for of in one.of)]


def _within(record: Mapping[str, Any], name: str) -> datetime | None:
    """Return the end of a day, or when the record was last changed within it: never before it can have been known."""
    day, changed = moment(record.get(name)), moment(record.get("SystemModstamp"))
    if day is None:
        return None
    end = day.replace(hour=23, minute=59, second=59)
    return changed if changed is not None and day <= changed < end else end


def _outcome(record: Mapping[str, Any]) -> Value:
    if record.get("IsWon") is True:
        return WON
    return LOST if record.get("IsClosed") is True else None


def _closed_at(record: Mapping[str, Any]) -> Value:
    if record.get("IsClosed") is not True:
        return None
    return moment(record.get("LastStageChangeDate")) or _within(record, "CloseDate")


def _person(record: Mapping[str, Any]) -> Value:
    return typed(record.get(PERSON) or record.get("ContactId"), Type.TEXT)


def _done_at(record: Mapping[str, Any]) -> Value:
    if record.get("IsClosed") is not True:
        return None
    return moment(record.get("CompletedDateTime")) or _within(record, "ActivityDate")


def _held_at(record: Mapping[str, Any]) -> Value:
    if record.get("IsChild") is True or record.get("IsRecurrence") is True:
        return None
    return moment(record.get("StartDateTime")) or moment(record.get("ActivityDate"))


def _of_campaign(key: str) -> Callable[[Mapping[str, Any]], Value]:
    def make(record: Mapping[str, Any]) -> Value:
        campaign = record.get("Campaign")
        return typed(campaign.get(key), Type.TEXT) if isinstance(campaign, Mapping) else None

    return make


def _responded_at(record: Mapping[str, Any]) -> Value:
    return _within(record, "FirstRespondedDate") if record.get("HasResponded") is True else None


def _field(name: str, kind: Type, label: str) -> Field:
    return Field(name, kind, label=label, writable=False)


DERIVED: Mapping[str, Sequence[Derived]] = {
    "Opportunity": (
        Derived(
            _field("deal_outcome", Type.TEXT, "won or lost, missing while it is open"), ("IsWon", "IsClosed"), _outcome
        ),
        Derived(
            _field("deal_closed_at", Type.TIME, "when its stage became a closed one; else its close date"),
            ("IsClosed", "LastStageChangeDate", "CloseDate"),
            _closed_at,
        ),
        Derived(
            _field(PERSON, Type.TEXT, "the primary contact role's contact; else the first one's; else its contact"),
            ("ContactId", "IsClosed"),
            _person,
        ),
    ),
    "Task": (
        Derived(
            _field("done_at", Type.TIME, "when it was completed, missing while it is open"),
            ("IsClosed", "CompletedDateTime", "ActivityDate"),
            _done_at,
        ),
    ),
    "Event": (
        Derived(
            _field("held_at", Type.TIME, "when it begins; missing for an invitee's copy and for a series as such"),
            ("StartDateTime", "ActivityDate", "IsChild", "IsRecurrence"),
            _held_at,
        ),
    ),
    "CampaignMember": (
        Derived(
            _field("responded_at", Type.TIME, "when somebody first responded"),
            ("HasResponded", "FirstRespondedDate"),
            _responded_at,
        ),
        Derived(_field("campaign_name", Type.TEXT, "the campaign's name"), ("Campaign.Name",), _of_campaign("Name")),
        Derived(_field("campaign_type", Type.TEXT, "the campaign's type"), ("Campaign.Type",), _of_campaign("Type")),
    ),
}
