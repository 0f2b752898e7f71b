"""Tryton 8: https://docs.tryton.org/; its REST API, with an application key.

Opportunities (leads among them) with all that they ever were, parties, e-mails of marketing automation; scores go into
fields of opportunities.
"""

from __future__ import annotations

from leadlight.connect.tryton.connector import CONNECTOR

__all__ = ["CONNECTOR"]
