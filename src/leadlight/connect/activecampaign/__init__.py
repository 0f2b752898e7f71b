"""ActiveCampaign: contacts, accounts, deals, and what contacts did; scores as custom fields of contacts."""

from leadlight.connect.activecampaign.connector import CONNECTOR

__all__ = ["CONNECTOR"]
