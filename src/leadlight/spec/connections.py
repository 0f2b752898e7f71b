"""What leadlight.yaml says about systems that leads live in: `connections:`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from leadlight.spec.base import Name, Spec
from leadlight.spec.durations import Duration

VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")

PushField = Literal["score", "grade", "probability", "reasons", "next_step", "scored_at"]


class PushSpec(Spec):
    """What goes back into the system where people work."""

    scorecard: Name | None = Field(None, description="whose scores; the only scorecard, or house, unless told")
    object: str | list[str] | None = Field(
        None, description="the object that is written to, or several; all that sources read leads of, unless told"
    )
    fields: dict[PushField, str | None] = Field(
        default_factory=dict,
        description="what is written → the system's field; all six into leadlight_score …, unless some are named here",
    )
    when: str | None = Field(None, description="a condition; only leads for which it is true are written")
    tasks: dict[str, str] = Field(
        default_factory=dict,
        description='up, down or a grade → the subject of a task, as in "Call {id}: now {grade}"',
    )
    tasks_at_most: int = Field(50, ge=0, le=10_000, description="tasks of one push at most")
    live: bool = Field(False, description="under `serve`: write as soon as scores change")


class ConnectionSpec(Spec):
    """A system that is read by `sync` and written to by `push`; each connector has keys of its own besides these."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Any]

    system: str = Field(min_length=1, description="which connector: hubspot, salesforce, odoo … (`init --systems`)")
    secrets: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description='where secrets are, by name: "${MY_TOKEN}"; the connector\'s own variables unless told',
    )
    secrets_file: str | None = Field(None, description="a YAML file of secrets outside the workspace")
    share: Annotated[float, Field(gt=0, le=1)] = Field(0.8, description="the share of a daily quota that may be used")
    per_second: float | None = Field(None, gt=0, le=1000, description="requests a second; the connector's unless told")
    per_day: int | None = Field(None, gt=0, description="requests a day that are allowed, of which `share` is used")
    every: Duration | None = Field(None, description="under `serve`: how often it is read")
    push: PushSpec | None = Field(None, description="what goes back; nothing without it")

    @field_validator("secrets")
    @classmethod
    def _check_secrets(cls, told: dict[str, str]) -> dict[str, str]:
        for name, text in told.items():
            if not VARIABLE.search(text):
                raise ValueError(
                    f"the secret {name} stands here itself: put it in the environment and write "
                    f'{name}: "${{VARIABLE}}", or in a file outside the workspace that `secrets_file` names'
                )
        return told

    @property
    def own(self) -> dict[str, Any]:
        """The keys that are the connector's own."""
        return dict(self.__pydantic_extra__ or {})
