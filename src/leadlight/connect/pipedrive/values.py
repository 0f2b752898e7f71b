"""Values of records: what stands in a record under a name of ours, and what is written there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from leadlight.connect.pipedrive.describe import Described
from leadlight.connect.protocol import Value
from leadlight.connect.typed import text, typed
from leadlight.expr.types import Type

ADDRESS = {
    "address": "value",
    "city": "locality",
    "region": "admin_area_level_1",
    "country": "country",
    "postal_code": "postal_code",
}


def values_of(record: Mapping[str, Any], fields: Mapping[str, Described], names: Mapping[str, str]) -> dict[str, Value]:
    """Return the values of a record by our names; `names` are those of stages and pipelines by `stage_id=7`."""
    return {name: value_of(record, one, names) for name, one in fields.items()}


def value_of(record: Mapping[str, Any], one: Described, names: Mapping[str, str]) -> Value:
    """Return one value; what is not of the promised type is none."""
    name = one.field.name
    if one.field.custom:
        custom = record.get("custom_fields")
        raw = custom.get(one.code) if isinstance(custom, dict) and one.code in custom else record.get(one.code)
        return custom_of(raw, one)
    special = SPECIAL.get(name)
    raw = special(record) if special else record.get(name)
    if name in ("stage", "pipeline"):
        return names.get(f"{name}_id={text(record.get(f'{name}_id'))}")
    if isinstance(raw, dict):  # a link in API v1: {"value": 7, "name": …}; an amount: {"amount": 7, "currency": …}
        raw = raw.get("value", raw.get("id"))
    return typed(_labelled(raw, one.options), one.field.type)


def custom_to(value: Value, one: Described) -> Any:
    """Return what is written to a custom field; times become text to the second, where the field is text."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if one.form == "date" else f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if one.form in ("double", "int"):
        return value if isinstance(value, float | int) and not isinstance(value, bool) else typed(value, Type.NUMBER)
    if one.form in ("enum", "set"):
        by_word = {word: int(number) for number, word in one.options.items() if number.isdecimal()}
        found = by_word.get(text(value) or "")
        return [found] if one.form == "set" and found is not None else found
    return text(value)


def custom_of(raw: Any, one: Described) -> Value:
    """Return the value of a custom field; of amounts and addresses, which have several, the first."""
    if isinstance(raw, dict):
        raw = raw.get("value")
    return typed(_labelled(raw, one.options), one.field.type)


def _labelled(raw: Any, options: Mapping[str, str]) -> Any:
    """Return the words of options, where numbers stand for them."""
    if not options or raw is None:
        return raw
    if isinstance(raw, list):
        return [options.get(text(one) or "", one) for one in raw]
    return options.get(text(raw) or "", raw)


def _first(record: Mapping[str, Any], key: str) -> Any:
    """Return the primary e-mail or phone, else the first."""
    listed = record.get(key) or record.get(key.removesuffix("s"))
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    primary = next((one for one in found if one.get("primary") is True), found[0] if found else {})
    return primary.get("value")


def _address(part: str) -> Callable[[Mapping[str, Any]], Any]:
    def of(record: Mapping[str, Any]) -> Any:
        address = record.get("address")
        return address.get(part) if isinstance(address, dict) else (address if part == "value" else None)

    return of


def _amount(record: Mapping[str, Any]) -> Any:
    value = record.get("value")
    return value.get("amount") if isinstance(value, dict) else value


def _currency(record: Mapping[str, Any]) -> Any:
    value = record.get("value")
    return value.get("currency") if isinstance(value, dict) else record.get("currency")


SPECIAL: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "email": lambda record: _first(record, "emails"),
    "phone": lambda record: _first(record, "phones"),
    "labels": lambda record: record.get("label_ids"),
    "value": _amount,
    "currency": _currency,
    **{name: _address(part) for name, part in ADDRESS.items()},
}
