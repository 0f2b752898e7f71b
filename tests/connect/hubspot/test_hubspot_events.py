"""Events of e-mails and forms: each once, with the contact whose address they name."""

from __future__ import annotations

from typing import Any

from connect.hubspot.stand_in import StandIn, _millis
from connect.stand_in import START

HOUR = 3600


def opened_mail(hubspot: StandIn, recipient: str, number: int, **more: Any) -> dict[str, Any]:
    event = {"id": f"e-{number}", "created": _millis(hubspot.clock.now()), "type": "OPEN", "recipient": recipient}
    return {**event, "emailCampaignId": 7, "appName": "Batch", **more}


def sent(hubspot: StandIn, email: str | None, **more: Any) -> dict[str, Any]:
    values = [{"name": "email", "value": email}] if email else []
    at = _millis(hubspot.clock.now())
    return {"submittedAt": at, "values": values, "pageUrl": "https://x.example/demo", **more}


def test_email_events_name_their_contact(hubspot: StandIn) -> None:
    ann = hubspot.add("contacts", email="Ann@x.example", hs_additional_emails="ann@old.example;a@x.example")
    hubspot.emails = [
        opened_mail(hubspot, "ann@x.example", 1),
        opened_mail(hubspot, "A@x.example", 2, type="CLICK", url="https://x.example/prices", filteredEvent=True),
        opened_mail(hubspot, "gone@x.example", 3),
        {"id": 7, "created": 17, "type": "OPEN"},
        opened_mail(hubspot, "ann@x.example", 4, type="DELIVERED"),
    ]
    with hubspot.open() as opened:
        found = {row.values["recipient"]: row.values for row in opened.read("email_events")}
    assert {name: values["contact"] for name, values in found.items()} == {
        "ann@x.example": ann,
        "A@x.example": ann,
        "gone@x.example": None,
    }
    first, second = found["ann@x.example"], found["A@x.example"]
    assert (first["event"], first["created"], first["filtered"]) == ("email_open", START, False)
    assert (second["event"], second["url"], second["filtered"]) == ("email_click", "https://x.example/prices", True)
    assert first["campaign"] == "7"


def test_email_events_go_on_where_they_ended(hubspot: StandIn) -> None:
    hubspot.page_most = 3
    for number in range(8):
        hubspot.emails.append(opened_mail(hubspot, "a@x.example", number))
        hubspot.clock.advance(2 * HOUR)
    with hubspot.open() as opened:
        reading = opened.pages("email_events", ["event"])
        first = list(next(reading).rows)
        cursor = opened.cursor  # and killed
        reading.close()
    with hubspot.open() as opened:
        rest = opened.read("email_events", ["event"], cursor=cursor)
        cursor = opened.cursor
    assert len({row.id for row in [*first, *rest]}) == 8
    hubspot.clock.advance(2 * HOUR)
    hubspot.emails.append(opened_mail(hubspot, "a@x.example", 8))
    with hubspot.open() as opened:
        assert [row.id.partition("-")[2] for row in opened.read("email_events", ["event"], cursor=cursor)] == ["e-8"]


def test_other_types_of_events_can_be_asked_for(hubspot: StandIn) -> None:
    kinds = ("DELIVERED", "OPEN", "SENT")
    hubspot.emails = [opened_mail(hubspot, "a@x.example", number, type=kind) for number, kind in enumerate(kinds)]
    with hubspot.open(email_events=["SENT", "delivered"]) as opened:
        assert [row.values["type"] for row in opened.read("email_events", ["type"])] == ["DELIVERED", "SENT"]


def test_a_place_that_hubspot_no_longer_knows_is_begun_again(hubspot: StandIn) -> None:
    hubspot.emails = [opened_mail(hubspot, "a@x.example", number) for number in range(2)]
    until = _millis(hubspot.clock.now())
    with hubspot.open() as opened:
        cursor = {"since": None, "until": until, "type": "OPEN", "offset": "lost"}
        assert len(opened.read("email_events", ["event"], cursor=cursor)) == 2


def test_an_event_that_comes_late_is_not_missed(hubspot: StandIn) -> None:
    with hubspot.open() as opened:
        opened.read("email_events", ["event"])
        cursor = opened.cursor
    late = opened_mail(hubspot, "a@x.example", 1, created=_millis(hubspot.clock.now()) - 30 * 60 * 1000)
    hubspot.clock.advance(HOUR)
    hubspot.emails.append(late)
    with hubspot.open() as opened:
        assert len(opened.read("email_events", ["event"], cursor=cursor)) == 1


def test_form_submissions_are_read_form_by_form(hubspot: StandIn) -> None:
    hubspot.page_most = 2
    bob = hubspot.add("contacts", email="bob@x.example")
    hubspot.forms = {"aa-1": "Demo", "bb-2": "Newsletter"}
    for number in range(5):
        hubspot.submissions.setdefault("aa-1", []).append(sent(hubspot, "bob@x.example", conversionId=f"c-{number}"))
        hubspot.clock.advance(60)
    hubspot.submissions["bb-2"] = [sent(hubspot, None)]
    hubspot.clock.advance(2 * HOUR)
    found, cursor = {}, None
    for _ in range(20):  # killed after every page
        with hubspot.open() as opened:
            page = next(opened.pages("form_submissions", cursor=cursor))
            cursor = opened.cursor
        found |= {row.id: row.values for row in page.rows}
        if set(cursor or {}) == {"since"}:
            break
    assert len(found) == 6
    assert {values["contact"] for values in found.values()} == {bob, None}
    assert {values["form_name"] for values in found.values()} == {"Demo", "Newsletter"}
    hubspot.clock.advance(3 * HOUR)
    hubspot.submissions["aa-1"].append(sent(hubspot, "bob@x.example", conversionId="c-9"))
    with hubspot.open() as opened:
        assert [row.id for row in opened.read("form_submissions", cursor=cursor)] == ["c-9"]


def test_a_form_that_was_deleted_meanwhile_has_no_submissions(hubspot: StandIn) -> None:
    hubspot.forms = {"aa-1": "Demo", "../../evil": "Not a number"}
    with hubspot.open() as opened:
        reading = opened.pages("form_submissions")
        hubspot.submissions["aa-1"] = [sent(hubspot, "x@x.example")]
        assert len(next(reading).rows) == 1
        hubspot.forms.clear()
        assert [row for page in reading for row in page.rows] == []
    assert not [call for call in hubspot.calls if "evil" in call.url]
