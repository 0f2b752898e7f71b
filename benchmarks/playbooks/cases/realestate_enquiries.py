"""Real estate: which enquiries end in an offer; a made-up agency, whose true chances are known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from case import Case
from enquiries import write_enquiries

NOW = datetime(2026, 6, 30)


def prepare(_: Path, folder: Path) -> None:
    """Make the agency's files; they have the playbook's names."""
    write_enquiries(folder / "data", count=4000, seed=3, until=NOW)


CASE = Case(
    name="real-estate: offers",
    playbook="real-estate",
    data="",
    scorecard="house",
    prepare=prepare,
    now=NOW,
    capacity=0.1,
    outcome="offer",
    rows="an enquiry that is still open when it comes in, or 1, 3, 7 or 21 days later",
    notes="Simulated: the card and the world come from the same hand, so the card's figure says little about other "
    "agencies; how far the learned card is from the black box does.",
)
