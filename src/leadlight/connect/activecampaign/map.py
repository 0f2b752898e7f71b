"""What ActiveCampaign's objects are to Leadlight: contacts are the leads, their deals say how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "contacts": {
        "object": "contacts",
        "kind": "leads",
        "created_at": "cdate",
        "account": "account",
        "columns": {
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "phone": "phone",
            "hard_bounces": "bounced_hard",
        },
    },
    "accounts": {
        "object": "accounts",
        "kind": "accounts",
        "columns": {"company": "name", "website": "accountUrl"},
    },
    "activities": {
        "object": "activities",
        "lead": "contact",
        "at": "tstamp",
        "type": "kind",
        "where": "contact is not null and tstamp is not null",
        "columns": {"action": "reference_action"},
    },
    "deals": {
        "object": "deals",
        "lead": "contact",
        "at": "closed",
        "outcome": "status",
        "value": "value",
        "where": "status in ('won', 'lost') and contact is not null and closed is not null",
        "columns": {"currency": "currency"},
    },
}

STARTER = """\
# A deal that was won or lost says how it ended for its primary contact. If your plan has no deals, take out the source
# `deals`, and let another one (a file, a shop) say who became a customer.
outcome: {win: "outcome = 'won'", lose: "outcome = 'lost'", horizon: 90d}

features:
  free_mail:       {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com' or email ilike '%@yahoo.com'"}
  has_phone:       {expr: "phone is not null"}
  opens:           {count: email_open, within: 30d}      # by people; what mail programs open by themselves is apart
  mails:           {count: email_sent, within: 30d}
  days_since_open: {recency: email_open}

# Never scored: who was deleted, and whose deal has ended.
exclude: "deleted or outcome is not null"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason. Change these to what you know of your own buyers; your own
# contact fields (job title, company size, interests) can be used once they stand under `columns:` of the source
# `contacts`, by their personalization tag in small letters.
title: House rules

groups:
  # Who they are.
  fit:
    cap: [-30, 50]
    criteria:
      - {name: Has a company, when: "company is not null", points: 15}
      - {name: Can be called, when: has_phone, points: 10}
      - {name: Writes from free mail, when: free_mail, points: -10}
      - {name: Cannot be reached, when: "hard_bounces > 0", points: -20}

  # What they do.
  engagement:
    cap: [-20, 60]
    criteria:
      - {name: Opens our mails, event: email_open, points: 3, half_life: 21d, max: 24}
      - {name: Opens often, when: "opens >= 4 and mails > 0", points: 8}
      - {name: Has gone silent, when: "days_since_open > 90", points: -10}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 25, B: 10, C: 0, D: null}
  engagement: {1: 20, 2: 6, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
