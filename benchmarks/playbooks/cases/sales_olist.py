"""B2B sales on a marketplace's funnel: who becomes a seller."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from case import Case, set_sources


def prepare(raw: Path, folder: Path) -> None:
    """Name the two files where they lie; only winners stand among the deals."""
    set_sources(
        folder,
        {
            "leads": {
                "csv": str(raw / "olist_marketing_qualified_leads_dataset.csv"),
                "id": "mql_id",
                "created_at": "first_contact_date",
                "rename": {"source": "origin"},
            },
            # Whatever else is told about winners became known by winning them.
            "deals": {
                "csv": str(raw / "olist_closed_deals_dataset.csv"),
                "lead": "mql_id",
                "at": "won_date",
                "outcome_is": "won",
                "value": "declared_monthly_revenue",
            },
        },
    )


CASE = Case(
    name="b2b-sales: sellers for a marketplace",
    playbook="b2b-sales",
    data="olist_marketing_funnel",
    scorecard="house",
    prepare=prepare,
    now=datetime(2018, 11, 15),
    capacity=0.1,
    rows="a lead that is still open at its creation, or 1, 7 or 30 days later",
    notes="The file has a first contact, where they came from and a landing page; fit, events and companies are "
    "absent, so the hand-written card lives on freshness and channel. Wins became about four times as frequent in "
    "January 2018. The learned card may use the landing page, the hand-written one cannot",
)
