"""RavenStack's subscriptions: synthetic, without any signal. Whoever reports skill here has a leak."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from shutil import copy

import duckdb
from case import Case, set_sources

USAGE = """
    SELECT subscription_id AS subscriber, 'key_action' AS type, usage_date AS "at", feature_name AS feature
    FROM read_csv(?)
"""
ENDS = """
    SELECT subscription_id AS subscriber, end_date AS "at", 'churned' AS outcome, arr_amount AS value
    FROM read_csv(?) WHERE churn_flag
"""


def prepare(raw: Path, folder: Path) -> None:
    """Map the subscriptions as they are; write use and ends as the event and outcome files they stand for."""
    copy(raw / "ravenstack_subscriptions.csv", folder / "data" / "subscriptions.csv")
    for name, query, file in (("usage", USAGE, "feature_usage.csv.gz"), ("outcomes", ENDS, "subscriptions.csv")):
        found = duckdb.connect().sql(query, params=[str(raw / f"ravenstack_{file}")])
        found.write_csv(str(folder / "data" / f"{name}.csv"))
    set_sources(
        folder,
        {
            "subscribers": {
                "csv": "data/subscriptions.csv", "id": "subscriber", "created_at": "since", "account": "account_id",
                "rename": {
                    "subscriber": "subscription_id", "since": "start_date", "plan": "plan_tier",
                    "billing": "billing_frequency", "monthly_revenue": "mrr_amount",
                },
                "drop": ["end_date", "arr_amount", "churn_flag", "upgrade_flag", "downgrade_flag", "auto_renew_flag"],
            },
            "usage": {"csv": "data/usage.csv", "lead": "subscriber", "type": "type", "at": "at"},
            "outcomes": {
                "csv": "data/outcomes.csv", "lead": "subscriber", "at": "at", "outcome": "outcome", "value": "value",
            },
        },
    )  # fmt: skip


CASE = Case(
    name="customer-success: ravenstack",
    playbook="customer-success",
    data="saas_ravenstack_synth",
    scorecard="churn",
    prepare=prepare,
    now=datetime(2024, 12, 31),
    capacity=0.1,
    outcome="churn",
    rows="a subscription once a month, as long as it runs",
    notes="Synthetic, and noise: plumbing only. Learned and black box should stand at about 0.5, and the gate be shut. "
    "Whether an old subscription is still running says a little all the same: those without an end are older or newer.",
)
