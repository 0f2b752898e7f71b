"""What each route of the service is for: declared beside it, and the source of the OpenAPI document and of its pages.

A module of routes has a tuple `OPERATIONS`, one for each method and path, with the very paths its routes have:

    OPERATIONS = (
        Operation("GET", "/v1/leads", "The ranking", scope="read", parameters=(SCORECARD, LIMIT), response=Ranking),
        Operation("DELETE", "/v1/keys/{id}", "Revoke a key", scope="manage", response=KeyShown, refusals=(404,)),
    )

and stands in `app.MODULES`. A test fails for a route without one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Where = Literal["query", "path", "header"]
TEXT: Mapping[str, Any] = {"type": "string"}


class Answer(BaseModel):
    """A response: what is named is always there, and later versions may add to it."""

    model_config = ConfigDict(extra="allow")


def _unless_left_out(schema: dict[str, Any]) -> None:
    schema.pop("required", None)


class Sparse(Answer):
    """A response of which `fields` may ask for less: what is named is always there, unless it was left out."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_unless_left_out)


class Wanted(BaseModel):
    """A request: what is not named is refused, so that a misspelt name is no silent default."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the query, the path or a header; `schema` is its JSON Schema."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: TEXT)
    where: Where = "query"
    required: bool = False
    example: Any = None
    read: Callable[[str], Any] = str
    """Makes a value of the text; raises ValueError with what is wanted."""
    many: bool = False
    """Whether it may be repeated; its value is a list then."""

    def as_openapi(self) -> dict[str, Any]:
        """Return it as OpenAPI writes it."""
        schema = {"type": "array", "items": dict(self.schema)} if self.many else dict(self.schema)
        said = {"name": self.name, "in": self.where, "required": self.required or self.where == "path",
                "description": self.about, "schema": schema}  # fmt: skip
        return said if self.example is None else {**said, "example": self.example}


@dataclass(frozen=True, slots=True)
class Body:
    """A body that is no JSON of a model: its media types, each with a JSON Schema."""

    media: Mapping[str, Mapping[str, Any]]
    about: str = ""


Content = type[BaseModel] | Body


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `scope` is what the key must be allowed, None where no key is needed. `refusals` are statuses of problems besides
    those every operation can end with. `status` is that of success. The path is the route's own.

    >>> one = Operation("GET", "/v1/leads/{id:path}", "All about one lead", scope="read")
    >>> one.template, one.operation_id, [parameter.name for parameter in one.all_parameters]
    ('/v1/leads/{id}', 'get_leads_id', ['id'])
    """

    method: str
    path: str
    summary: str
    scope: str | None = None
    parameters: tuple[Parameter, ...] = ()
    request: Content | None = None
    response: Content | None = None
    status: int = 200
    refusals: tuple[int, ...] = ()
    about: str = ""

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return re.sub(r"\{(\w+):\w+\}", r"{\1}", self.path)

    @property
    def operation_id(self) -> str:
        """A name no other operation has."""
        words = re.findall(r"[a-z0-9_]+", self.template.removeprefix("/v1"))
        return "_".join([self.method.lower(), *words])

    @property
    def topic(self) -> str:
        """The heading under which it is listed: the first word of its path."""
        words = re.findall(r"[a-z_]+", self.template.removeprefix("/v1"))
        return words[0] if words else "service"

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """The parameters, with those of the path that are not told apart."""
        told = {parameter.name for parameter in self.parameters if parameter.where == "path"}
        names = re.findall(r"\{(\w+)\}", self.template)
        plain = [Parameter(name, NAMED.get(name, name), _SEGMENT, "path") for name in names if name not in told]
        return (*plain, *self.parameters)


_SEGMENT: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^\\x00]+$"}
NAMED = {
    "id": "any id it has",
    "name": "its name",
    "version": "its hash, or the first characters of it (at least four)",
}
"""What parameters of paths mean, where their operation does not say."""
