"""Values of ActiveCampaign's records: numbers that are texts, cents, states by number, lists between double bars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leadlight.connect.activecampaign.describe import Described
from leadlight.connect.protocol import Value
from leadlight.connect.typed import number, text, typed

BARS = "||"
STATES = {"0": "open", "1": "won", "2": "lost"}
KINDS = {"log": "email_sent", "link_data": "email_open", "mpp_link_data": "email_machine_open"}
"""What activities are: a `log` is a mail that was sent, a `link-data` its opening, an `mpp-link-data` one by a mail
program that opens all mails by itself, for nobody. The others keep ActiveCampaign's own names."""


def values_of(
    record: Mapping[str, Any], fields: Mapping[str, Described], custom: Mapping[str, Any]
) -> dict[str, Value]:
    """Return the values of a record; `custom` are those of its custom fields, by number."""
    return {
        name: custom_of(custom.get(one.number), one)
        if one.number is not None
        else typed(record.get(name), one.field.type)
        for name, one in fields.items()
    }


def custom_of(raw: Any, one: Described) -> Value:
    """Return the value of a custom field; several stand between double bars, amounts are in cents."""
    if isinstance(raw, str) and raw.startswith(BARS):
        raw = [part for part in raw.split(BARS) if part]
    if one.form == "currency":
        cents = number(raw)
        return None if cents is None else cents / 100
    return typed(raw, one.field.type)


def custom_to(value: Value) -> str:
    """Return what is written to a custom field; nothing is an empty text.

    >>> custom_to(41.0), custom_to(None)
    ('41', '')
    """
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}+00:00"
    return text(value) or ""


def deal_of(raw: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a deal as it is read: cents as units, states and stages as words, and when it was closed."""
    state = STATES.get(text(raw.get("status")) or "")
    cents, ended = number(raw.get("value")), state in ("won", "lost")
    return {
        **raw,
        "status": state,
        "value": None if cents is None else cents / 100,
        "account": _reference(raw.get("account") or raw.get("customerAccount")),
        "contact": _reference(raw.get("contact")),
        "stage": names.get(f"stage={text(raw.get('stage'))}"),
        "pipeline": names.get(f"group={text(raw.get('group'))}"),
        "closed": (_date(raw.get("edate")) or raw.get("mdate")) if ended else None,
    }


def activity_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return an activity as it is read."""
    model = text(raw.get("referenceModelName")) or text(raw.get("reference_type")) or "activity"
    name = model.lower().replace("-", "_")
    return {**raw, "contact": _reference(raw.get("subscriberid")), "kind": KINDS.get(name, name)}


def _reference(value: Any) -> str | None:
    found = text(value)
    return None if found == "0" else found


def _date(value: Any) -> Any:
    """Return a time, unless it is ActiveCampaign's way to say none: 0000-00-00."""
    return None if value is None or str(value).startswith("0000") else value
