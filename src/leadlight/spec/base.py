"""What all spec models have in common: the base, and the kinds of names and numbers they use."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=100)]
"""A name that may stand in a condition: letters, digits and underscore, a letter first."""
Label = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S[^\r\n]*$")]
"""A name for people: any text on one line."""


class Spec(BaseModel):
    """The base of all spec models: unknown keys are faults, values never change, and "5" or true is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, strict=True)
