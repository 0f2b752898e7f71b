"""What only Dataverse has when it is read: change tracking and its tokens, the audit log, parties, labels."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from connect.dynamics.stand_in import StandIn
from connect.salesforce.lives import Life
from connect.stand_in import START
from leadlight.connect.protocol import Page, Row
from leadlight.errors import NotFoundError

DAY = 86_400


def last(rows: list[Row]) -> dict[str, Row]:
    return {row.id: row for row in rows}


def there(pages: list[Page]) -> set[str]:
    return {id for page in pages for id in page.there or ()}  # noqa: A001


def test_a_table_without_tracking_is_read_by_dates_and_passed_over_once_a_day(crm: StandIn) -> None:
    crm.page_most = 4
    ids = [crm.add("opportunity", name=str(number), at=START - timedelta(days=20 - number)) for number in range(10)]
    with crm.open() as opened:
        assert {row.id for row in opened.read("opportunity", ["name"])} == set(ids)
        cursor = opened.cursor
    crm.clock.advance(DAY / 2)
    crm.delete("opportunity", ids[3])
    crm.edit("opportunity", ids[5], name="Changed")
    with crm.open() as opened:
        pages = list(opened.pages("opportunity", ["name"], cursor=cursor))
        cursor = opened.cursor
    assert not there(pages)  # that day's pass was the first reading
    assert {row.id for page in pages for row in page.rows} == {ids[5], ids[9]}  # an overlap is free
    crm.clock.advance(DAY)
    with crm.open() as opened:
        pages = list(opened.pages("opportunity", ["name"], cursor=cursor))
        swept = opened.cursor
    assert there(pages) == set(ids) - {ids[3]}
    with crm.open() as opened:
        assert not there(list(opened.pages("opportunity", ["name"], cursor=swept)))
    crm.clock.advance(DAY)
    with crm.open() as opened:
        half = [page for _, page in zip(range(2), opened.pages("opportunity", ["name"], cursor=swept), strict=False)]
        begun = opened.cursor
    assert half[1].there
    with crm.open() as opened:  # a pass that was killed is begun anew
        assert there(list(opened.pages("opportunity", ["name"], cursor=begun))) == set(ids) - {ids[3]}


def test_a_token_that_has_run_out_means_all_anew_and_who_is_there(crm: StandIn) -> None:
    crm.page_most = 3
    ids = [crm.add("lead", lastname=str(number)) for number in range(8)]
    with crm.open() as opened:
        opened.read("lead", ["lastname"])
        cursor = opened.cursor
    crm.clock.advance(30 * DAY)
    crm.delete("lead", ids[2])
    crm.tokens_expired = True
    with crm.open() as opened:
        pages = list(opened.pages("lead", ["lastname"], cursor=cursor))
        after = opened.cursor
    assert there(pages) == set(ids) - {ids[2]}
    assert {row.id for page in pages for row in page.rows} == there(pages)
    assert [page.cursor == cursor for page in pages] == [True, True, False]  # half a pass is never believed
    crm.tokens_expired = False
    with crm.open() as opened:
        assert opened.read("lead", ["lastname"], cursor=after) == []


def test_other_columns_are_read_from_the_beginning(crm: StandIn) -> None:
    ids = {crm.add("lead", lastname=str(number)) for number in range(3)}
    with crm.open() as opened:
        opened.read("lead", ["lastname"])
        cursor = opened.cursor
    crm.clock.advance(DAY)
    with crm.open() as opened:
        pages = list(opened.pages("lead", ["lastname", "jobtitle"], cursor=cursor))
    assert there(pages) == ids


def test_tracking_that_is_switched_on_later_is_used(crm: StandIn) -> None:
    crm.tracked.discard("lead")
    lead = crm.add("lead", lastname="One")
    with crm.open() as opened:
        opened.read("lead", ["lastname"])
        cursor = opened.cursor
    crm.tracked.add("lead")
    with crm.open() as opened:
        assert there(list(opened.pages("lead", ["lastname"], cursor=cursor))) == {lead}
        cursor = opened.cursor
    crm.delete("lead", lead)
    with crm.open() as opened:
        (row,) = opened.read("lead", ["lastname"], cursor=cursor)
    assert (row.id, row.gone) == (lead, True)


def test_choices_are_read_by_their_labels_and_lookups_by_their_ids(crm: StandIn) -> None:
    account = crm.add("account", name="Acme", industrycode="Software")
    lead = crm.add(
        "lead", lastname="Doe", leadsourcecode="Web", interests="Cloud;Data", parentaccountid=account, revenue=1.5e6
    )
    with crm.open() as opened:
        fields = ["leadsourcecode", "interests", "parentaccountid", "revenue", "statecode", "donotbulkemail"]
        (row,) = opened.read("lead", fields)
        assert opened.read("account", ["industrycode"])[0].values == {"industrycode": "Software"}
    assert row.id == lead
    assert row.values == {
        "leadsourcecode": "Web",
        "interests": "Cloud;Data",
        "parentaccountid": account,
        "revenue": 1.5e6,
        "statecode": "Open",
        "donotbulkemail": False,
    }


def test_the_audit_log_gives_versions_with_their_dates(crm: StandIn) -> None:
    lead = crm.add("lead", lastname="Doe", industrycode="Trade", numberofemployees=5.0, donotbulkemail=False)
    crm.clock.advance(DAY)
    crm.edit("lead", lead, industrycode="Software", numberofemployees=50.0, companyname="Acme")
    crm.clock.advance(DAY)
    crm.edit("lead", lead, donotbulkemail=True, interests="Cloud;Security")
    crm.clock.advance(DAY)
    wanted = ["industrycode", "numberofemployees", "donotbulkemail", "interests", "companyname"]
    with crm.open() as opened:
        rows = opened.read("lead", wanted)
        cursor = opened.cursor
    told = [(row.known_at, *(row.values[name] for name in wanted)) for row in rows]
    assert told == [
        (START, "Trade", 5.0, False, None, "Acme"),
        (START + timedelta(days=1), "Software", 50.0, False, None, "Acme"),
        (START + timedelta(days=2), "Software", 50.0, True, "Cloud;Security", "Acme"),
        (None, "Software", 50.0, True, "Cloud;Security", "Acme"),
    ]
    crm.clock.advance(DAY)
    at = crm.clock.now().replace(microsecond=0)
    crm.edit("lead", lead, numberofemployees=60.0)
    with crm.open() as opened:
        later = opened.read("lead", wanted, cursor=cursor)
    told = [(row.known_at, row.values["numberofemployees"]) for row in later]
    assert told == [(START + timedelta(days=2), 50.0), (at, 60.0), (None, 60.0)]  # an overlap is free


def test_who_may_not_read_the_audit_log_reads_the_present(crm: StandIn) -> None:
    lead = crm.add("lead", lastname="Doe", jobtitle="Buyer")
    crm.clock.advance(DAY)
    crm.edit("lead", lead, jobtitle="Chief")
    crm.may_audit = False
    with crm.open() as opened:
        rows = opened.read("lead", ["jobtitle"])
    assert [(row.known_at, row.values["jobtitle"]) for row in rows] == [(None, "Chief")]


def test_qualified_leads_go_on_as_their_contacts(crm: StandIn) -> None:
    by_contact, by_lead, disqualified = (crm.add("lead", lastname=str(number)) for number in range(3))
    contact = crm.convert("lead", by_contact)
    other = crm.add("contact", lastname="1")
    crm.edit("lead", by_lead, statecode="Qualified", parentcontactid=other)
    crm.edit("lead", disqualified, statecode="Disqualified")
    with crm.open() as opened:
        rows = last(opened.read("lead", ["lastname"]))
    assert {id: (row.into, row.gone) for id, row in rows.items()} == {  # noqa: A001
        by_contact: (contact, False),
        by_lead: (other, False),
        disqualified: (None, False),
    }


def test_who_was_merged_or_deactivated_is_out_of_sight(crm: StandIn) -> None:
    loser, winner, inactive = (crm.add("contact", lastname=str(number)) for number in range(3))
    crm.merge("contact", loser, winner)
    crm.edit("contact", inactive, statecode="Inactive")
    with crm.open() as opened:
        rows = last(opened.read("contact", ["lastname"]))
    assert {id: (row.into, row.gone) for id, row in rows.items()} == {  # noqa: A001
        loser: (winner, True),
        winner: (None, False),
        inactive: (None, True),
    }
    crm.edit("contact", inactive, statecode="Active")
    with crm.open() as opened:
        assert not last(opened.read("contact", ["lastname"]))[inactive].gone


def test_deals_have_a_person_an_end_and_a_value(crm: StandIn) -> None:
    contact, account, lead = (
        crm.add("contact", lastname="C"),
        crm.add("account", name="A"),
        crm.add("lead", lastname="L"),
    )
    closed = datetime(2026, 2, 20)
    won = crm.add(
        "opportunity", statecode="Won", actualclosedate=closed, actualvalue=9.0, estimatedvalue=5.0, customerid=contact
    )
    lost = crm.add(
        "opportunity",
        statecode="Lost",
        actualclosedate=closed,
        estimatedvalue=5.0,
        customerid=account,
        originatingleadid=lead,
    )
    still = crm.add("opportunity", customerid=account, parentcontactid=contact)
    with crm.open() as opened:
        names = ["deal_person", "deal_outcome", "deal_closed_at", "deal_value"]
        rows = last(opened.read("opportunity", names))
    told = {id: tuple(row.values[name] for name in names) for id, row in rows.items()}  # noqa: A001
    end = datetime(2026, 2, 20, 23, 59, 59)  # a day is known at its end
    assert told == {
        won: (contact, "won", end, 9.0),
        lost: (lead, "lost", end, 5.0),
        still: (contact, None, None, None),
    }


def test_activities_belong_to_whom_they_regard_or_who_took_part(crm: StandIn) -> None:
    lead, contact, deal = (
        crm.add("lead", lastname="L"),
        crm.add("contact", lastname="C"),
        crm.add("opportunity", name="D"),
    )
    done = START - timedelta(days=1)
    sent = crm.add("email", regardingobjectid=lead, statecode="Completed", actualend=done, directioncode=True)
    came = crm.add("email", regardingobjectid=deal, statecode="Completed", actualend=done)
    draft = crm.add("email", regardingobjectid=lead)
    crm.parties += [(came, lead, 2), (came, contact, 1), (came, deal, 8)]
    met = crm.add("appointment", regardingobjectid=contact, scheduledstart=done, statecode="Scheduled")
    cancelled = crm.add("appointment", regardingobjectid=contact, scheduledstart=done, statecode="Canceled")
    answer = crm.add("campaignresponse", receivedon=done)
    crm.parties += [(answer, contact, 11)]
    with crm.open() as opened:
        mails = last(opened.read("email", ["person", "done_at", "way"]))
        meetings = last(opened.read("appointment", ["person", "held_at"]))
        answers = last(opened.read("campaignresponse", ["person", "responded_at"]))
    assert mails[sent].values == {"person": lead, "done_at": done, "way": "email_sent"}
    assert mails[came].values == {"person": contact, "done_at": done, "way": "email_received"}
    assert mails[draft].values["done_at"] is None
    assert meetings[met].values == {"person": contact, "held_at": done}
    assert meetings[cancelled].values["held_at"] is None
    assert answers[answer].values == {"person": contact, "responded_at": done}


def test_a_contact_has_the_account_that_is_its_company_and_no_other_contact(crm: StandIn) -> None:
    account, boss = crm.add("account", name="A"), crm.add("contact", lastname="Boss")
    one, two = crm.add("contact", parentcustomerid=account), crm.add("contact", parentcustomerid=boss)
    with crm.open() as opened:
        rows = last(opened.read("contact", ["account"]))
    assert (rows[one].values["account"], rows[two].values["account"]) == (account, None)


def test_columns_that_cannot_be_asked_for_are_not_described(crm: StandIn) -> None:
    with crm.open() as opened:
        names = {field.name for field in opened.describe("lead").fields}
        assert {"owneridname", "entityimage"} & names == set()
        with pytest.raises(NotFoundError, match="did you mean 'lead'"):
            opened.describe("leads")


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "dated"])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_all_is_known_in_the_end(crm: StandIn, seed: int, tracked: bool) -> None:
    crm.tracked = {"lead"} if tracked else set()
    life = Life(crm, seed)
    life.lived()
    assert life.told() == life.truth()


@pytest.mark.slow
@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "dated"])
def test_whatever_happens_in_many_lives_all_is_known_in_the_end(crm: StandIn, tracked: bool) -> None:
    for seed in range(3, 60):
        crm.reset()
        crm.tracked = {"lead"} if tracked else set()
        life = Life(crm, seed)
        life.lived()
        assert life.told() == life.truth(), seed


def test_what_is_seen_later_than_its_date_is_not_missed(crm: StandIn) -> None:
    crm.add("opportunity", name="Now")
    with crm.open() as opened:
        opened.read("opportunity", ["name"])
        cursor = opened.cursor
    late = crm.add("opportunity", name="Late", at=crm.clock.now() - timedelta(minutes=4))
    with crm.open() as opened:
        assert late in last(opened.read("opportunity", ["name"], cursor=cursor))
