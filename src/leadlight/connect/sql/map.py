"""What tables might be to Leadlight: an example to begin with, since every database has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "leads": {
        "object": "leads",
        "kind": "leads",
        "created_at": "created_at",
        "account": "company_id",
        "columns": {"email": "email", "name": "name", "title": "title", "country": "country"},
    },
    "companies": {
        "object": "companies",
        "kind": "accounts",
        "columns": {"company": "name", "industry": "industry", "employees": "employees"},
    },
    "activities": {"object": "activities", "lead": "lead_id", "at": "happened_at", "type": "type"},
    "orders": {
        "object": "orders",
        "lead": "lead_id",
        "at": "created_at",
        "outcome": "status",
        "value": "amount",
    },
}

STARTER = """\
# The tables and columns above are examples: put yours in their place. In the connection, say what columns mean, so
# that only what has changed is read:  tables: {leads: {modified_at: updated_at, created_at: created_at}}

outcome: {win: "status = 'paid'", lose: "status = 'cancelled'"}

exclude: "deleted"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the name below.
title: House rules

groups:
  # Who they are.
  fit:
    cap: [-20, 40]
    criteria:
      - {name: Tells a name, when: "name is not null", points: 5}
      - {name: Tells a title, when: "title is not null", points: 10}
      - {name: Leads a department, when: "title ilike '%head%' or title ilike '%director%'", points: 15}

      - {name: Works in a company of some size, when: "employees >= 50", points: 10}

  # What they do; the types are those of the table. With a half_life points fade: half of them after 30 days.
  interest:
    cap: [-20, 60]
    criteria:
      - {name: Wants a demo, event: demo, points: 20, half_life: 30d, max: 40}
      - {name: Opens mails, event: open, points: 1, within: 60d, max: 6}
      - {name: Unsubscribed, event: unsubscribe, points: -20}

# A letter for who they are, a digit for what they do: A1 is the best. Numbers are lower bounds.
grades:
  fit:      {A: 25, B: 15, C: 5, D: null}
  interest: {1: 20, 2: 5, 3: null}
"""
