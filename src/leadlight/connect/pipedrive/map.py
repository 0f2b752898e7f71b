"""What Pipedrive's objects are to Leadlight: people are the leads, and their deals say how it ended.

Leads of the inbox are events of their person (somebody asked). Nothing that is known only because a deal goes well or
badly (stage, probability, counts of deals, labels) becomes an attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "people": {
        "object": "persons",
        "kind": "leads",
        "created_at": "add_time",
        "account": "org_id",
        "columns": {
            "name": "name",
            "email": "email",
            "phone": "phone",
            "title": "job_title",
        },
    },
    "organizations": {
        "object": "organizations",
        "kind": "accounts",
        "columns": {
            "company": "name",
            "website": "website",
            "industry": "industry",
            "employees": "employee_count",
            "revenue": "annual_revenue",
            "country": "country",
            "city": "city",
        },
    },
    "inquiries": {
        "object": "leads",
        "lead": "person_id",
        "at": "add_time",
        "event": "inquiry",
        "where": "person_id is not null",
        "columns": {"source": "source_name", "origin": "origin"},
    },
    "activities": {
        "object": "activities",
        "lead": "person_id",
        "at": "marked_as_done_time",
        "type": "type",
        "where": "done and person_id is not null and marked_as_done_time is not null",
        "columns": {"subject": "subject"},
    },
    "deals": {
        "object": "deals",
        "lead": "person_id",
        "at": "close_time",
        "outcome": "status",
        "value": "value",
        "where": "status in ('won', 'lost') and person_id is not null and close_time is not null",
        "columns": {"currency": "currency"},
    },
}

STARTER = """\
# A deal that was won or lost says how it ended for its contact person; open deals say nothing yet.
outcome: {win: "outcome = 'won'", lose: "outcome = 'lost'", horizon: 90d}

features:
  decides:         {expr: "title ilike '%head%' or title ilike '%director%' or title ilike '%chief%'"}
  free_mail:       {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com' or email ilike '%@yahoo.com'"}
  has_phone:       {expr: "phone is not null"}
  days_since_call: {recency: call}       # an activity counts when it is marked as done; its type is its name

# Never scored: who was deleted in Pipedrive, and whose deal has ended.
exclude: "deleted or outcome is not null"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason. Change these to what you know of your own buyers; custom
# fields of Pipedrive can be used once they stand under `columns:` of a source, by their name in small letters.
title: House rules

groups:
  # Who they are.
  fit:
    cap: [-30, 50]
    criteria:
      - {name: Decides, when: decides, points: 20}
      - name: Company size
        feature: employees
        bands: [[null, 10, -5], [10, 200, 8], [200, 2000, 15], [2000, null, 10]]
      - {name: Can be called, when: has_phone, points: 5}
      - {name: Writes from free mail, when: free_mail, points: -10}

  # What they do, and what came of it.
  engagement:
    cap: [-20, 60]
    criteria:
      - {name: Asked by themselves, event: inquiry, points: 20, half_life: 30d, first: 1}
      - {name: Met us, event: meeting, points: 15, half_life: 30d, max: 30}
      - {name: Spoke with us, event: call, points: 6, half_life: 21d, max: 18}
      - {name: Has gone silent, when: "days_since_call > 90", points: -5}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 25, B: 12, C: 0, D: null}
  engagement: {1: 25, 2: 8, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
