"""Pipedrive: people and organizations, deals, the lead inbox, activities and notes; scores as custom fields."""

from leadlight.connect.pipedrive.connector import CONNECTOR

__all__ = ["CONNECTOR"]
