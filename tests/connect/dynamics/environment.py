"""What an environment holds at the beginning: tables, columns and their types."""

from __future__ import annotations

from connect.stand_in import Schema

STAMPS = {"createdon": "time", "modifiedon": "time", "statecode": "text", "ownerid": "text"}
PERSON = {
    "emailaddress1": "text",
    "firstname": "text",
    "lastname": "text",
    "jobtitle": "text",
    "telephone1": "text",
    "address1_city": "text",
    "address1_country": "text",
    "donotbulkemail": "bool",
    "description": "text",
    "merged": "bool",
    "masterid": "text",
}
ACTIVITY = {
    **STAMPS,
    "subject": "text",
    "regardingobjectid": "text",
    "actualend": "time",
    "scheduledstart": "time",
    "scheduledend": "time",
    "description": "text",
}

SCHEMA: Schema = {
    "lead": {
        **PERSON,
        **STAMPS,
        "companyname": "text",
        "websiteurl": "text",
        "industrycode": "text",
        "numberofemployees": "number",
        "revenue": "number",
        "leadsourcecode": "text",
        "leadqualitycode": "text",
        "parentaccountid": "text",
        "parentcontactid": "text",
        "interests": "text",
    },
    "contact": {
        **PERSON,
        **STAMPS,
        "department": "text",
        "parentcustomerid": "text",
        "originatingleadid": "text",
        "numberofchildren": "number",
    },
    "account": {
        **STAMPS,
        "name": "text",
        "industrycode": "text",
        "numberofemployees": "number",
        "revenue": "number",
        "address1_country": "text",
        "merged": "bool",
        "masterid": "text",
    },
    "opportunity": {
        **STAMPS,
        "name": "text",
        "customerid": "text",
        "parentcontactid": "text",
        "originatingleadid": "text",
        "estimatedvalue": "number",
        "actualvalue": "number",
        "actualclosedate": "time",
    },
    "email": {**ACTIVITY, "directioncode": "bool"},
    "phonecall": {**ACTIVITY, "directioncode": "bool"},
    "appointment": ACTIVITY,
    "task": ACTIVITY,
    "campaignresponse": {**ACTIVITY, "receivedon": "time"},
    "annotation": {
        "subject": "text",
        "notetext": "text",
        "objectid": "text",
        "createdon": "time",
        "modifiedon": "time",
    },
}
SETS = {
    "lead": "leads",
    "contact": "contacts",
    "account": "accounts",
    "opportunity": "opportunities",
    "email": "emails",
    "phonecall": "phonecalls",
    "appointment": "appointments",
    "task": "tasks",
    "campaignresponse": "campaignresponses",
    "annotation": "annotations",
}
ACTIVITIES = frozenset({"email", "phonecall", "appointment", "task", "campaignresponse"})
TRACKED = frozenset({"lead", "contact", "account"})
"""Tables with change tracking."""
AUDITED = frozenset(
    {"jobtitle", "industrycode", "numberofemployees", "name", "parentcontactid", "donotbulkemail", "interests"}
)
OWN_TYPES = {
    "statecode": "State",
    "industrycode": "Picklist",
    "leadsourcecode": "Picklist",
    "leadqualitycode": "Picklist",
    "interests": "MultiSelect",
    "description": "Memo",
    "notetext": "Memo",
    "numberofemployees": "Integer",
    "numberofchildren": "Integer",
    "revenue": "Money",
    "estimatedvalue": "Money",
    "actualvalue": "Money",
    "ownerid": "Owner",
    "masterid": "Lookup",
    "parentaccountid": "Lookup",
    "parentcontactid": "Lookup",
    "originatingleadid": "Lookup",
    "regardingobjectid": "Lookup",
    "objectid": "Lookup",
    "parentcustomerid": "Customer",
    "customerid": "Customer",
}
TYPES = {"text": "String", "number": "Decimal", "bool": "Boolean", "time": "DateTime"}
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
DAYS = frozenset({"actualclosedate"})
"""Dates without a time."""
ACTIVE, DONE = "Open", "Completed"
STATES = {
    "lead": ["Open", "Qualified", "Disqualified"],
    "contact": ["Active", "Inactive"],
    "account": ["Active", "Inactive"],
    "opportunity": ["Open", "Won", "Lost"],
    "appointment": ["Open", "Completed", "Canceled", "Scheduled"],
}
STATES |= {name: ["Open", "Completed", "Canceled"] for name in ACTIVITIES - {"appointment"}}
CHOICES = {
    "industrycode": ["Accounting", "Software", "Trade"],
    "leadsourcecode": ["Advertisement", "Web", "Employee Referral"],
    "leadqualitycode": ["Hot", "Warm", "Cold"],
    "interests": ["Cloud", "Security", "Data"],
}


def key_of(table: str) -> str:
    """Return the primary key of a table."""
    return "activityid" if table in ACTIVITIES else f"{table}id"


def own_type(column: str, kind: str) -> str:
    """Return Dataverse's type of a column."""
    return OWN_TYPES.get(column, TYPES[kind])
