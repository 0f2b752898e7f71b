"""Odoo 16 and newer: its external API, JSON-RPC or JSON-2, with a user's API key.

Leads and opportunities with what they were, their partners, messages, activities and mailings; scores go into fields
that are made as one makes them by hand.
"""

from __future__ import annotations

from leadlight.connect.odoo.connector import CONNECTOR

__all__ = ["CONNECTOR"]
