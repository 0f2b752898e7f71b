"""What messages say."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from leadlight.notify import slack
from leadlight.notify.message import Message, Wording
from leadlight.store.outbox import Outgoing

AT = datetime(2026, 3, 4, 12)
WORDING = Wording("ticket", {"house": ("A", "B", "C"), "firms": ("A", "B")}, frozenset({"firms"}))


def change(**more: Any) -> Outgoing:
    said: dict[str, Any] = {
        "message": "msg_1", "destination": "crm", "rule": "hot", "scorecard": "house", "version": "abc", "who": "t-1",
        "grade_from": "B", "grade_to": "A", "score": 41.6, "probability": 0.312, "reasons": '["Open for 3 d: +20"]',
        "attributes": None, "at": AT, "received_at": None, "noted_at": AT, "due_at": AT, "state": "waiting", "tries": 0,
        "sent_as": None, "error": None, "done_at": None,
    }  # fmt: skip
    return Outgoing(**{**said, **more})


def said(*changes: Outgoing) -> Message:
    return Message("msg_1", changes, WORDING)


def test_one_change_in_words() -> None:
    assert said(change()).text == "ticket t-1 rose from B to A by house, 42 points, 31% likely\n• Open for 3 d: +20"
    down = change(grade_from="A", grade_to="C", probability=None, reasons=None, attributes='{"team": "x", "y": null}')
    assert said(down).text == "ticket t-1 fell from A to C by house, 42 points\n• team: x"
    assert said(change(grade_from=None, score=None)).title == "ticket t-1 begins as A by house, 31% likely"
    assert said(change(scorecard="firms", who="acme")).title.startswith("account acme rose")


def test_many_changes_in_words() -> None:
    many = said(change(), change(grade_from="A", grade_to="B"), change(grade_from=None, grade_to="C"))
    assert many.title == "3 tickets changed grade: 1 up, 2 down"
    assert len(many.text.splitlines()) == 4
    assert said(change(), change(scorecard="firms")).title == "2 tickets changed grade: 2 up, 0 down"


def test_as_data() -> None:
    data = said(change(attributes='{"team": "x"}')).as_dict()
    assert data["timestamp"] == data["data"]["at"] == "2026-03-04T12:00:00Z"
    assert data["data"]["attributes"] == {"team": "x"}
    assert (data["data"]["probability"], data["data"]["reasons"]) == (0.312, ["Open for 3 d: +20"])
    assert said(change(), change()).as_dict()["type"] == "grades.changed"


def test_a_chat_gets_text_that_calls_nobody() -> None:
    body = json.loads(slack.body(said(change(who="<!channel> & <http://x|y>"))))
    assert body == {
        "text": "*ticket &lt;!channel&gt; &amp; &lt;http://x|y&gt; rose from B to A by house, 42 points, 31% likely*\n"
        "• Open for 3 d: +20"
    }


def test_ids_break_no_lines() -> None:
    assert said(change(who="t\n\x1b[31m", grade_from=None, reasons=None)).text.startswith("ticket t  [31m begins as A")
