"""Subscribers who leave: a simulated world, whose true probabilities are known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from case import Case, set_sources

from leadlight.simulate.subscriptions import simulate_subscriptions

SUBSCRIBERS = 1500
NOW = datetime(2026, 6, 30)


def prepare(_: Path, folder: Path) -> None:
    """Make the world; nothing has to be mapped but that events come as Parquet."""
    simulate_subscriptions(folder / "data", subscribers=SUBSCRIBERS, seed=7, until=NOW)
    outcomes = {"csv": "data/outcomes.csv", "lead": "subscriber", "at": "at"}
    set_sources(
        folder,
        {
            "subscribers": {
                "csv": "data/subscribers.csv", "id": "subscriber", "created_at": "since", "known_at": "known_at",
            },
            "usage": {"parquet": "data/events.parquet", "lead": "subscriber", "type": "type", "at": "at"},
            "outcomes": {**outcomes, "outcome": "outcome", "value": "value"},
            "changes": {**outcomes, "type": "outcome", "where": "outcome <> 'churned'"},
        },
    )  # fmt: skip


CASE = Case(
    name="customer-success: churn",
    playbook="customer-success",
    data="",
    scorecard="churn",
    prepare=prepare,
    now=NOW,
    capacity=0.1,
    outcome="churn",
    rows="a subscriber once a month, as long as it is there",
    practice={},
    notes="Simulated. The card and the world were written by the same hand, so the card's figure says little about "
    "other businesses; the distance from learned to black box, and to the truth, does.",
)
