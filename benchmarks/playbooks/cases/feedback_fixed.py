"""Feedback on the bug reports of Apache Hadoop: which are fixed within 90 days, by their text alone."""

from __future__ import annotations

from dataclasses import replace

from case import CASES, load

CASE = replace(
    load(CASES / "feedback_hadoop.py"),
    name="feedback: fixed in 90 days",
    scorecard="will_be_fixed",
    outcome="fixed",
    notes="Texts only: there are no votes and comments in the data, so demand counts nothing. Texts may have been "
    "edited "
    "later.",
)
