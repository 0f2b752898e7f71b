"""How hard the property tests try: the same examples each time, or new ones with HYPOTHESIS_PROFILE=explore."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

EXPLORE = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def tries(count: int) -> settings:
    """Run a property on four tenths of so many examples; on ten times as many, and new ones, when exploring."""
    return settings(
        max_examples=count * 10 if EXPLORE else max(10, count * 4 // 10),
        derandomize=not EXPLORE,
        deadline=None,
        database=None,
        print_blob=EXPLORE,
        phases=[phase for phase in Phase if phase is not Phase.explain],
        suppress_health_check=SLOW_TO_DRAW,
    )
