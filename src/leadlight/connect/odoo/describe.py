"""What Odoo has: models and their fields, those of the fields' own records too, by a path (`source_id.name`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadlight.connect import models
from leadlight.connect.odoo.rpc import TITLE, OdooError, Rpc
from leadlight.connect.odoo.values import SCALARS, TYPES
from leadlight.connect.protocol import Field, Object
from leadlight.connect.refusals import odd
from leadlight.connect.unknown import no_object
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

LEAD, PARTNER, MESSAGE, TRACE = "crm.lead", "res.partner", "mail.message", "mailing.trace"
OBJECTS = (LEAD, PARTNER, MESSAGE, TRACE, "crm.team", "calendar.event", "sale.order")
"""What is shown where nothing is named; any other model can be named, too."""
CREATED, MODIFIED, ARCHIVED = "create_date", "write_date", "active"
UNKNOWN_KINDS, NO_SUCH = ("NotFound", "KeyError"), re.compile(r"(doesn't|does not) exist")
"""How Odoo says that there is no such model."""
OUTCOME, OUTCOME_AT = "outcome", "outcome_at"
NAME = "display_name"
PATHS: Mapping[str, Mapping[str, Type]] = {
    LEAD: {
        "stage_id.is_won": Type.BOOL,
        "country_id.code": Type.TEXT,
        "state_id.code": Type.TEXT,
        "tag_ids.name": Type.TEXT,
        "lang_id.code": Type.TEXT,
        "partner_id.email": Type.TEXT,
        "partner_id.is_company": Type.BOOL,
    },
    PARTNER: {"country_id.code": Type.TEXT, "category_id.name": Type.TEXT, "industry_id.name": Type.TEXT},
}
"""Paths that are worth having; every field that leads to one record has its `display_name`, too."""
OF_LEADS = ("res_id", "!=", False)
SCOPES: Mapping[str, Sequence[Any]] = {
    MESSAGE: (["model", "=", LEAD], [*OF_LEADS]),
    TRACE: (["model", "=", LEAD], [*OF_LEADS]),
}
"""Models of which only what belongs to leads is read."""
ABSENT = {
    TRACE: (
        Field("res_id", Type.TEXT, "Document ID", writable=False),
        Field("sent_datetime", Type.TIME, "Sent On", writable=False),
        Field("open_datetime", Type.TIME, "Opened On", writable=False),
        Field("reply_datetime", Type.TIME, "Replied On", writable=False),
        Field("links_click_datetime", Type.TIME, "Clicked On", writable=False),
        Field("mass_mailing_id.display_name", Type.TEXT, "Mailing: Name", writable=False),
        Field(MODIFIED, Type.TIME, "Last Updated on", writable=False),
    )
}
"""Models that the mapping names, of modules that not everybody has: there all the same, without records."""


@dataclass(frozen=True, slots=True)
class Model(models.Model):
    """A model of Odoo's: what it says of its own fields."""

    tracked: frozenset[str]
    """Fields whose changes are kept, and may be read."""


class Models(models.Models[Model]):
    """The models of one Odoo, asked for once."""

    objects, absent, modified = OBJECTS, ABSENT, MODIFIED

    def __init__(self, rpc: Rpc) -> None:
        super().__init__()
        self._rpc = rpc
        self._history: bool | None = None

    def as_object(self, model: Model) -> Object:
        """Return what there is to read of a model: its fields, paths, and what is worked out."""
        return _object(model)

    def asked(self, name: str) -> Model:
        """Ask for a model. Raises NotFoundError where there is none, RemoteError where it may not be read."""
        title = self._title(name)
        attributes = ["type", "string", "relation", "selection", "readonly", "store", "manual"]
        try:
            fields = self._rpc.call(name, "fields_get", {"attributes": attributes})
        except OdooError as error:
            if error.kind in UNKNOWN_KINDS or NO_SUCH.search(error.message):
                raise no_object(f"{TITLE} has no model", name, OBJECTS) from None
            raise
        if not isinstance(fields, dict) or not all(isinstance(one, dict) for one in fields.values()):
            raise odd(TITLE, f"fields_get of {name}")
        return Model(name, title, fields, self._tracked(name))

    def _title(self, name: str) -> str:
        """Return what a model is called; its own name where the list of models may not be read."""
        try:
            rows = self._rpc.search("ir.model", [["model", "=", name]], ["model", "name"])
            known = [] if rows else self._rpc.search("ir.model", [], ["model"])
        except RemoteError as error:
            if error.trouble != "scope":
                raise
            return name
        if not rows:
            raise no_object(f"{TITLE} has no model", name, [str(row.get("model")) for row in known])
        return str(rows[0].get("name") or name)

    def _tracked(self, name: str) -> frozenset[str]:
        """Return the fields whose changes are kept, where we may read them: administrators may."""
        if self._history is None:
            try:
                self._rpc.search("mail.tracking.value", [], ["id"], limit=1)
                self._rpc.search("ir.model.fields", [], ["id"], limit=1)
                self._history = True
            except RemoteError as error:
                if error.trouble not in ("scope", "absent"):
                    raise
                self._history = False
        if not self._history:
            return frozenset()
        domain = [["model", "=", name], ["tracking", "!=", False]]
        return frozenset(str(row.get("name")) for row in self._rpc.search("ir.model.fields", domain, ["name"]))


def _object(model: Model) -> Object:
    fields = [*_own(model), *_paths(model), *_extra(model)]
    return Object(
        model.name,
        model.title,
        tuple(fields),
        created_at=CREATED if model.type(CREATED) else None,
        modified_at=MODIFIED if model.type(MODIFIED) else None,
    )


def _own(model: Model) -> Iterator[Field]:
    for name, told in model.fields.items():
        kind = Type.TEXT if name == "id" else TYPES.get(model.type(name))
        if kind is None:
            continue
        choices = told.get("selection")
        listed = choices if isinstance(choices, list) else []
        options = tuple(str(one[0]) for one in listed if isinstance(one, list) and one and one[0])
        yield Field(
            name,
            kind,
            str(told.get("string") or name),
            custom=name.startswith("x_"),
            history=name in model.tracked,
            writable=model.type(name) in SCALARS and not told.get("readonly"),
            options=options,
        )


def _paths(model: Model) -> Iterator[Field]:
    for path, kind in PATHS.get(model.name, {}).items():
        head, _, last = path.partition(".")
        if model.type(head):
            yield Field(path, kind, f"{model.fields[head].get('string') or head}: {last}", writable=False)
    for name, told in model.fields.items():
        if model.type(name) == "many2one":
            label = f"{told.get('string') or name}: Name"
            yield Field(f"{name}.{NAME}", Type.TEXT, label, history=name in model.tracked, writable=False)


def _extra(model: Model) -> Iterator[Field]:
    if model.name == LEAD:
        choices = ("won", "lost", "open")
        yield Field(OUTCOME, Type.TEXT, "Won, lost or open", writable=False, options=choices)
        yield Field(OUTCOME_AT, Type.TIME, "When it was won or lost", writable=False)
