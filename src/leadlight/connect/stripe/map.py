"""What Stripe's objects are to Leadlight: the sources, and a scorecard that fits them.

Who pays is won, who ends without is lost. Customers meet contacts of another system by their e-mail address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "customers": {
        "object": "customers",
        "kind": "leads",
        "created_at": "created",
        "columns": {
            "email": "email",
            "name": "name",
            "phone": "phone",
            "city": "address_city",
            "state": "address_state",
            "country": "address_country",
            "language": "language",
        },
    },
    "paid": {
        "object": "invoices",
        "lead": "customer",
        "at": "paid_at",
        "outcome_is": "won",
        "value": "amount_paid",
        "where": "status = 'paid' and amount_paid > 0",
    },
    "ended": {
        "object": "subscriptions",
        "lead": "customer",
        "at": "ended_at",
        "outcome_is": "lost",
        "where": "ended_at is not null",
    },
    "subscribed": {
        "object": "subscriptions",
        "lead": "customer",
        "at": "created",
        "event": "subscription_started",
        "columns": {"amount": "amount", "interval": "interval", "product": "product"},
    },
    "payments": {
        "object": "charges",
        "lead": "customer",
        "at": "created",
        "type": "event",
        "columns": {"amount": "amount", "currency": "currency", "failure": "failure_code"},
        "where": "event is not null",
    },
}

STARTER = """\
# The first invoice that is paid (with an amount, so not that of a free trial) wins; its amount is the worth. A
# subscription that ended before is lost. To learn who stays, not who comes, exchange the two.
outcome: {win: "outcome = 'won'", lose: "outcome = 'lost'", horizon: 60d}

features:
  free_mail:     {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com' or email ilike '%@yahoo.com'"}
  subscriptions: {count: subscription_started, within: 90d}

# Never scored: customers deleted in Stripe, and those who pay or have left.
exclude: "deleted or outcome is not null"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason: the criterion's name below. Stripe knows little of a person
# before the first payment; together with a CRM's contacts (same e-mail address) there is more to go by.
title: House rules for Stripe

groups:
  # Who they are.
  fit:
    cap: [-20, 30]
    criteria:
      - {name: Left a phone number, when: "phone is not null", points: 6}
      - {name: Gave an address, when: "city is not null", points: 6}
      - {name: Writes from free mail, when: free_mail, points: -8}
      - name: Country
        feature: country
        points: {US: 4, GB: 4, DE: 4}
        other: 0
        missing: -2

  # What they do. With a half_life an event's points fade: half of them after 14 days, a quarter after 28.
  engagement:
    cap: [-20, 50]
    criteria:
      - {name: Started a subscription or trial, event: subscription_started, points: 25, half_life: 14d, max: 40}
      - {name: Payment is under way, event: payment_pending, points: 10, within: 14d, max: 10}
      - {name: Payment failed, event: payment_failed, points: -6, half_life: 14d, first: 2}
      - {name: Came more than once, when: "subscriptions >= 2", points: 5}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 12, B: 6, C: 0, D: null}
  engagement: {1: 20, 2: 5, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
