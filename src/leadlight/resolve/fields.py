"""Which attributes of leads tell who somebody is, cleaned so that they can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leadlight.store.sql import Sql, fill

KNOWN: Mapping[str, tuple[str, ...]] = {
    "first_name": ("first_name", "firstname", "given_name", "forename"),
    "surname": ("last_name", "lastname", "surname", "family_name"),
    "full_name": ("full_name", "name", "contact_name", "contact"),
    "email": ("email", "e_mail", "email_address", "mail"),
    "phone": ("phone", "phone_number", "mobile", "telephone", "mobile_phone"),
    "company": ("company", "company_name", "organisation", "organization", "employer", "account"),
    "birth": ("date_of_birth", "dob", "birth_date", "birthday"),
    "postcode": ("postcode", "postal_code", "zip", "zip_code", "plz", "address_postal_code", "postcode_fake"),
    "city": ("city", "town", "address_city", "birth_place"),
    "street": ("street", "address", "address_street", "street_address"),
}
"""What is compared → the names by which an attribute is taken for it, the first that there is."""

WORDS: Mapping[str, str] = {
    "first_name": "first name", "surname": "surname", "full_name": "name", "email": "e-mail address",
    "local": "e-mail name", "phone": "phone", "company": "company", "birth": "date of birth", "postcode": "postcode",
    "city": "city", "street": "street", "first_start": "beginning of the first name",
    "surname_start": "beginning of the surname",
}  # fmt: skip

_CLEAN: Mapping[str, str] = {
    "email": "lower(trim({column}::VARCHAR))",
    "phone": "right(regexp_replace({column}::VARCHAR, '[^0-9]', '', 'g'), 9)",
    "birth": "substr(trim({column}::VARCHAR), 1, 10)",
    "postcode": "lower(regexp_replace({column}::VARCHAR, '[^A-Za-z0-9]', '', 'g'))",
}
_TEXT = "lower(trim(regexp_replace({column}::VARCHAR, '[[:space:].,]+', ' ', 'g')))"


@dataclass(frozen=True, slots=True)
class Field:
    """Something that is compared, and the attribute it is made of."""

    name: str
    column: str

    @property
    def value(self) -> Sql:
        """The cleaned value; null where there is none."""
        cleaned = fill(_CLEAN.get(self.name, _TEXT), column=self.column)
        return fill("nullif({cleaned}, '') AS {name}", cleaned=cleaned, name=self.name)


def fields_of(columns: Iterable[str]) -> tuple[Field, ...]:
    """Return what can be compared where attributes have these names.

    >>> [field.name for field in fields_of(["name", "email", "last_name", "first_name", "score"])]
    ['first_name', 'surname', 'email']
    """
    present = {column.lower(): column for column in columns}
    found = {
        name: next(present[one] for one in names if one in present)
        for name, names in KNOWN.items()
        if any(one in present for one in names)
    }
    if "surname" in found:
        found.pop("full_name", None)
    return tuple(Field(name, column) for name, column in found.items())
