"""What leadlight.yaml says about scores that time alone moves: `clock:`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from leadlight.spec.base import Spec
from leadlight.spec.durations import Duration


class ClockSpec(Spec):
    """How often `leadlight serve` looks for leads whose score has moved although nothing happened."""

    every: Duration | None = Field(
        timedelta(days=1), description="points fade and windows pass: whose score can have moved is scored again; "
        "null never"
    )  # fmt: skip
