"""What HubSpot's objects are to Leadlight: the sources, and a scorecard that fits them.

Not taken along, for they tell the outcome itself: lifecycle stage, lead status, the number of deals and anything of a
deal but how it ended. Notes and tasks are not events of the lead; they can be added (`leadlight objects hubspot`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "contacts": {
        "object": "contacts",
        "kind": "leads",
        "created_at": "createdate",
        "account": "associatedcompanyid",
        "columns": {
            "email": "email",
            "first_name": "firstname",
            "last_name": "lastname",
            "job_title": "jobtitle",
            "phone": "phone",
            "mobile": "mobilephone",
            "website": "website",
            "city": "city",
            "state": "state",
            "country": "country",
            "language": "hs_language",
            "source": "hs_analytics_source",
            "source_detail": "hs_analytics_source_data_1",
            "page_views": "hs_analytics_num_page_views",
            "unsubscribed": "hs_email_optout",
        },
    },
    "companies": {
        "object": "companies",
        "kind": "accounts",
        "columns": {
            "company": "name",
            "domain": "domain",
            "industry": "industry",
            "employees": "numberofemployees",
            "revenue": "annualrevenue",
            "company_city": "city",
            "company_country": "country",
        },
    },
    "deals": {
        "object": "deals",
        "lead": "contact",
        "at": "closedate",
        "outcome": "outcome",
        "value": "amount",
        "where": "outcome is not null",
    },
    "emails": {
        "object": "email_events",
        "lead": "contact",
        "at": "created",
        "type": "event",
        "columns": {"subject": "subject", "url": "url", "campaign": "campaign"},
        "where": "not filtered",
    },
    "forms": {
        "object": "form_submissions",
        "lead": "contact",
        "at": "submitted_at",
        "event": "form_submission",
        "columns": {"form": "form_name", "page": "page"},
    },
    "calls": {
        "object": "calls",
        "lead": "contact",
        "at": "hs_timestamp",
        "event": "call",
        "columns": {"direction": "hs_call_direction", "duration_ms": "hs_call_duration"},
    },
    "meetings": {
        "object": "meetings",
        "lead": "contact",
        "at": "hs_timestamp",
        "event": "meeting",
        "columns": {"meeting_outcome": "hs_meeting_outcome"},
    },
    "sales_emails": {
        "object": "emails",
        "lead": "contact",
        "at": "hs_timestamp",
        "event": "sales_email",
        "columns": {"direction": "hs_email_direction"},
    },
}

STARTER = """\
# A deal that is closed, in whatever pipeline, is won or lost; open ones say nothing yet.
outcome: {win: "outcome = 'won'", lose: "outcome = 'lost'", horizon: 90d}

features:
  free_mail:       {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com' or email ilike '%@yahoo.com'"}
  days_since_form: {recency: form_submission}
  colleagues:      {account: {distinct_leads: form_submission, within: 90d}}   # people of the same company

# Never scored: contacts deleted in HubSpot, and those whose deal has ended.
exclude: "deleted or outcome is not null"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the criterion's name below. Change the points to what you
# know of your customers; `leadlight diff` shows what that would do to everybody.
title: House rules for HubSpot

groups:
  # Who they are: the contact and its primary company.
  fit:
    cap: [-30, 50]
    criteria:
      - name: Decides
        when: "job_title ilike '%chief%' or job_title ilike '%head of%' or job_title ilike '%director%'"
        points: 15
      - {name: Manages, when: "job_title ilike '%manager%'", points: 6}
      - name: Company size
        feature: employees
        bands: [[null, 10, -5], [10, 200, 8], [200, 2000, 15], [2000, null, 10]]
        missing: 0
      - name: Where they come from    # HubSpot's "Original source"
        feature: source
        points: {ORGANIC_SEARCH: 6, REFERRALS: 8, DIRECT_TRAFFIC: 4, PAID_SEARCH: 2, OFFLINE: -4}
        other: 0
        missing: 0
      - {name: Left a phone number, when: "phone is not null or mobile is not null", points: 4}
      - {name: Writes from free mail, when: free_mail, points: -8}

  # What they do. With a half_life an event's points fade: half of them after 14 days, a quarter after 28.
  engagement:
    cap: [-20, 60]
    criteria:
      - {name: Sent a form, event: form_submission, points: 15, half_life: 30d, max: 30}
      - {name: Clicked in a mail, event: email_click, points: 5, half_life: 14d, max: 15}
      - {name: Opened a mail, event: email_open, points: 1, within: 30d, max: 4}
      - {name: Met us, event: meeting, points: 12, half_life: 30d, max: 24}
      - {name: Wrote to us, event: sales_email, where: "direction = 'INCOMING_EMAIL'", points: 8, within: 30d, max: 16}
      - {name: Spoke on the phone, event: call, points: 4, half_life: 14d, max: 12}
      - {name: Unsubscribed, when: unsubscribed, points: -20}
      - {name: Has not asked for anything lately, when: "days_since_form > 90", points: -4}
      - {name: Colleagues came too, feature: colleagues, bands: [[null, 2, 0], [2, null, 5]], missing: 0}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 25, B: 14, C: 4, D: null}
  engagement: {1: 25, 2: 8, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
