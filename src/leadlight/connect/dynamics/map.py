"""What Dynamics' tables are to Leadlight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadlight.connect.house import FIT, GRADES, SILENCE


def _activity(table: str, kind: Mapping[str, str], at: str) -> Mapping[str, Any]:
    person, when = "person is not null", f"{at} is not null"
    also = [f"{kind['type']} is not null"] if "type" in kind else []
    return {
        "object": table,
        "kind": "events",
        "lead": "person",
        "at": at,
        **kind,
        "where": " and ".join([person, when, *also]),
        "columns": {"subject": "subject"},
    }


MAPPING: Mapping[str, Mapping[str, Any]] = {
    "leads": {
        "object": "lead",
        "kind": "leads",
        "created_at": "createdon",
        "account": "parentaccountid",
        "columns": {
            "email": "emailaddress1",
            "first_name": "firstname",
            "last_name": "lastname",
            "title": "jobtitle",
            "company": "companyname",
            "phone": "telephone1",
            "website": "websiteurl",
            "industry": "industrycode",
            "employees": "numberofemployees",
            "revenue": "revenue",
            "city": "address1_city",
            "country": "address1_country",
            "source": "leadsourcecode",
            "rating": "leadqualitycode",
            "no_email": "donotbulkemail",
        },
    },
    "contacts": {
        "object": "contact",
        "kind": "leads",
        "created_at": "createdon",
        "account": "account",
        "columns": {
            "email": "emailaddress1",
            "first_name": "firstname",
            "last_name": "lastname",
            "title": "jobtitle",
            "department": "department",
            "phone": "telephone1",
            "city": "address1_city",
            "country": "address1_country",
            "no_email": "donotbulkemail",
        },
    },
    "accounts": {
        "object": "account",
        "kind": "accounts",
        "columns": {
            "account_name": "name",
            "account_industry": "industrycode",
            "account_employees": "numberofemployees",
            "account_revenue": "revenue",
            "account_country": "address1_country",
        },
    },
    "emails": _activity("email", {"type": "way"}, "done_at"),
    "calls": _activity("phonecall", {"event": "call"}, "done_at"),
    "meetings": _activity("appointment", {"event": "meeting"}, "held_at"),
    "responses": _activity("campaignresponse", {"event": "campaign_response"}, "responded_at"),
    "deals": {
        "object": "opportunity",
        "kind": "outcomes",
        "lead": "deal_person",
        "at": "deal_closed_at",
        "outcome": "deal_outcome",
        "value": "deal_value",
        "where": "deal_outcome is not null and deal_person is not null and deal_closed_at is not null",
        "columns": {},
    },
}

STARTER = (
    """\
# Opportunities end as won or lost; a lead counts by the opportunity of the contact it was qualified into.
outcome: {win: "deal_outcome = 'won'", lose: "deal_outcome = 'lost'", horizon: 180d}

"""
    + SILENCE
    + """\
# Not scored: who was deleted or deactivated in Dynamics, and whose opportunity has ended.
exclude: "deleted or outcome is not null"
"""
)

SCORECARD = (
    """\
# Points for what Dynamics knows of a lead or contact. Change them to what you have seen; `leadlight learn` finds them
# from your own won and lost opportunities.
title: Dynamics 365

"""
    + FIT
    + """\
  # What happens between them and us.
  engagement:
    cap: [-20, 60]
    criteria:
      - {name: Answered a campaign, event: campaign_response, points: 12, half_life: 60d, max: 24}
      - {name: Wrote to us, event: email_received, points: 10, half_life: 30d, max: 20}
      - {name: Met us, event: meeting, points: 15, half_life: 45d, max: 30}
      - {name: Spoke with us, event: call, points: 5, half_life: 30d, max: 15}
      - {name: Has gone silent, when: "silent_days > 120", points: -10}

"""
    + GRADES
)
