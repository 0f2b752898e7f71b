"""Amounts: Stripe counts in a currency's smallest unit, Leadlight in the currency itself."""

from __future__ import annotations

import math
from typing import Any

WHOLE = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
)
"""Currencies without a smaller unit. Kronur of Iceland and shillings of Uganda have none either, but Stripe goes on
counting them in hundredths."""
THOUSANDTHS = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
"""Currencies whose smallest unit is a thousandth."""


def major(amount: Any, currency: Any) -> float | None:
    """Return an amount in its currency; None where it is no amount.

    >>> major(1099, "usd"), major(500, "JPY"), major(5120, "kwd"), major(500, "isk"), major(None, "usd")
    (10.99, 500.0, 5.12, 5.0, None)
    """
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        return None
    code = str(currency).lower()
    return amount / (1 if code in WHOLE else 1000 if code in THOUSANDTHS else 100)
