"""The simulated subscribers of `customer_success_churn`, by another of their outcomes."""

from __future__ import annotations

from dataclasses import replace

from case import CASES, load

CASE = replace(
    load(CASES / "customer_success_churn.py"),
    name="customer-success: expansion",
    scorecard="expansion",
    outcome="expansion",
)
