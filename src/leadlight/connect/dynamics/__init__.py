"""Dynamics 365 Sales: leads, contacts, accounts, opportunities, activities, campaign responses."""

from leadlight.connect.dynamics.connector import Dynamics

CONNECTOR = Dynamics()
