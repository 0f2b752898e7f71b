"""Support on the incident log of an IT company: which tickets will be reopened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from case import load

INCIDENTS = load(Path(__file__).with_name("support_incidents.py"))

CASE = replace(
    INCIDENTS,
    name="support: reopened incidents",
    scorecard="will_return",
    outcome="reopened",
    capacity=0.1,
    notes="Rare: 1.1 % of the tickets. A ticket that came back once is not looked at again. The card's first version "
    "ranked the wrong way round; that was seen on all data, May included, and put right on what was known by 25 April: "
    "the rows judged by were not wholly unseen.",
)
