"""Hold all events against the rules about which of them count, as those are now."""

from __future__ import annotations

from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.spec.bots import BotsSpec
from leadlight.spec.consent import ConsentSpec
from leadlight.store.bots import sweep
from leadlight.store.consent import settle_consent
from leadlight.store.sql import Sql


def sweep_all(engine: Engine, bots: BotsSpec | None, consent: ConsentSpec | None, *, at: datetime) -> int:
    """Set aside and take back what the rules say; returns how many events were moved.

    Call it inside `touched.changing`, or where `touched` is settled later.
    """
    moved = sweep(engine, bots, at=at)
    return moved + settle_consent(engine, consent, Sql("SELECT lead FROM ids"), at=at)
