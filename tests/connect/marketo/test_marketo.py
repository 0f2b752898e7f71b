"""What is Marketo's own: errors in a 200, exports in pieces, changes and merges, activities, opportunities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connect.marketo.stand_in import StandIn
from leadlight.connect.http import Answer
from leadlight.connect.marketo import CONNECTOR, api, bulk
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.errors import RemoteError, UsageError
from leadlight.expr.types import Type

DAY = 86_400
SCORE = PushField("leadlight_score", Type.NUMBER, "Leadlight score", "Points")


def answered(code: str, message: str = "") -> Answer:
    body = b'{"requestId": "1", "success": false, "errors": [{"code": "%s", "message": "%s"}]}'
    return Answer(200, {}, body % (code.encode(), message.encode()), "Marketo", "GET /rest/v1/leads.json")


@pytest.fixture(scope="module")
def served() -> Iterator[StandIn]:
    with StandIn().serving() as serving:
        yield serving


@pytest.fixture
def marketo(served: StandIn) -> StandIn:
    served.reset()
    return served


@pytest.mark.parametrize(
    ("code", "message", "seconds"),
    [
        ("606", "Max rate limit '100' exceeded with in '20' secs", 20.0),
        ("606", "slow down", 20.0),
        ("615", "Concurrent access limit reached", 2.0),
        ("608", "API Temporarily Unavailable", 30.0),
        ("607", "Daily quota reached", None),
        ("601", "Access token invalid", None),
        ("1003", "Invalid data", None),
    ],
)
def test_what_passes_by_is_waited_for(code: str, message: str, seconds: float | None) -> None:
    assert api.busy(answered(code, message)) == seconds


@pytest.mark.parametrize(
    ("code", "trouble", "says"),
    [
        ("601", "sign_in", "LaunchPoint"),
        ("602", "sign_in", "LaunchPoint"),
        ("603", "scope", "Users & Roles"),
        ("606", "trouble", "later"),
        ("607", "quota", "midnight"),
        ("610", "absent", "REST endpoint"),
        ("703", "disabled", "subscription"),
        ("1006", "invalid", "Field Management"),
        ("1018", "disabled", "Salesforce"),
        ("9999", "invalid", "error-codes"),
    ],
)
def test_an_error_in_a_200_is_told_in_words(code: str, trouble: str, says: str) -> None:
    error = api.refusal(answered(code, "words"))
    assert error is not None
    assert error.trouble == trouble
    assert says in str(error)
    assert f"error {code}: words" in str(error)


def test_a_day_that_is_used_up_ends_a_reading_at_once(marketo: StandIn) -> None:
    marketo.add("leads", title="Buyer")
    marketo.per_day = 3
    with marketo.open() as opened, pytest.raises(RemoteError) as caught:
        opened.read("leads", ["title"])
    assert caught.value.trouble == "quota"
    assert marketo.clock.slept.count(20) == 0


def test_others_use_of_the_day_counts(marketo: StandIn, tmp_path: Path) -> None:
    marketo.today = (marketo.clock.now().date(), 500)
    quota = marketo.quota(tmp_path, 1000)
    marketo.per_day = None
    with marketo.open(quota=quota) as opened:
        opened.session.describe(["activities"])
        assert quota.used >= 500


def test_where_it_is_and_what_must_be_said() -> None:
    settings = CONNECTOR.settings.model_validate({"munchkin_id": "123-ABC-456"})
    assert CONNECTOR.way(settings, {}).base == "https://123-ABC-456.mktorest.com"
    told = CONNECTOR.settings.model_validate({"url": "https://123-abc-456.mktorest.com/rest"})
    assert CONNECTOR.way(told, {}).base == "https://123-abc-456.mktorest.com"
    with pytest.raises(UsageError, match="munchkin_id"):
        CONNECTOR.way(CONNECTOR.settings(), {})


def test_people_are_exported_month_by_month_and_read_in_pieces(
    marketo: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PIECE", 64)
    begin = marketo.clock.now() - timedelta(days=100)
    titles = ["Buyer", 'Says "no"', "Two\nlines, and a comma", None, "Chef de “cuisine”", "x" * 300]
    ids = [
        marketo.add("leads", at=begin + timedelta(days=15 * number), title=title, numberOfEmployees=float(number))
        for number, title in enumerate(titles)
    ]
    with marketo.open(history_days=0) as opened:
        pages = list(opened.pages("leads", ["title", "numberOfEmployees"]))
    found = {row.id: row.values for page in pages for row in page.rows}
    assert [found[id_]["title"] for id_ in ids] == titles
    assert [found[id_]["numberOfEmployees"] for id_ in ids] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(marketo.jobs) == 4
    assert all(job["range"][1] - job["range"][0] <= timedelta(days=31) for job in marketo.jobs.values())
    assert marketo.clock.slept.count(1) >= 4  # it waits until an export has been made
    assert sum(call.url.endswith("/file.json") for call in marketo.calls) > 8


def test_an_export_goes_on_where_it_was_cut_short(marketo: StandIn) -> None:
    at = marketo.clock.now() - timedelta(days=109)
    ids = [marketo.add("leads", at=at, title=f"Title {number}") for number in range(700)]
    with marketo.open(history_days=0) as opened:
        reading = opened.pages("leads", ["title"])
        first = [row.id for row in next(reading).rows]
        cursor = opened.cursor
        reading.close()
    jobs = set(marketo.jobs)
    with marketo.open(history_days=0) as opened:
        rest = [row.id for row in opened.read("leads", ["title"], cursor=cursor)]
    assert len(first) == 300
    assert first + rest == ids
    assert jobs <= set(marketo.jobs)
    ranges = [job["range"] for job in marketo.jobs.values()]
    assert len(set(ranges)) == len(ranges)  # no month was exported twice


def test_an_export_that_failed_is_told(marketo: StandIn) -> None:
    marketo.exports_fail = True
    marketo.add("leads", title="Buyer")
    with marketo.open(history_days=0) as opened, pytest.raises(RemoteError, match="ended as Failed"):
        opened.read("leads", ["title"])


def test_who_changed_comes_once_with_what_they_were(marketo: StandIn) -> None:
    lead, other = marketo.add("leads", title="Buyer", company="Acme"), marketo.add("leads", title="Chef")
    begun = marketo.clock.now()
    for title in ("Head", "Chief"):
        marketo.clock.advance(DAY)
        marketo.edit("leads", lead, title=title)
    marketo.edit("leads", lead, company="Acme Inc")
    marketo.clock.advance(DAY)
    with marketo.open() as opened:
        rows = [row for row in opened.read("leads", ["title", "company"]) if row.id == lead]
        cursor = opened.cursor
    assert [(row.known_at, row.values["title"], row.values["company"]) for row in rows] == [
        (None, "Buyer", "Acme"),
        (begun + timedelta(days=1), "Head", "Acme"),
        (begun + timedelta(days=2), "Chief", "Acme Inc"),
        (None, "Chief", "Acme Inc"),
    ]
    marketo.clock.advance(DAY)
    marketo.edit("leads", lead, title="Retired")
    with marketo.open() as opened:
        later = opened.read("leads", ["title", "company"], cursor=cursor)
    assert {row.id for row in later} == {lead}
    assert later[0].known_at == marketo.held("leads", lead).created  # whoever has newer rows drops it
    assert [row.values["title"] for row in later] == ["Chief", "Retired", "Retired"]
    assert other not in {row.id for row in later}


def test_losers_of_a_merge_live_on_and_the_deleted_do_not(marketo: StandIn) -> None:
    ids = [marketo.add("leads", title=f"Title {number}") for number in range(4)]
    with marketo.open() as opened:
        opened.read("leads", ["title"])
        cursor = opened.cursor
    marketo.clock.advance(DAY)
    marketo.merge("leads", ids[0], ids[1])
    marketo.delete("leads", ids[2])
    with marketo.open() as opened:
        rows = opened.read("leads", ["title"], cursor=cursor)
    assert {(row.id, row.into) for row in rows if row.gone} == {(ids[0], ids[1]), (ids[2], None)}
    assert len([row for row in rows if row.gone]) == 2


def test_many_fields_are_asked_for_in_the_body(marketo: StandIn) -> None:
    names = [f"a_field_with_quite_a_long_name_{number}" for number in range(250)]
    for name in names:
        marketo.new_field("leads", name)
    lead = marketo.add("leads", title="Buyer")
    marketo.edit("leads", lead, **{names[-1]: "Last"})
    with marketo.open() as opened:
        (row,) = {row.id: row for row in opened.read("leads", ["title", *names])}.values()
    assert row.values[names[-1]] == "Last"
    asked = [call for call in marketo.calls if call.params.get("_method") == "GET"]
    assert {call.url for call in asked} == {"/rest/v1/activities/leadchanges.json", "/rest/v1/leads.json"}


def test_activities_have_their_kind_in_words(marketo: StandIn) -> None:
    at = marketo.clock.now() - timedelta(days=10)
    for number in range(301):
        marketo.add("activities", lead="7", type="visit_webpage", at=at + timedelta(minutes=number), url=f"/p{number}")
    marketo.add("activities", lead="7", type="fill_out_form", at=at, asset="Contact us")
    del marketo.types[10]
    with marketo.open() as opened:
        rows = opened.read("activities")
        cursor = opened.cursor
        assert opened.read("activities", cursor=cursor) == []
    assert len({row.id for row in rows}) == 302
    (form,) = [row.values for row in rows if row.values["type"] == "fill_out_form"]
    assert (form["lead"], form["asset"], form["at"]) == ("7", "Contact us", at)
    assert {row.values["url"] for row in rows} >= {"/p0", "/p300"}


def test_an_activity_that_is_logged_late_is_not_missed(marketo: StandIn) -> None:
    with marketo.open() as opened:
        opened.read("activities")
        cursor = opened.cursor
    late = marketo.add("activities", lead="7", type="open_email", at=marketo.clock.now() - timedelta(minutes=10))
    marketo.clock.advance(60)
    with marketo.open() as opened:
        assert [row.id for row in opened.read("activities", cursor=cursor)] == [late]


def test_opportunities_are_told_by_who_plays_a_part(marketo: StandIn) -> None:
    lead = marketo.add("leads", title="Buyer")
    won = marketo.add("opportunities", lead=lead, stage="Won", result="won", is_closed=True, amount=10.0)
    open_ = marketo.add("opportunities", lead=lead, stage="Demo", result="open", is_closed=False, amount=5.0)
    with marketo.open() as opened:
        rows = {row.id: row.values for row in opened.read("opportunities")}
        cursor = opened.cursor
    assert {id_: (one["lead"], one["result"], one["amount"]) for id_, one in rows.items()} == {
        won: (lead, "won", 10.0),
        open_: (lead, "open", 5.0),
    }
    marketo.clock.advance(DAY)
    lost = marketo.add("opportunities", lead=lead, stage="Lost", result="lost", is_closed=True)
    with marketo.open() as opened:
        assert {row.id for row in opened.read("opportunities", cursor=cursor)} == {won, open_, lost}
        cursor = opened.cursor
    marketo.clock.advance(DAY)
    with marketo.open() as opened:
        assert {row.id for row in opened.read("opportunities", cursor=cursor)} == {won, open_, lost}  # the overlap
        assert opened.read("opportunities", cursor=opened.cursor) == []


def test_where_a_crm_is_synchronised_its_deals_are_to_be_read_there(marketo: StandIn) -> None:
    marketo.add("leads", title="Buyer")
    marketo.synced = True
    with marketo.open() as opened, pytest.raises(RemoteError, match="connect that system for its deals") as caught:
        opened.read("opportunities")
    assert caught.value.trouble == "disabled"


def test_fields_are_made_in_one_request_or_told(marketo: StandIn) -> None:
    asked = [SCORE, PushField("leadlight_reasons", Type.TEXT, "Leadlight: reasons", "Why", 250)]
    with marketo.open() as opened:
        assert [one.was for one in opened.session.ready("leads", asked, dry=True)] == ["made", "made"]
        marketo.schema_locked = True
        (one, _) = opened.session.ready("leads", asked)
        assert one.was == "missing"
        assert one.todo is not None
        assert "Field Management" in one.todo
        marketo.schema_locked = False
        assert [one.was for one in opened.session.ready("leads", asked)] == ["made", "made"]
        assert [one.was for one in opened.session.ready("leads", asked)] == ["there", "there"]
    assert sum(call.method == "POST" and call.url.endswith("schema/fields.json") for call in marketo.calls) == 2


def test_a_time_and_a_number_are_seen_as_they_were_written(marketo: StandIn) -> None:
    lead, at = marketo.add("leads", title="Buyer"), datetime(2026, 3, 1, 12, 30, 5)
    asked = [SCORE, PushField("leadlight_scored_at", Type.TIME, "Scored at", "When")]
    values: dict[str, Any] = {"leadlight_score": 17.25, "leadlight_scored_at": at}
    with marketo.open() as opened:
        opened.session.ready("leads", asked)
        assert opened.session.write("leads", [Write(lead, values)])[0].error is None
        assert opened.session.look("leads", [lead, "999"], list(values)) == {lead: values}
        answers = opened.session.write(
            "leads", [Write("abc", values), Write("999", values), Write(lead, {"nope": 1.0})]
        )
    assert [(one.gone, one.error is not None) for one in answers] == [(True, True), (True, True), (False, True)]
    assert "Field Management" in str(answers[2].error)


def test_tasks_are_made_by_a_smart_campaign(marketo: StandIn) -> None:
    lead, due = marketo.add("leads", title="Buyer"), datetime(2026, 3, 5, 9)
    with marketo.open() as opened:
        (one,) = opened.session.note("leads", [Note(lead, "Call", "Now A1", due=due)])
    assert one.error is None
    assert marketo.notes == [{"record": lead, "subject": "Call", "text": "Now A1 (due 2026-03-05)"}]
    with marketo.open(task_campaign=5) as opened:
        (one,) = opened.session.note("leads", [Note(lead, "Call", "Now A1")])
    assert one.error is not None
    assert "Campaign is Requested" in one.error


def test_without_a_campaign_there_are_no_tasks(marketo: StandIn) -> None:
    lead = marketo.add("leads", title="Buyer")
    with marketo.open(task_campaign=None) as opened:
        (one,) = opened.session.note("leads", [Note(lead, "Call", "Now A1")])
        with pytest.raises(UsageError, match="on leads only"):
            opened.session.write("activities", [])
    assert one.error is not None
    assert "task_campaign" in one.error
    assert marketo.calls == []


@pytest.mark.parametrize("piece", [b"", b"\n", b'"unclosed,\n1,2\n'])
def test_lines_that_are_not_whole_are_left_for_the_next_piece(piece: bytes) -> None:
    assert [line for line in bulk._lines(piece, whole=False) if line.strip()] == []
