"""What Zoho CRM's modules are to Leadlight: leads and contacts are leads, a converted lead lives on as its contact.

A deal's stage, probability and expected revenue are never attributes: they are known only because it goes well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAPPING: Mapping[str, Mapping[str, Any]] = {
    "leads": {
        "object": "Leads",
        "kind": "leads",
        "created_at": "Created_Time",
        "columns": {
            "email": "Email",
            "name": "Full_Name",
            "title": "Designation",
            "phone": "Phone",
            "source": "Lead_Source",
            "company": "Company",
            "industry": "Industry",
            "employees": "No_of_Employees",
            "revenue": "Annual_Revenue",
            "country": "Country",
            "opted_out": "Email_Opt_Out",
        },
    },
    "contacts": {
        "object": "Contacts",
        "kind": "leads",
        "created_at": "Created_Time",
        "account": "Account_Name",
        "columns": {
            "email": "Email",
            "name": "Full_Name",
            "title": "Title",
            "phone": "Phone",
            "source": "Lead_Source",
            "country": "Mailing_Country",
            "opted_out": "Email_Opt_Out",
        },
    },
    "accounts": {
        "object": "Accounts",
        "kind": "accounts",
        "columns": {
            "account_name": "Account_Name",
            "account_website": "Website",
            "account_industry": "Industry",
            "account_employees": "Employees",
            "account_revenue": "Annual_Revenue",
            "account_country": "Billing_Country",
        },
    },
    "calls": {
        "object": "Calls",
        "lead": "person",
        "at": "Call_Start_Time",
        "event": "call",
        "where": "person is not null and call_start_time is not null",
        "columns": {"direction": "Call_Type", "seconds": "Call_Duration_in_seconds"},
    },
    "meetings": {
        "object": "Events",
        "lead": "person",
        "at": "Start_DateTime",
        "event": "meeting",
        "where": "person is not null and start_date_time is not null",
        "columns": {"subject": "Event_Title"},
    },
    "deals": {
        "object": "Deals",
        "lead": "Contact_Name",
        "at": "Closing_Date",
        "outcome": "Stage",
        "value": "Amount",
        "where": (
            "stage in ('Closed Won', 'Closed Lost', 'Closed Lost to Competition') "
            "and contact_name is not null and closing_date is not null"
        ),
        "columns": {"deal": "Deal_Name"},
    },
}

STARTER = """\
# Zoho's own names of the last stages. If your pipeline calls them otherwise, write that here and under `where:` of the
# source `deals`. A deal counts at its Closing Date, so see that it is right when a deal is closed.
outcome:
  win: "outcome = 'Closed Won'"
  lose: "outcome in ('Closed Lost', 'Closed Lost to Competition')"
  horizon: 90d

features:
  decides:         {expr: "title ilike '%head%' or title ilike '%director%' or title ilike '%chief%'"}
  free_mail:       {expr: "email ilike '%@gmail.com' or email ilike '%@outlook.com' or email ilike '%@yahoo.com'"}
  days_since_call: {recency: call}

# Never scored: who was deleted in Zoho, and whose deal has ended. A lead that was converted goes on as its contact.
exclude: "deleted or outcome is not null"
"""

SCORECARD = """\
# A score is a sum of points, and every point has a reason. Change these to what you know of your own buyers; any field
# of Zoho's, custom ones too, can be used once it stands under `columns:` of a source, by its API name.
title: House rules

groups:
  # Who they are.
  fit:
    cap: [-30, 50]
    criteria:
      - {name: Decides, when: decides, points: 20}
      - name: Company size
        feature: employees
        bands: [[null, 10, -5], [10, 200, 8], [200, 2000, 15], [2000, null, 10]]
      - {name: Was recommended, when: "source in ('Employee Referral', 'External Referral', 'Partner')", points: 12}
      - {name: Writes from free mail, when: free_mail, points: -10}

  # What they do, and what came of it.
  engagement:
    cap: [-20, 60]
    criteria:
      - {name: Met us, event: meeting, points: 18, half_life: 30d, max: 36}
      - {name: Spoke with us, event: call, points: 8, half_life: 21d, max: 24}
      - {name: Wants no mail, when: opted_out, points: -10}
      - {name: Has gone silent, when: "days_since_call > 90", points: -5}

# A letter for who they are, a digit for what they do: A1 is the best, D3 the last. Numbers are lower bounds.
grades:
  fit:        {A: 25, B: 12, C: 0, D: null}
  engagement: {1: 25, 2: 8, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""
