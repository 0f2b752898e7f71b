"""What the user's own files must look like: `contract.yaml`, by source and column.

Columns are named as `leadlight.yaml` names them. A column that is not required may be absent: features and scorecards
that look at it work all the same, as if it had no value for anybody.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel, model_validator

from leadlight.expr.types import Type
from leadlight.spec.base import Finite, Name, Spec
from leadlight.spec.models import SourceKind

CONTRACT_FILE = "contract.yaml"


class ColumnContract(Spec):
    """What one column must hold."""

    type: Literal["number", "text", "bool", "time"] = Field(description="what kind of values")
    required: bool = Field(default=False, description="whether nothing works without the column")
    unique: bool = Field(default=False, description="whether no value may come twice")
    allowed: list[str | bool | int | float] | None = Field(None, min_length=1, description="all values it may have")
    min: Finite | None = Field(None, description="the least value of a number")
    max: Finite | None = Field(None, description="the greatest value of a number")
    missing_at_most: float | None = Field(None, ge=0, le=1, description="the share of rows that may have no value")
    means: str = Field("", description="what it says, in words")
    example: Any = Field(None, description="a value such as it has")
    without: str | None = Field(None, description="what is lost where the column is absent")
    role: (
        Literal["id", "lead", "account", "created_at", "known_at", "at", "type", "message_id", "outcome", "value"]
        | None
    ) = Field(None, description="which key of the source names it, as in `id: Ticket ID`; found out where it can be")

    @property
    def kind(self) -> Type:
        """The type as conditions know it."""
        return Type(self.type)

    @model_validator(mode="after")
    def _check(self) -> ColumnContract:
        if self.type != "number" and (self.min is not None or self.max is not None):
            raise ValueError(f"min and max go with numbers; this is {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min is {self.min:g}, above max, which is {self.max:g}")
        if self.required and self.without is not None:
            raise ValueError("`without` says what is lost without a column, and a required one cannot be left out")
        return self


class SourceContract(Spec):
    """What a source's files must hold; `kind` says what its records are where the workspace may lack the source."""

    about: str = Field("", description="what a row is, and where it comes from")
    kind: SourceKind = Field(SourceKind.LEADS, strict=False, description="leads, accounts, events or outcomes")
    columns: dict[Name, ColumnContract] = Field(min_length=1)


class ContractSpec(RootModel[dict[Name, SourceContract]]):
    """The file `contract.yaml`: what each source's files must look like."""

    def __getitem__(self, source: str) -> SourceContract:
        return self.root[source]

    def get(self, source: str) -> SourceContract | None:
        """Return what is said about a source, if anything is."""
        return self.root.get(source)


NOTHING = ContractSpec({})
"""No contract: every file is welcome as it is."""
