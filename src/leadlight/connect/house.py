"""What the scorecards and starters of large CRMs say alike: who leads are is asked by the same columns there."""

from __future__ import annotations

SILENCE = """\
# Names for what the scorecard looks at besides the columns above and the types of events.
features:
  silent_days: {recency: "*"}     # days since anything happened

"""
"""A feature of starters."""
FIT = """\
groups:
  # Who they are.
  fit:
    cap: [-30, 60]
    criteria:
      - {name: Decides, when: "title ilike '%chief%' or title ilike '%vp%' or title ilike '%head%'", points: 20}
      - {name: Leads a team, when: "title ilike '%director%' or title ilike '%manager%'", points: 12}
      - name: Company size
        feature: employees
        bands: [[null, 10, -5], [10, 200, 8], [200, 2000, 15], [2000, null, 10]]
      - {name: Came by recommendation, when: "source ilike '%referral%' or source ilike '%partner%'", points: 10}
      - {name: Asked on the web, when: "source ilike '%web%'", points: 6}
      - {name: Can be called, when: "phone is not null", points: 4}
      - name: Writes from free mail
        when: "email ilike '%@gmail.com' or email ilike '%@outlook.com' or email ilike '%@yahoo.com'"
        points: -8
      - {name: Wants no mail, when: no_email, points: -10}

"""
"""The head of the groups of a scorecard: points for who they are."""
GRADES = """\
# A letter for who they are, a digit for what happens: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 30, B: 18, C: 5, D: null}
  engagement: {1: 25, 2: 8, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
"""The end of a scorecard."""
