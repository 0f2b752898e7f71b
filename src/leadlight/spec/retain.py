"""What leadlight.yaml says about events that nothing looks at any more: `retain:`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from leadlight.spec.base import Spec
from leadlight.spec.durations import Duration


class RetainSpec(Spec):
    """How long events are kept that can count for nothing, and where they go then."""

    keep: Duration = Field(timedelta(days=1095), description="events are kept so long at least")
    archive: str | None = Field(
        ".leadlight/archive", description="a folder of Parquet files that they go to; null: they are deleted for good"
    )
