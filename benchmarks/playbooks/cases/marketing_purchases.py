"""Digital marketing on the Hillstrom e-mail campaign: who buys within two weeks."""

from __future__ import annotations

from dataclasses import replace

from case import CASES, load

VISITS = load(CASES / "marketing_visits.py")

CASE = replace(
    VISITS,
    name="digital marketing: purchases",
    outcome="purchase",
    notes="578 purchases among 64,000: intervals are wide. No dates: judged on a part drawn at random.",
)
