"""What Odoo's records are to Leadlight: leads and opportunities, their partners, messages, activities, mailings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _mailing(event: str, at: str) -> dict[str, Any]:
    return {
        "object": "mailing.trace",
        "kind": "events",
        "lead": "res_id",
        "event": event,
        "at": at,
        "where": f"{at} is not null",
        "columns": {"mailing": "mass_mailing_id.display_name"},
    }


MAPPING: Mapping[str, Mapping[str, Any]] = {
    "leads": {
        "object": "crm.lead",
        "kind": "leads",
        "created_at": "create_date",
        "account": "partner_id",
        "merge_by": None,
        "columns": {
            "name": "contact_name",
            "email": "email_from",
            "phone": "phone",
            "title": "function",
            "company": "partner_name",
            "subject": "name",
            "source": "source_id.display_name",
            "medium": "medium_id.display_name",
            "campaign": "campaign_id.display_name",
            "team": "team_id.display_name",
            "seller": "user_id.display_name",
            "tags": "tag_ids.name",
            "city": "city",
            "country": "country_id.code",
            "language": "lang_id.code",
            "expected_revenue": "expected_revenue",
            "priority": "priority",
        },
    },
    "partners": {
        "object": "res.partner",
        "kind": "accounts",
        "columns": {
            "partner": "name",
            "partner_email": "email",
            "website": "website",
            "industry": "industry_id.name",
            "partner_category": "category_id.name",
            "partner_city": "city",
            "partner_country": "country_id.code",
        },
    },
    "ends": {
        "object": "crm.lead",
        "kind": "outcomes",
        "lead": "_id",
        "at": "outcome_at",
        "outcome": "outcome",
        "value": "expected_revenue",
        "columns": {"lost_reason": "lost_reason_id.display_name"},
    },
    "emails_received": {
        "object": "mail.message",
        "kind": "events",
        "lead": "res_id",
        "event": "email_received",
        "at": "date",
        "where": "message_type = 'email'",
        "columns": {"subject": "subject"},
    },
    "activities_done": {
        "object": "mail.message",
        "kind": "events",
        "lead": "res_id",
        "event": "activity_done",
        "at": "date",
        "where": "mail_activity_type_id is not null",
        "columns": {"activity": "mail_activity_type_id.display_name"},
    },
    "mailings_sent": _mailing("mailing_sent", "sent_datetime"),
    "mailings_opened": _mailing("mailing_opened", "open_datetime"),
    "mailings_clicked": _mailing("mailing_clicked", "links_click_datetime"),
    "mailings_answered": _mailing("mailing_answered", "reply_datetime"),
}

STARTER = """\
# How leads end in Odoo: won is a stage that counts as won, lost is archived with probability 0.
outcome: {win: "outcome = 'won'", lose: "outcome = 'lost'", horizon: 90d}

# Names for what you want to look at; a column of a source needs no entry, it has a name already.
features:
  free_mail: {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com'"}
  days_since_email: {recency: email_received}

# Never scored: what was deleted or archived in Odoo, and what has ended.
exclude: "deleted or outcome in ('won', 'lost')"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the criterion's name below. These points are a beginning:
# `leadlight learn` proposes others, from how your own leads ended. Odoo's own probability is not looked at.
title: House rules

groups:
  # Who they are.
  fit:
    cap: [-30, 50]                # the group's sum stays within
    criteria:
      - name: Worth               # points by range: [low, high, points] means low <= value < high
        feature: expected_revenue
        bands: [[null, 1000, 0], [1000, 10000, 8], [10000, null, 15]]
        missing: 0
      - name: Priority            # the stars of a lead: 0 to 3
        feature: priority
        points: {'1': 4, '2': 8, '3': 12}
        other: 0
        missing: 0
      - {name: Names a company, when: "company is not null", points: 6}
      - {name: Can be called, when: "phone is not null", points: 8}
      - {name: Writes from free mail, when: free_mail, points: -8}

  # What they do; points fade by half in 14 days.
  engagement:
    cap: [-10, 60]
    criteria:
      - {name: Writes to us, event: email_received, points: 12, half_life: 14d, max: 30}
      - {name: We did something for them, event: activity_done, points: 4, half_life: 14d, max: 12}
      - {name: Opens mailings, event: mailing_opened, points: 4, half_life: 14d, max: 12}
      - {name: Clicks in mailings, event: mailing_clicked, points: 10, half_life: 14d, max: 20}
      - {name: Has gone silent, when: "days_since_email > 60", points: -5}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 25, B: 15, C: 5, D: null}
  engagement: {1: 20, 2: 6, 3: null}
"""
