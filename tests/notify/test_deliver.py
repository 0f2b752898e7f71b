"""What arrives, how often and in which order, whatever the receiver does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.notify.conftest import Make
from tests.notify.office import crm
from tests.notify.receivers import SECRET, Receiver


def test_a_change_arrives_signed_with_its_reasons(any_firm: Make, hook: Receiver) -> None:
    firm = any_firm(crm(hook.address))
    firm.begin(ann=5, bob=50)
    firm.now = firm.workspace.now() + timedelta(0)
    firm.moves(ann=500)
    assert firm.send().sent == 1
    (heard,) = hook.heard
    said = heard.said
    assert said["type"] == "grade.changed"
    change = said["data"]
    row = firm.rows()[0]
    assert heard.id == row.message == change["change"]
    assert {key: change[key] for key in ("entity", "id", "scorecard", "rule", "direction", "from", "to", "score")} == {
        "entity": "customer", "id": "ann", "scorecard": "house", "rule": "all", "direction": "up", "from": "C",
        "to": "A", "score": 40.0,
    }  # fmt: skip
    assert change["reasons"] == ["Size, employees 500: +40"] or "40" in change["reasons"][0], change["reasons"]
    assert "attributes" not in change
    assert (row.state, row.tries, row.reasons) == ("sent", 1, None)
    assert firm.send().sent == 0
