"""Salesforce Sales Cloud: leads, contacts, accounts, opportunities, activities, campaign responses."""

from leadlight.connect.salesforce.connector import Salesforce

CONNECTOR = Salesforce()
