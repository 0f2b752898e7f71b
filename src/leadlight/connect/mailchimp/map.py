"""What a Mailchimp audience's records are to Leadlight."""

from __future__ import annotations

from typing import Any

MAPPING: dict[str, dict[str, Any]] = {
    "members": {
        "object": "members",
        "kind": "leads",
        "created_at": "created_at",
        "columns": {
            "email": "email_address",
            "name": "full_name",
            "first_name": "FNAME",
            "last_name": "LNAME",
            "phone": "PHONE",
            "status": "status",
            "source": "source",
            "tags": "tags",
            "language": "language",
            "country": "country",
            "email_client": "email_client",
            "vip": "vip",
            "member_rating": "member_rating",
        },
    },
    "activity": {"object": "activity", "lead": "member", "at": "timestamp", "type": "type"},
    "orders": {"object": "orders", "lead": "member", "at": "processed_at", "outcome": "result", "value": "total"},
}

STARTER = """\
# A win is an order in a shop that is connected to Mailchimp; who has bought may buy again.
outcome: {win: "result = 'bought'", horizon: 90d, repeats: true}

# Names for what you want to look at. Every column of the sources above has a name already.
features:
  free_mail:        {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com'"}
  clicks:           {count: click, within: 90d}
  days_since_click: {recency: click}

# Never scored: who was archived or deleted in Mailchimp, and who does not want to hear from you.
exclude: "deleted or status in ('unsubscribed', 'cleaned')"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the name below. Mailchimp's own rating plays no part.
title: House rules

groups:
  # Who they are.
  fit:
    cap: [-20, 40]
    criteria:
      - {name: Writes from free mail, when: free_mail, points: -10}
      - {name: Tells a name, when: "first_name is not null", points: 8}
      - {name: Tells a phone number, when: "phone is not null", points: 10}
      - {name: Marked as VIP, when: vip, points: 15}

  # What they do with campaigns. With a half_life an event's points fade: half of them after 30 days.
  interest:
    cap: [-40, 60]
    criteria:
      - {name: Clicks, event: click, points: 6, half_life: 30d, max: 30}
      - {name: Clicks on pricing, event: click, where: "url ilike '%pricing%'", points: 10, half_life: 30d, max: 20}
      - {name: Opens, event: open, points: 1, within: 60d, max: 6}
      - {name: Clicks again and again, when: "clicks >= 5", points: 6}
      - {name: Mail bounced, event: bounce, points: -10}
      - {name: Unsubscribed, event: unsubscribe, points: -40}
      - {name: Has gone silent, when: "days_since_click > 120", points: -8}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:      {A: 25, B: 16, C: 8, D: null}
  interest: {1: 25, 2: 8, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
