"""What an org holds at the beginning: objects, fields and their types."""

from __future__ import annotations

from connect.stand_in import Schema

PEOPLE = {
    "Email": "text",
    "FirstName": "text",
    "LastName": "text",
    "Title": "text",
    "Phone": "text",
    "LeadSource": "text",
    "HasOptedOutOfEmail": "bool",
    "Description": "text",
    "OwnerId": "text",
}
STAMPS = {"CreatedDate": "time", "LastModifiedDate": "time", "SystemModstamp": "time"}

SCHEMA: Schema = {
    "Lead": {
        **PEOPLE,
        **STAMPS,
        "Company": "text",
        "Website": "text",
        "Industry": "text",
        "NumberOfEmployees": "number",
        "AnnualRevenue": "number",
        "City": "text",
        "Country": "text",
        "Rating": "text",
        "Status": "text",
        "IsConverted": "bool",
        "ConvertedContactId": "text",
        "ConvertedAccountId": "text",
        "ConvertedOpportunityId": "text",
    },
    "Contact": {
        **PEOPLE,
        **STAMPS,
        "AccountId": "text",
        "Department": "text",
        "MailingCity": "text",
        "MailingCountry": "text",
        "Seats__c": "number",
    },
    "Account": {
        **STAMPS,
        "Name": "text",
        "Type": "text",
        "Industry": "text",
        "NumberOfEmployees": "number",
        "AnnualRevenue": "number",
        "BillingCountry": "text",
    },
    "Opportunity": {
        **STAMPS,
        "Name": "text",
        "AccountId": "text",
        "ContactId": "text",
        "StageName": "text",
        "Amount": "number",
        "CloseDate": "time",
        "IsClosed": "bool",
        "IsWon": "bool",
        "LastStageChangeDate": "time",
    },
    "OpportunityContactRole": {
        **STAMPS,
        "OpportunityId": "text",
        "ContactId": "text",
        "Role": "text",
        "IsPrimary": "bool",
    },
    "Task": {
        **STAMPS,
        "WhoId": "text",
        "WhatId": "text",
        "Subject": "text",
        "Description": "text",
        "TaskSubtype": "text",
        "Status": "text",
        "IsClosed": "bool",
        "ActivityDate": "time",
        "CompletedDateTime": "time",
    },
    "Event": {
        **STAMPS,
        "WhoId": "text",
        "WhatId": "text",
        "Subject": "text",
        "StartDateTime": "time",
        "ActivityDate": "time",
        "IsChild": "bool",
        "IsRecurrence": "bool",
    },
    "Campaign": {**STAMPS, "Name": "text", "Type": "text"},
    "CampaignMember": {
        **STAMPS,
        "CampaignId": "text",
        "LeadId": "text",
        "ContactId": "text",
        "LeadOrContactId": "text",
        "Status": "text",
        "HasResponded": "bool",
        "FirstRespondedDate": "time",
    },
}
PREFIXES = {
    "Lead": "00Q",
    "Contact": "003",
    "Account": "001",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "Task": "00T",
    "Event": "00U",
    "Campaign": "701",
    "CampaignMember": "00v",
}
OWN_TYPES = {
    "Email": "email",
    "Phone": "phone",
    "Website": "url",
    "Description": "textarea",
    "CloseDate": "date",
    "ActivityDate": "date",
    "FirstRespondedDate": "date",
    "NumberOfEmployees": "int",
    "AnnualRevenue": "currency",
    "Amount": "currency",
    "Industry": "picklist",
    "Status": "picklist",
    "StageName": "picklist",
    "TaskSubtype": "picklist",
}
"""Salesforce's own types, where the plain one does not do."""
TYPES = {"text": "string", "number": "double", "bool": "boolean", "time": "datetime"}
READ_ONLY = frozenset({*STAMPS, "IsConverted", "IsClosed", "IsWon", "LastStageChangeDate", "CompletedDateTime"})
TRACKED = {
    "Lead": {"Title", "Status", "OwnerId", "NumberOfEmployees"},
    "Contact": {"Title"},
    "Account": {"Name"},
    "Opportunity": {"StageName", "Amount"},
}
"""Fields whose history is switched on."""
LOGS = {
    "Lead": ("LeadHistory", "LeadId"),
    "Contact": ("ContactHistory", "ContactId"),
    "Account": ("AccountHistory", "AccountId"),
    "Opportunity": ("OpportunityFieldHistory", "OpportunityId"),
}


def own_type(field: str, kind: str) -> str:
    """Return Salesforce's type of a field."""
    if field.endswith("Id"):
        return "reference"
    return OWN_TYPES.get(field, TYPES[kind])
