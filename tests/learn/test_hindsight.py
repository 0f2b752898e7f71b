"""Names and values written when the end was known."""

from __future__ import annotations

import pytest

from leadlight.learn.hindsight import tells_ending, written_later


@pytest.mark.parametrize(
    "name",
    ["Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity", "Asymmetrique Activity Index",
     "Asymmetrique Profile Score", "lead_quality", "last_activity_result", "Close Date", "closed_reason", "Lost reason",
     "status", "Deal Stage", "conversion", "Contract signed", "Letzte Aktivität", "Abschlussdatum", "Lead Score",
     "Verlustgrund", "Last contacted"],
)  # fmt: skip
def test_written_later(name: str) -> None:
    assert written_later(name) is not None


@pytest.mark.parametrize(
    "name",
    ["Lead Source", "Lead Origin", "Total Time Spent on Website", "Marital status", "Last name", "poutcome", "duration",
     "status_of_existing_checking_account", "credit_score", "days_since_page_view", "email_open_30d", "history_segment",
     "What is your current occupation", "cons.price.idx", "order_count_30d", "Do Not Email", "employees", "chist"],
)  # fmt: skip
def test_written_before(name: str) -> None:
    assert written_later(name) is None


@pytest.mark.parametrize(
    "value", ["Closed Won", "won", "Lost", "lost to rival", "contract signed", "Converted", "Kunde"]
)
def test_endings(value: str) -> None:
    assert tells_ending(value)


@pytest.mark.parametrize("value", ["web", "Ringing", "Converted to Lead", "wonderful", "Customer success"])
def test_no_endings(value: str) -> None:
    assert not tells_ending(value)
