"""What an account of Pipedrive has: the fields of everybody, and its own, whose keys are hashes, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.pipedrive.kinds import KINDS, Kind
from leadlight.connect.protocol import Field, Object
from leadlight.connect.refusals import odd
from leadlight.connect.typed import text
from leadlight.connect.unknown import no_object
from leadlight.expr.types import Type

SYSTEM = "Pipedrive"
PAGE = 500
PAGES_MOST = 40
"""Pages of field descriptions: an account has some hundred fields."""
HASH = re.compile(r"[0-9a-f]{40}")
TYPES = {"double": Type.NUMBER, "int": Type.NUMBER, "monetary": Type.NUMBER, "date": Type.TIME, "boolean": Type.BOOL}
READ_ONLY = frozenset({"people", "org", "user"})


@dataclass(frozen=True, slots=True)
class Described:
    """A field as Pipedrive describes it."""

    field: Field
    code: str
    """Its key in a record: a hash of 40 characters, or the name of a field that everybody has."""
    form: str
    """Pipedrive's own word for its type: `varchar`, `enum`, `monetary` …"""
    options: Mapping[str, str]
    """The words of options by their numbers."""


def kind_of(name: str) -> Kind:
    """Return an object by its name. Raises NotFoundError."""
    if name not in KINDS:
        raise no_object("Pipedrive has no object", name, KINDS)
    return KINDS[name]


def described(http: Http, kind: Kind) -> dict[str, Described]:
    """Return all fields of an object by their names, those of everybody first. Raises RemoteError."""
    listed = list(_listed(http, kind.described)) if kind.described else []
    options = {code: _options(field) for field in listed if (code := text(field.get("field_code")))}
    fields = {
        field.name: Described(field, field.name, "", options.get(_as_described(field.name), {}))
        for field in kind.fields
    }
    for field in listed:
        code, name = text(field.get("field_code")), text(field.get("field_name"))
        if code is None or name is None or not (field.get("is_custom_field") is True or HASH.fullmatch(code)):
            continue
        form = text(field.get("field_type")) or ""
        own = slug(name) if slug(name) not in fields else f"{slug(name)}_{code[:6]}"
        made = Field(
            own,
            TYPES.get(form, Type.TEXT),
            name,
            custom=True,
            writable=form not in READ_ONLY,
            options=tuple(options.get(code, {}).values()),
        )
        fields[own] = Described(made, code, form, options.get(code, {}))
    return fields


def object_of(kind: Kind, fields: Mapping[str, Described]) -> Object:
    """Return an object with its fields."""
    return Object(
        kind.name,
        kind.title,
        tuple(one.field for one in fields.values()),
        created_at="add_time",
        modified_at="update_time",
    )


def slug(name: str) -> str:
    """Return a field's name as one writes it in YAML.

    >>> slug("Company size (2026)")
    'company_size_2026'
    """
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_") or "field"


def items(body: Any, where: str) -> list[Mapping[str, Any]]:
    """Return the records of an answer; `data` is null where there are none. Raises RemoteError."""
    data = body.get("data") if isinstance(body, dict) else body
    if data is None:
        return []
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise odd(SYSTEM, f"`data` of {where} is no list of records")
    return data


def next_cursor(body: Any) -> str | None:
    """Return the marker of the next page, where there is one."""
    more = body.get("additional_data") if isinstance(body, dict) else None
    return text(more.get("next_cursor")) if isinstance(more, dict) else None


def _listed(http: Http, path: str) -> Iterator[Mapping[str, Any]]:
    params: dict[str, Any] = {"limit": PAGE}
    for _ in range(PAGES_MOST):
        body = http.get(path, **params)
        yield from items(body, path)
        cursor = next_cursor(body)
        if cursor is None:
            return
        params["cursor"] = cursor


def _options(field: Mapping[str, Any]) -> dict[str, str]:
    listed = field.get("options")
    pairs = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {key: label for one in pairs if (key := text(one.get("id"))) and (label := text(one.get("label")))}


def _as_described(name: str) -> str:
    return {"labels": "label_ids", "channel": "channel"}.get(name, name)
