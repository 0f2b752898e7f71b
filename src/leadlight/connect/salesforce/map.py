"""What Salesforce's objects are to Leadlight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadlight.connect.house import FIT, GRADES, SILENCE

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "leads": {
        "object": "Lead",
        "kind": "leads",
        "created_at": "CreatedDate",
        "columns": {
            "email": "Email",
            "first_name": "FirstName",
            "last_name": "LastName",
            "title": "Title",
            "company": "Company",
            "phone": "Phone",
            "website": "Website",
            "industry": "Industry",
            "employees": "NumberOfEmployees",
            "revenue": "AnnualRevenue",
            "city": "City",
            "country": "Country",
            "source": "LeadSource",
            "rating": "Rating",
            "no_email": "HasOptedOutOfEmail",
        },
    },
    "contacts": {
        "object": "Contact",
        "kind": "leads",
        "created_at": "CreatedDate",
        "account": "AccountId",
        "columns": {
            "email": "Email",
            "first_name": "FirstName",
            "last_name": "LastName",
            "title": "Title",
            "department": "Department",
            "phone": "Phone",
            "city": "MailingCity",
            "country": "MailingCountry",
            "source": "LeadSource",
            "no_email": "HasOptedOutOfEmail",
        },
    },
    "accounts": {
        "object": "Account",
        "kind": "accounts",
        "columns": {
            "account_name": "Name",
            "account_type": "Type",
            "account_industry": "Industry",
            "account_employees": "NumberOfEmployees",
            "account_revenue": "AnnualRevenue",
            "account_country": "BillingCountry",
        },
    },
    "tasks": {
        "object": "Task",
        "kind": "events",
        "lead": "WhoId",
        "at": "done_at",
        "type": "TaskSubtype",
        "where": "is_closed and who_id is not null and done_at is not null and task_subtype is not null",
        "columns": {"subject": "Subject", "is_closed": "IsClosed"},
    },
    "meetings": {
        "object": "Event",
        "kind": "events",
        "lead": "WhoId",
        "at": "held_at",
        "event": "meeting",
        "where": "who_id is not null and held_at is not null",
        "columns": {"subject": "Subject"},
    },
    "responses": {
        "object": "CampaignMember",
        "kind": "events",
        "lead": "LeadOrContactId",
        "at": "responded_at",
        "event": "campaign_response",
        "where": "responded_at is not null",
        "columns": {"campaign": "campaign_name", "campaign_type": "campaign_type", "status": "Status"},
    },
    "deals": {
        "object": "Opportunity",
        "kind": "outcomes",
        "lead": "deal_person",
        "at": "deal_closed_at",
        "outcome": "deal_outcome",
        "value": "Amount",
        "where": "deal_outcome is not null and deal_person is not null",
        "columns": {},
    },
}

STARTER = (
    """\
# Opportunities end as won or lost; a lead counts by the opportunity of the contact it was converted into.
outcome: {win: "deal_outcome = 'won'", lose: "deal_outcome = 'lost'", horizon: 180d}

"""
    + SILENCE
    + """\
# Not scored: who was deleted in Salesforce, and whose opportunity has ended.
exclude: "deleted or outcome is not null"
"""
)

SCORECARD = (
    """\
# Points for what Salesforce knows of a lead or contact. Change them to what you have seen; `leadlight learn` finds
# them from your own won and lost opportunities.
title: Salesforce

"""
    + FIT
    + """\
  # What happens between them and us.
  engagement:
    cap: [-20, 60]
    criteria:
      - {name: Answered a campaign, event: campaign_response, points: 12, half_life: 60d, max: 24}
      - {name: Met us, event: meeting, points: 15, half_life: 45d, max: 30}
      - {name: Spoke with us, event: Call, points: 5, half_life: 30d, max: 15}
      - {name: Mails with us, event: Email, points: 2, half_life: 30d, max: 8}
      - {name: Has gone silent, when: "silent_days > 120", points: -10}

"""
    + GRADES
)
