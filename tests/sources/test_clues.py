"""Words of headers and values."""

from __future__ import annotations

import pytest

from leadlight.sources.clues import answer_of, ending_of, rank_of

HEADERS = {
    "id": ["Lead ID", "Prospect ID", "id", "Record ID", "Deal - ID", "mql_id", "Kundennummer", "Lead Number"],
    "created_at": ["Create Date", "created_at", "Created", "Erstellt am", "first_contact_date", "Lead created", "Date"],
    "closed_at": ["Close Date", "closed_at", "Won time", "Deal - Lost time", "Abschlussdatum", "won_date"],
    "outcome": ["Converted", "y", "Deal Stage", "status", "Is Won", "Gewonnen", "deny", "creditability"],
    "worth": ["Amount", "deal_value", "Auftragswert", "revenue", "Deal - Value"],
    "email": ["Email", "E-Mail", "email_address", "Person - Email"],
    "account": ["Company", "Account Name", "Firma", "Deal - Organization"],
}


@pytest.mark.parametrize(("role", "header"), [(role, header) for role, many in HEADERS.items() for header in many])
def test_headers_of_a_role(role: str, header: str) -> None:
    assert rank_of(role, header) is not None


@pytest.mark.parametrize(
    ("role", "header"),
    [("id", "City"), ("created_at", "Close Date"), ("outcome", "poutcome"), ("outcome", "status_of_existing_account"),
     ("worth", "credit_amount"), ("outcome", "Last Activity"), ("id", "Paid"), ("email", "Do Not Email Me")],
)  # fmt: skip
def test_headers_of_another(role: str, header: str) -> None:
    assert rank_of(role, header) is None


@pytest.mark.parametrize(
    "value",
    [
        "Closed Won",
        "closedwon",
        "Won",
        "won",
        "Closed - Converted",
        "Customer",
        "contract signed",
        "Gewonnen",
        "5. Won",
    ],
)
def test_wins(value: str) -> None:
    assert ending_of(value) == "won"


@pytest.mark.parametrize(
    "value",
    ["Closed Lost", "closedlost", "Lost", "Closed - Not Converted", "Disqualified", "rejected", "Verloren"],
)
def test_losses(value: str) -> None:
    assert ending_of(value) == "lost"


@pytest.mark.parametrize("value", ["Open", "Proposal", "Converted to Lead", "1", "yes", "", "Customer success team"])
def test_neither(value: str) -> None:
    assert ending_of(value) is None


def test_answers() -> None:
    assert [answer_of(word) for word in ("1", "Yes", " ja ", "good", "0", "NO", "nein", "bad", "maybe", "2")] == [
        True, True, True, True, False, False, False, False, None, None,
    ]  # fmt: skip
