"""What Tryton has: models and their fields, those of the fields' own records too, by a path (`party.email`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leadlight.connect import models
from leadlight.connect.protocol import Field, Object
from leadlight.connect.refusals import odd
from leadlight.connect.tryton.rest import TITLE, Rest
from leadlight.connect.tryton.values import SCALARS, TYPES
from leadlight.connect.unknown import no_object
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

OBJECTS = (
    "sale.opportunity",
    "party.party",
    "sale.sale",
    "marketing.automation.record.activity",
    "marketing.email",
    "web.user",
)
"""What is shown where nothing is named; any other model can be named, too."""
MODIFIED = "last_modified_at"
STATE_SINCE = "state_since"
OPPORTUNITY = "opportunity"
ACTIVITY = "marketing.automation.record.activity"
PATHS = {
    "sale.opportunity": {
        "party.name": "Party: Name",
        "party.email": "Party: Email",
        "party.phone": "Party: Phone",
        "party.website": "Party: Website",
        "party.lang.code": "Party: Language",
        "party.categories.name": "Party: Categories",
        "contact.value": "Contact: Value",
        "address.city": "Address: City",
        "address.postal_code": "Address: Postal Code",
        "address.country.code": "Address: Country",
        "currency.code": "Currency: Code",
        "employee.rec_name": "Employee: Name",
        "marketing_source.name": "Marketing Source: Name",
        "marketing_medium.name": "Marketing Medium: Name",
        "marketing_campaign.name": "Marketing Campaign: Name",
    },
    "party.party": {
        "lang.code": "Language: Code",
        "categories.name": "Categories: Name",
        "addresses.city": "Addresses: City",
        "addresses.postal_code": "Addresses: Postal Code",
        "addresses.country.code": "Addresses: Country",
    },
    ACTIVITY: {
        "activity.name": "Activity: Name",
        "record.record": "Record: Record",
        "record.scenario.name": "Scenario: Name",
    },
    "marketing.email": {"list_.name": "List: Name"},
}
"""Paths that are worth having; every field that leads to one record has its `rec_name`, too."""
MODULES = {
    "marketing_source.name": "marketing_campaign",
    "marketing_medium.name": "marketing_campaign",
    "marketing_campaign.name": "marketing_campaign",
}
"""Paths that the mapping names, of modules that not everybody has: there all the same, and empty."""
ABSENT = {
    ACTIVITY: (
        Field("at", Type.TIME, "At"),
        Field("state", Type.TEXT, "State"),
        Field("activity_action", Type.TEXT, "Activity Action"),
        Field("email_opened", Type.BOOL, "Email Opened"),
        Field("email_clicked", Type.BOOL, "Email Clicked"),
        Field("activity.name", Type.TEXT, "Activity: Name", writable=False),
        Field("record.scenario.name", Type.TEXT, "Scenario: Name", writable=False),
        Field(OPPORTUNITY, Type.TEXT, "Opportunity that was open then", writable=False),
        Field(MODIFIED, Type.TIME, "Last Modified at", writable=False),
    )
}
"""Models that the mapping names, of modules that not everybody has: there all the same, without records."""


@dataclass(frozen=True, slots=True)
class Model(models.Model):
    """A model of Tryton's: what it says of its own fields."""

    history: bool
    """Whether it keeps what its records were."""


class Models(models.Models[Model]):
    """The models of one Tryton, asked for once."""

    objects, absent, modified = OBJECTS, ABSENT, MODIFIED

    def __init__(self, rest: Rest) -> None:
        super().__init__()
        self._rest = rest
        self._history: frozenset[str] | None = None

    def as_object(self, model: Model) -> Object:
        """Return what there is to read of a model: its fields, paths, and what is worked out."""
        return _object(model)

    def asked(self, name: str) -> Model:
        """Ask for a model. Raises NotFoundError where there is none, RemoteError where it may not be read."""
        rows = self._rest.search("ir.model", [["name", "=", name]], ["name", "string"])
        if not rows:
            known = [str(row.get("name")) for row in self._rest.search("ir.model", [], ["name"])]
            raise no_object(f"{TITLE} has no model", name, known)
        fields = self._rest.call(name, "fields_get", fields_names=[])
        if not isinstance(fields, dict) or not all(isinstance(one, dict) for one in fields.values()):
            raise odd(TITLE, f"fields_get of {name}")
        if MODIFIED not in fields:
            fix = "Tryton 8.2 and newer say of every record when it was last changed; update, or read another model."
            raise RemoteError(TITLE, "disabled", f"{name} does not say when its records were changed", fix=fix)
        return Model(name, str(rows[0].get("string") or name), fields, name in self._with_history())

    def _with_history(self) -> frozenset[str]:
        if self._history is None:
            told = self._rest.call("ir.model", "list_history")
            self._history = frozenset(map(str, told)) if isinstance(told, list) else frozenset()
        return self._history


def _object(model: Model) -> Object:
    fields = [*_own(model), *_paths(model), *_extra(model)]
    created = "create_date" if "create_date" in model.fields else None
    return Object(model.name, model.title, tuple(fields), created_at=created, modified_at=MODIFIED)


def _own(model: Model) -> Iterator[Field]:
    for name, told in model.fields.items():
        kind = Type.TEXT if name == "id" else TYPES.get(model.type(name))
        if kind is None or "." in name:
            continue
        choices = told.get("selection")
        listed = choices if isinstance(choices, list) else []
        options = tuple(str(one[0]) for one in listed if isinstance(one, list) and one and one[0])
        yield Field(
            name,
            kind,
            str(told.get("string") or ""),
            history=model.history and told.get("loading") == "eager",
            writable=model.type(name) in SCALARS and not told.get("readonly"),
            options=options,
        )


def _paths(model: Model) -> Iterator[Field]:
    told = PATHS.get(model.name, {})
    for path, label in told.items():
        if path.partition(".")[0] in model.fields:
            yield Field(path, Type.TEXT, label, writable=False)
        elif path in MODULES:
            yield Field(path, Type.TEXT, f"{label} (module {MODULES[path]})", writable=False)
    for name in model.fields:
        path = f"{name}.rec_name"
        if model.type(name) == "many2one" and path not in told:
            yield Field(path, Type.TEXT, f"{model.fields[name].get('string') or name}: Name", writable=False)


def _extra(model: Model) -> Iterator[Field]:
    if model.type("state") == "selection":
        yield Field(STATE_SINCE, Type.TIME, "Since when it is in its state", writable=False)
    if model.name == ACTIVITY:
        yield Field(OPPORTUNITY, Type.TEXT, "Opportunity that was open then", writable=False)
