"""What tables might be to Leadlight: an example to begin with, since every database has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "leads": {
        "object": "leads",
        "kind": "leads",
        "created_at": "created_at",
        "columns": {"email": "email", "name": "name", "title": "title", "country": "country"},
    },
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

  # Where they are.
  place:
    cap: [-20, 20]
    criteria:
      - {name: Tells a country, when: "country is not null", points: 5}

# A letter for who they are, a digit for the rest: A1 is the best. Numbers are lower bounds.
grades:
  fit:   {A: 25, B: 15, C: 5, D: null}
  place: {1: 5, 2: null}
"""
