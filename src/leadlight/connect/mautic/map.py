"""What a Mautic's records are to Leadlight."""

from __future__ import annotations

from typing import Any

MAPPING: dict[str, dict[str, Any]] = {
    "contacts": {
        "object": "contacts",
        "kind": "leads",
        "created_at": "dateAdded",
        "account": "company_id",
        "columns": {
            "email": "email",
            "first_name": "firstname",
            "last_name": "lastname",
            "title": "position",
            "phone": "phone",
            "company": "company",
            "city": "city",
            "country": "country",
            "website": "website",
            "source": "utm_source",
            "medium": "utm_medium",
            "campaign": "utm_campaign",
            "tags": "tags",
            "do_not_contact": "do_not_contact",
            "identified_at": "dateIdentified",
        },
    },
    "companies": {
        "object": "companies",
        "kind": "accounts",
        "columns": {
            "company_name": "companyname",
            "industry": "companyindustry",
            "employees": "companynumber_of_employees",
            "revenue": "companyannual_revenue",
            "company_country": "companycountry",
            "company_website": "companywebsite",
        },
    },
    "activity": {"object": "activity", "lead": "contact", "at": "timestamp", "type": "type"},
    "segments": {"object": "segments", "lead": "contact", "at": "at", "event": "segment"},
    "stages": {"object": "stage_changes", "lead": "contact", "at": "at", "outcome": "stage"},
}

STARTER = """\
# Mautic knows no deals. Its stages tell how it ended only if one of yours means: won (and another: lost). Write those
# names here. If none does, connect the system where your deals are, and take out the source `stages`.
outcome: {win: "stage = 'Customer'", lose: "stage = 'Lost'", horizon: 90d}

# Names for what you want to look at. Every column of the sources above has a name already.
features:
  free_mail:        {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com'"}
  pricing_views:    {count: page.hit, where: "url ilike '%pricing%'", within: 30d}
  days_since_visit: {recency: page.hit}
  colleagues:       {account: {distinct_leads: page.hit, within: 30d}}    # how many people of the same company visit

# Never scored: who was deleted in Mautic, and whose stage has been decided.
exclude: "deleted or outcome is not null"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the name below. Mautic's own points play no part.
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
      - {name: Tells a job title, when: "title is not null", points: 8}
      - {name: Tells a phone number, when: "phone is not null", points: 6}
      - {name: Belongs to a company, when: "company is not null", points: 8}

  # What they do. With a half_life an event's points fade: half of them after 14 days, a quarter after 28.
  interest:
    cap: [-30, 60]
    criteria:
      - {name: Sent a form, event: form.submitted, points: 20, half_life: 30d, max: 30}
      - {name: Looks at pricing, event: page.hit, where: "url ilike '%pricing%'", points: 6, half_life: 14d, max: 20}
      - {name: Comes back to pricing, when: "pricing_views >= 2", points: 5}
      - {name: Clicks in mails, event: email.click, points: 5, half_life: 14d, max: 15}
      - {name: Downloads, event: asset.download, points: 6, half_life: 30d, max: 12}
      - {name: Visits, event: page.hit, points: 1, half_life: 14d, max: 8}
      - {name: Opens mails, event: email.read, points: 1, within: 30d, max: 4}
      - {name: Wants no more mail, event: lead.donotcontact, points: -25}
      - {name: Colleagues visit too, feature: colleagues, bands: [[null, 2, 0], [2, null, 5]], missing: 0}
      - {name: Has gone silent, when: "days_since_visit > 60", points: -5}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:      {A: 25, B: 14, C: 4, D: null}
  interest: {1: 25, 2: 8, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
