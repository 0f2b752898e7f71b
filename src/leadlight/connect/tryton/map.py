"""What Tryton's records are to Leadlight: opportunities are leads and their outcomes, parties are accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "opportunities": {
        "object": "sale.opportunity",
        "kind": "leads",
        "created_at": "create_date",
        "account": "party",
        "merge_by": None,
        "columns": {
            "name": "party.name",
            "email": "party.email",
            "phone": "party.phone",
            "title": "description",
            "source": "marketing_source.name",
            "medium": "marketing_medium.name",
            "campaign": "marketing_campaign.name",
            "language": "party.lang.code",
            "category": "party.categories.name",
            "city": "address.city",
            "country": "address.country.code",
            "amount": "amount",
            "currency": "currency.code",
            "seller": "employee.rec_name",
        },
    },
    "parties": {
        "object": "party.party",
        "kind": "accounts",
        "columns": {
            "company": "name",
            "company_email": "email",
            "website": "website",
            "company_category": "categories.name",
            "company_city": "addresses.city",
            "company_country": "addresses.country.code",
        },
    },
    "ends": {
        "object": "sale.opportunity",
        "kind": "outcomes",
        "lead": "_id",
        "at": "state_since",
        "outcome": "state",
        "value": "amount",
        "columns": {"lost_reason": "lost_reason"},
    },
    "emails_sent": {
        "object": "marketing.automation.record.activity",
        "kind": "events",
        "lead": "opportunity",
        "event": "email_sent",
        "at": "at",
        "where": "opportunity is not null and state = 'done' and activity_action = 'send_email'",
        "columns": {"mail": "activity.name", "scenario": "record.scenario.name"},
    },
    "emails_opened": {
        "object": "marketing.automation.record.activity",
        "kind": "events",
        "lead": "opportunity",
        "event": "email_opened",
        "at": "last_modified_at",
        "where": "opportunity is not null and email_opened",
        "columns": {"mail": "activity.name", "scenario": "record.scenario.name"},
    },
    "emails_clicked": {
        "object": "marketing.automation.record.activity",
        "kind": "events",
        "lead": "opportunity",
        "event": "email_clicked",
        "at": "last_modified_at",
        "where": "opportunity is not null and email_clicked",
        "columns": {"mail": "activity.name", "scenario": "record.scenario.name"},
    },
}

STARTER = """\
# How opportunities end in Tryton. A cancelled one counts as lost; take it out if yours are mistakes of typing.
outcome: {win: "outcome = 'won'", lose: "outcome in ('lost', 'cancelled')", horizon: 90d}

# Names for what you want to look at; a column of a source needs no entry, it has a name already.
features:
  days_since_opened: {recency: email_opened}

# Never scored: what was deleted in Tryton, and what has ended.
exclude: "deleted or outcome in ('won', 'lost', 'cancelled')"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the criterion's name below. These points are a beginning:
# `leadlight learn` proposes others, from how your own opportunities ended.
title: House rules

groups:
  # Who they are, and what it is about.
  fit:
    cap: [-30, 50]                # the group's sum stays within
    criteria:
      - name: Worth               # points by range: [low, high, points] means low <= value < high
        feature: amount
        bands: [[null, 1000, -5], [1000, 10000, 8], [10000, null, 15]]
        missing: 0
      - {name: Came by a campaign, when: "campaign is not null", points: 6}
      - {name: Can be written to, when: "email is not null", points: 8}
      - {name: Can be called, when: "phone is not null", points: 8}
      - {name: Has a website, when: "website is not null", points: 5}

  # What they do; points fade by half in 14 days.
  engagement:
    cap: [-10, 50]
    criteria:
      - {name: Opens our mails, event: email_opened, points: 6, half_life: 14d, max: 20}
      - {name: Clicks in our mails, event: email_clicked, points: 12, half_life: 14d, max: 30}
      - {name: Has gone silent, when: "days_since_opened > 60", points: -5}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 25, B: 15, C: 5, D: null}
  engagement: {1: 20, 2: 6, 3: null}
"""
