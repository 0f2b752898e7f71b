"""Do what was decided about pairs: join the same, keep the different apart for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.resolve.resolve import Resolved
from leadlight.store.apart import join_pairs
from leadlight.store.leads import get_lead
from leadlight.store.merges import part_leads

RULE = "resolve"


def decide(
    engine: Engine,
    same: Sequence[tuple[str, str]],
    different: Sequence[tuple[str, str]],
    *,
    at: datetime,
    who: str | None = None,
) -> Resolved:
    """Join pairs of ids, each into the one created first, and keep others apart; call it inside `touched.changing`.

    Those kept apart, now or before, are not joined, also by way of others. Raises NotFoundError, and UsageError for a
    pair to be kept apart that is one already.
    """
    for left, right in different:
        part_leads(engine, left, right, at=at, who=who)
    leads = [(get_lead(engine, left).lead, get_lead(engine, right).lead) for left, right in same]
    joined = join_pairs(engine, leads, rule=RULE, at=at, who=who)
    return Resolved((), (), joined=joined, parted=len(different))
