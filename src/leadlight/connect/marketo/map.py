"""What a Marketo subscription's records are to Leadlight."""

from __future__ import annotations

from typing import Any

MAPPING: dict[str, dict[str, Any]] = {
    "leads": {
        "object": "leads",
        "kind": "leads",
        "created_at": "createdAt",
        "account": "company",
        "columns": {
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "title": "title",
            "phone": "phone",
            "company": "company",
            "industry": "industry",
            "employees": "numberOfEmployees",
            "revenue": "annualRevenue",
            "city": "city",
            "country": "country",
            "website": "website",
            "source": "leadSource",
            "unsubscribed": "unsubscribed",
            "email_invalid": "emailInvalid",
        },
    },
    "activities": {"object": "activities", "lead": "lead", "at": "at", "type": "type"},
    "opportunities": {
        "object": "opportunities",
        "lead": "lead",
        "at": "close_date",
        "outcome": "result",
        "value": "amount",
        "where": "is_closed",
    },
}

STARTER = """\
# A win is an opportunity that was won, for everybody with a part in it. Where Marketo is synchronised with Salesforce
# or Dynamics, it does not tell of opportunities: connect that system too, and take the source `opportunities` out.
outcome: {win: "result = 'won'", lose: "result = 'lost'", horizon: 90d}

# Names for what you want to look at. Every column of the sources above has a name already.
features:
  free_mail:        {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com'"}
  pricing_views:    {count: visit_webpage, where: "url ilike '%pricing%'", within: 30d}
  days_since_visit: {recency: visit_webpage}
  colleagues:       {account: {distinct_leads: visit_webpage, within: 30d}}    # people of the same company who visit

# Never scored: who was deleted in Marketo, and those whose opportunity has ended (`outcome` is the last one known).
exclude: "deleted or outcome is not null"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the name below. Marketo's own score fields play no part.
title: House rules

groups:
  # Who they are.
  fit:
    cap: [-30, 50]
    criteria:
      - {name: Writes from free mail, when: free_mail, points: -10}
      - name: Company size        # [low, high, points] means low <= value < high; null is no bound
        feature: employees
        bands: [[null, 10, -5], [10, 200, 8], [200, 2000, 15], [2000, null, 10]]
        missing: 0
      - {name: Leads something, when: "title ilike '%head%' or title ilike '%director%'", points: 15}
      - {name: Tells a phone number, when: "phone is not null", points: 5}
      - {name: Mail address is wrong, when: email_invalid, points: -15}

  # What they do. With a half_life an event's points fade: half of them after 14 days, a quarter after 28.
  interest:
    cap: [-30, 60]
    criteria:
      - {name: Filled out a form, event: fill_out_form, points: 20, half_life: 30d, max: 30}
      - {name: Looks at pricing, event: visit_webpage, where: "url ilike '%pricing%'", points: 6, half_life: 14d}
      - {name: Comes back to pricing, when: "pricing_views >= 2", points: 5}
      - {name: Clicks in mails, event: click_email, points: 5, half_life: 14d, max: 15}
      - {name: Moves on in a program, event: change_status_in_progression, points: 6, half_life: 30d, max: 12}
      - {name: Interesting moment, event: interesting_moment, points: 4, half_life: 30d, max: 12}
      - {name: Visits, event: visit_webpage, points: 1, half_life: 14d, max: 8}
      - {name: Opens mails, event: open_email, points: 1, within: 30d, max: 4}
      - {name: Unsubscribed, event: unsubscribe_email, points: -25}
      - {name: Colleagues visit too, feature: colleagues, bands: [[null, 2, 0], [2, null, 5]], missing: 0}
      - {name: Has gone silent, when: "days_since_visit > 60", points: -5}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:      {A: 25, B: 12, C: 4, D: null}
  interest: {1: 25, 2: 8, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
