"""What only HubSpot's records have: histories, links, merges, archives, a search that lags and has a ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from connect.hubspot.stand_in import StandIn
from connect.stand_in import START
from leadlight.connect.hubspot.records import REMEMBERED
from leadlight.connect.protocol import Row, Value, Want
from leadlight.errors import NotFoundError, RemoteError

DAY = 86_400


def by_id(rows: list[Row]) -> Mapping[str, Mapping[str, Value]]:
    return {row.id: row.values for row in rows}


def test_a_history_dates_what_a_contact_was(hubspot: StandIn) -> None:
    one = hubspot.add("contacts", jobtitle="Intern", city="Ulm", at=START)
    for title in ("Clerk", "Chief"):
        hubspot.clock.advance(10 * DAY)
        hubspot.edit("contacts", one, jobtitle=title)
    with hubspot.open() as opened:
        rows = opened.read("contacts", ["jobtitle", "city"])
    assert [(row.known_at, row.values["jobtitle"]) for row in rows] == [
        (START, "Intern"),
        (START + timedelta(days=10), "Clerk"),
        (START + timedelta(days=20), "Chief"),
        (None, "Chief"),
    ]
    assert {row.values["city"] for row in rows} == {"Ulm"}


def test_a_history_that_was_forgotten_does_not_begin_with_the_record(hubspot: StandIn) -> None:
    one = hubspot.add("contacts", jobtitle="0", at=START)
    for number in range(REMEMBERED):
        hubspot.clock.advance(DAY)
        hubspot.edit("contacts", one, jobtitle=str(number + 1))
    with hubspot.open() as opened:
        first = opened.read("contacts", ["jobtitle"])[0]
    assert first.known_at is None


def test_without_history_none_is_asked_for(hubspot: StandIn) -> None:
    hubspot.add("contacts", jobtitle="Clerk")
    with hubspot.open() as opened:
        assert len(opened.read("contacts", ["jobtitle"], history=False)) == 1
    assert not [call for call in hubspot.calls if "propertiesWithHistory" in call.params]


def test_a_deal_is_won_or_lost_in_whatever_pipeline(hubspot: StandIn) -> None:
    open_ = hubspot.add("deals", dealstage="12345", hs_is_closed=False, hs_is_closed_won=False)
    won = hubspot.add("deals", dealstage="777", hs_is_closed=True, hs_is_closed_won=True)
    lost = hubspot.add("deals", dealstage="closedlost", hs_is_closed=True, hs_is_closed_won=False)
    with hubspot.open() as opened:
        found = by_id(opened.read("deals", ["outcome", "amount"]))
    assert {one: values["outcome"] for one, values in found.items()} == {open_: None, won: "won", lost: "lost"}


def test_when_a_deal_was_won_is_history_too(hubspot: StandIn) -> None:
    deal = hubspot.add("deals", hs_is_closed=False, hs_is_closed_won=False, at=START)
    hubspot.clock.advance(5 * DAY)
    hubspot.edit("deals", deal, hs_is_closed=True, hs_is_closed_won=True)
    with hubspot.open() as opened:
        rows = opened.read("deals", ["outcome"])
    assert [(row.known_at, row.values["outcome"]) for row in rows if row.known_at] == [
        (START, None),
        (START + timedelta(days=5), "won"),
    ]


def test_a_deal_goes_with_its_primary_company_and_its_contacts(hubspot: StandIn) -> None:
    people = [hubspot.add("contacts") for _ in range(2)]
    firms = [hubspot.add("companies") for _ in range(2)]
    deal = hubspot.add("deals", contacts=";".join(people), company=";".join(firms))
    alone = hubspot.add("deals")
    with hubspot.open() as opened:
        found = by_id(opened.read("deals", ["contact", "contacts", "company", "dealname"]))
    assert found[deal]["company"] == firms[0]  # the stand-in names the primary one last
    assert found[deal]["contact"] == people[0]
    assert sorted(str(found[deal]["contacts"]).split(";")) == people
    assert found[alone] == {"contact": None, "contacts": None, "company": None, "dealname": None}


def test_no_links_are_asked_for_that_nobody_wants(hubspot: StandIn) -> None:
    hubspot.add("deals")
    with hubspot.open() as opened:
        opened.read("deals", ["dealname"])
    assert not [call for call in hubspot.calls if "/associations/" in call.url]


def test_who_was_merged_says_into_whom_and_when(hubspot: StandIn) -> None:
    loser, winner = hubspot.add("contacts"), hubspot.add("contacts")
    hubspot.clock.advance(DAY)
    hubspot.merge("contacts", loser, winner)
    with hubspot.open() as opened:
        (told,) = [row for row in opened.read("contacts", ["jobtitle"]) if row.into]
    assert (told.id, told.into, told.gone) == (loser, winner, False)
    assert told.known_at == START + timedelta(days=1)


def test_two_that_become_a_third_are_both_followed(hubspot: StandIn) -> None:
    ids = [hubspot.add("companies") for _ in range(2)]
    with hubspot.open() as opened:
        opened.read("companies", ["name"])
        cursor = opened.cursor
    hubspot.clock.advance(DAY)
    made = hubspot.merge_anew("companies", *ids)
    with hubspot.open() as opened:
        rows = opened.read("companies", ["name"], cursor=cursor)
    assert {row.id: row.into for row in rows if row.into} == dict.fromkeys(ids, made)


def test_more_changes_in_one_moment_than_a_page_holds(hubspot: StandIn) -> None:
    hubspot.page_most = 7
    ids = [hubspot.add("contacts") for _ in range(30)]
    with hubspot.open() as opened:
        opened.read("contacts", ["jobtitle"])
        cursor = opened.cursor
    hubspot.clock.advance(DAY)
    for one in ids:  # as an import does
        hubspot.edit("contacts", one, jobtitle="Imported")
    hubspot.clock.advance(1)
    hubspot.edit("contacts", ids[3], jobtitle="After")
    with hubspot.open() as opened:
        found = by_id(opened.read("contacts", ["jobtitle"], cursor=cursor))
    assert {one: found[one]["jobtitle"] for one in ids} == {**dict.fromkeys(ids, "Imported"), ids[3]: "After"}
    searches = [call.json() for call in hubspot.calls if call.url.endswith("/search")]
    assert all("after" not in asked for asked in searches)  # so never near the ceiling of 10,000


def test_what_changes_while_it_is_searched_hides_nobody(hubspot: StandIn) -> None:
    """By their place, records behind one that moves to the end would come a place too early, and be missed."""
    hubspot.page_most = 5
    ids = [hubspot.add("contacts") for _ in range(20)]
    with hubspot.open() as opened:
        opened.read("contacts", ["jobtitle"])
        cursor = opened.cursor
    hubspot.clock.advance(DAY)
    for one in ids:
        hubspot.clock.advance(1)
        hubspot.edit("contacts", one, jobtitle="New")
    found = set()
    with hubspot.open() as opened:
        for number, page in enumerate(opened.pages("contacts", ["jobtitle"], cursor=cursor)):
            found |= {row.id for row in page.rows if row.values.get("jobtitle") == "New"}
            if number == 0:
                hubspot.clock.advance(1)
                hubspot.edit("contacts", ids[1], city="Ulm")
    assert found == set(ids)


def test_a_search_that_lags_is_asked_again(hubspot: StandIn) -> None:
    one = hubspot.add("contacts", jobtitle="Clerk")
    with hubspot.open() as opened:
        opened.read("contacts", ["jobtitle"])
        cursor = opened.cursor
    hubspot.clock.advance(DAY)
    hubspot.edit("contacts", one, jobtitle="Chief")
    hubspot.lag = timedelta(minutes=5)
    with hubspot.open() as opened:
        assert opened.read("contacts", ["jobtitle"], cursor=cursor) == []
        cursor = opened.cursor
    hubspot.clock.advance(6 * 60)
    with hubspot.open() as opened:
        assert by_id(opened.read("contacts", ["jobtitle"], cursor=cursor))[one]["jobtitle"] == "Chief"


def test_what_was_archived_before_we_came_is_not_told(hubspot: StandIn) -> None:
    before, after = hubspot.add("contacts"), hubspot.add("contacts")
    hubspot.delete("contacts", before)
    hubspot.clock.advance(DAY)
    with hubspot.open() as opened:
        opened.read("contacts", ["jobtitle"])
        cursor = opened.cursor
    hubspot.clock.advance(DAY)
    hubspot.delete("contacts", after)
    with hubspot.open() as opened:
        gone = [row for row in opened.read("contacts", ["jobtitle"], cursor=cursor) if row.gone]
    assert [row.id for row in gone] == [after]
    assert abs((gone[0].known_at or START) - hubspot.held("contacts", after).modified) < timedelta(milliseconds=1)


def test_a_long_list_of_the_archived_is_not_looked_through_each_time(hubspot: StandIn) -> None:
    hubspot.page_most = 2
    ids = [hubspot.add("contacts") for _ in range(30)]
    with hubspot.open() as opened:
        opened.read("contacts", ["jobtitle"])
        cursor = opened.cursor
    hubspot.clock.advance(DAY)
    for one in ids[:25]:
        hubspot.delete("contacts", one)
    told = []
    for _ in range(8):
        hubspot.calls.clear()
        with hubspot.open() as opened:
            rows = opened.read("contacts", ["jobtitle"], cursor=cursor)
            cursor = opened.cursor
        looked = sum(call.params.get("archived") == "true" for call in hubspot.calls)
        told.append((looked, {row.id for row in rows if row.gone}))
        hubspot.clock.advance(3600)
        if len(told) == 1:
            hubspot.delete("contacts", ids[25])
    assert [looked for looked, _ in told] == [13, 0, 0, 0, 0, 0, 13, 0]
    assert told[0][1] == set(ids[:25])
    assert ids[25] in told[6][1]


def test_too_many_fields_for_an_address_are_asked_for_in_a_body(hubspot: StandIn) -> None:
    names = [f"field_{number:03}_with_a_long_name" for number in range(150)]
    for name in names:
        hubspot.new_field("contacts", name)
    one = hubspot.add("contacts", **{names[149]: "there"})
    with hubspot.open() as opened:
        rows = opened.read("contacts", names)
    assert {row.id for row in rows} == {one}
    assert rows[-1].values[names[149]] == "there"
    assert [call.method for call in hubspot.calls if call.url.endswith("/batch/read")] == ["POST"]


def test_custom_objects_are_found_and_read(hubspot: StandIn) -> None:
    person = hubspot.add("contacts")
    one = hubspot.add("p7_machines", machine="Press", contact=person)
    with hubspot.open() as opened:
        (described,) = opened.session.describe(["p7_machines"])
        found = by_id(opened.read("p7_machines", ["machine", "contact"]))
        with pytest.raises(NotFoundError, match="p7_machines"):
            opened.session.describe(["p7_machine"])
    assert described.title == "Machines"
    assert found[one] == {"machine": "Press", "contact": person}


def test_custom_objects_that_may_not_be_listed_can_be_named(hubspot: StandIn) -> None:
    hubspot.hides_schemas = True
    hubspot.add("p7_machines", machine="Press")
    with hubspot.open() as opened:
        assert {row.values["machine"] for row in opened.read("p7_machines", ["machine"])} == {"Press"}
        assert "p7_machines" not in {one.name for one in opened.session.describe()}
        with pytest.raises(RemoteError, match="p9_unknown"):
            opened.session.describe(["p9_unknown"])


def test_a_service_key_signs_too(hubspot: StandIn) -> None:
    hubspot.token = "pat-na1-abcdef"
    with hubspot.open(secrets={"token": hubspot.token}) as opened:
        opened.read("contacts", ["jobtitle"])
    assert not [call for call in hubspot.calls if "/oauth/" in call.url]


def test_what_others_use_of_the_days_quota_counts(hubspot: StandIn, tmp_path: Path) -> None:
    hubspot.token = "pat-na1-abcdef"
    quota = hubspot.quota(tmp_path, 500)
    hubspot.today = (hubspot.clock.now().date(), 398)  # by others
    with hubspot.open(secrets={"token": hubspot.token}, quota=quota) as opened:
        described = opened.describe("contacts", ["jobtitle"])
        assert list(opened.session.read(Want(described)))
        with pytest.raises(RemoteError, match="80%") as caught:
            list(opened.session.read(Want(described)))
    assert caught.value.trouble == "quota"
    assert hubspot.today[1] == 400


def test_without_any_key_it_says_where_to_make_one(hubspot: StandIn) -> None:
    with pytest.raises(RemoteError, match="Service keys") as caught:
        hubspot.open(secrets={})
    assert caught.value.trouble == "sign_in"


def test_all_of_the_day_used_up_is_told_at_once(hubspot: StandIn) -> None:
    hubspot.per_day = 1
    with hubspot.open() as opened, pytest.raises(RemoteError, match="midnight") as caught:
        opened.describe("contacts")
    assert caught.value.trouble == "quota"
    assert len(hubspot.calls) == 2  # one for the token


def test_it_searches_no_faster_than_it_may(hubspot: StandIn) -> None:
    with hubspot.open(per_second=1000) as opened:
        for _ in range(8):
            opened.read("contacts", ["jobtitle"], cursor={"phase": "changes", "since": 0, "gone": 0})
    assert len(hubspot.calls) == 18  # a token, properties, and a search and a look into the archive each time
    assert len(hubspot.searched) <= 5
