"""Zoho CRM: leads, contacts, accounts, deals, calls, meetings, tasks and campaigns; scores as custom fields."""

from leadlight.connect.zoho.connector import CONNECTOR

__all__ = ["CONNECTOR"]
