from __future__ import annotations

import numpy as np
import pytest

from leadlight.simulate import behaviour as b
from leadlight.simulate.events import Events, aliases, events_table, make_events
from leadlight.simulate.intent import NEVER
from leadlight.simulate.run import make_chunk
from leadlight.simulate.world import DAY, World, is_weekend


@pytest.fixture(scope="module")
def events(crowd) -> Events:
    return make_events(crowd.world, crowd.leads, crowd.paths, scale=1.0)


def of_type(events: Events, name: str) -> Events:
    return events.take(events.type == b.CODE[name])


def test_a_leads_events_are_the_same_whichever_chunk_it_falls_in() -> None:
    world = World(seed=9)
    whole, part = (make_chunk(world, *bounds) for bounds in ((0, 512), (128, 256)))
    first, second = make_events(world, *whole, scale=0.7), make_events(world, *part, scale=0.7)
    theirs = first.take((first.row >= 128) & (first.row < 256))
    found = events_table(whole[0], theirs).cast(events_table(part[0], second).schema)
    assert found.to_pylist() == events_table(part[0], second).to_pylist()


def test_events_lie_in_their_time_sorted_by_lead(crowd, events) -> None:
    world, leads, paths = crowd.world, crowd.leads, crowd.paths
    assert world.begin <= events.at.min() <= events.at.max() < world.end
    assert np.all((np.diff(events.row) > 0) | ((np.diff(events.row) == 0) & (np.diff(events.at) >= 0)))
    before = events.at < leads.created[events.row]
    assert set(events.type[before]) == {b.CODE["page_view"]}
    assert (leads.created[events.row] - events.at).max() <= (b.PRIOR_VISIT_DAYS + 1) * DAY
    after = events.at >= paths.closed[events.row]
    assert set(events.type[after]) == {b.CODE["onboarding"]}
    assert np.all(paths.won[events.row[after]])


def test_the_keener_a_lead_is_the_more_it_does(crowd, events) -> None:
    leads, world = crowd.leads, crowd.world
    people = ~leads.is_duplicate & ~leads.is_bot & (leads.created < world.end - 5 * DAY)
    people &= crowd.paths.closed == NEVER
    views = of_type(events, "page_view")
    within = views.take((views.at >= leads.created[views.row]) & (views.at < leads.created[views.row] + 5 * DAY))
    count = np.bincount(within.row, minlength=len(leads))
    means = [count[people & (leads.first_state == state)].mean() for state in range(4)]
    assert means == sorted(means)
    assert means[3] > 8 * means[0]


def test_visits_come_at_the_rate_the_table_says(crowd, events) -> None:
    """Starts of visits by leads idle all the time, against rate × activity × days, less weekends and August."""
    leads, paths = crowd.leads, crowd.paths
    single = ~leads.is_duplicate & (aliases(leads) == np.arange(len(leads)))
    idle = (paths.state <= 0).all(axis=1) & ~leads.is_bot & single
    views = of_type(events, "page_view")
    views = views.take(idle[views.row] & (views.at >= leads.created[views.row]))
    starts = 1 + ((np.diff(views.row) > 0) | (np.diff(views.at) > 1800)).sum()
    days = (np.minimum(paths.closed, crowd.world.end) - leads.created)[idle] / DAY
    kept = (5 + 2 * b.WEEKEND_SHARE) / 7 * 0.986
    expected = (days * leads.activity[idle]).sum() * b.VISIT_RATE[0] * kept
    assert starts == pytest.approx(expected, rel=0.03)


def test_what_is_looked_at_depends_on_the_intent(crowd, events) -> None:
    views = of_type(events, "page_view")
    people = views.take(~crowd.leads.is_bot[views.row] & (views.at >= crowd.leads.created[views.row]))
    step = (people.at - crowd.leads.created[crowd.leads.person[people.row]]) // (5 * DAY)
    state = crowd.paths.state[people.row, np.maximum(step, 0)]
    for s, shares in enumerate(b.PATH_SHARE):
        found = np.bincount(people.path[state == s], minlength=len(b.PATHS)) / (state == s).sum()
        assert found == pytest.approx(np.array(shares), abs=0.02)


def test_gateways_click_every_link_within_seconds_of_delivery(crowd, events) -> None:
    leads = crowd.leads
    scanned = leads.accounts.gateway[leads.account] & (leads.mailbox == 2)
    sent, clicks = of_type(events, "email_sent"), of_type(events, "email_click")
    sent = sent.take(sent.at < crowd.world.end - 10)
    delivered = np.sort(sent.row * 10**11 + sent.at)
    since = clicks.row * 10**11 + clicks.at
    since -= delivered[np.maximum(np.searchsorted(delivered, since, side="right") - 1, 0)]
    quick = (since >= 2) & (since <= 8)
    assert quick[scanned[clicks.row]].mean() > 0.95
    assert quick[~scanned[clicks.row]].mean() < 0.01
    per_mail = quick[scanned[clicks.row]].sum() / scanned[sent.row].sum()
    assert per_mail == pytest.approx(b.GATEWAY_LINKS, rel=0.05)  # a duplicate may get the mail, its person the click


def test_bots_hurry_through_dozens_of_pages(crowd, events) -> None:
    views = of_type(events, "page_view")
    bot = crowd.leads.is_bot[views.row]
    same = (np.diff(views.row) == 0) & (np.diff(views.at) <= 2)
    assert same[bot[1:]].mean() > 0.8
    assert same[~bot[1:]].mean() < 0.05
    headless = views.agent == b.AGENTS.index("headless")
    assert not headless[~bot].any()
    assert 0.3 < headless[bot].mean() < 0.6


def test_nobody_gets_mail_after_unsubscribing(crowd, events) -> None:
    person = crowd.leads.person[events.row]
    left = np.full(len(crowd.leads), NEVER)
    gone = events.type == b.CODE["unsubscribe"]
    np.minimum.at(left, person[gone], events.at[gone])
    mail = np.isin(events.type, [b.CODE[name] for name in ("email_sent", "email_open", "email_click")])
    assert gone.sum() > 1000
    assert np.all(events.at[mail] < left[person[mail]])


def test_people_with_two_ids_act_under_both(crowd, events) -> None:
    again = crowd.leads.is_duplicate
    count = np.bincount(events.row, minlength=len(crowd.leads))
    assert count[again].sum() > 5 * again.sum()
    assert np.all(events.at[again[events.row]] >= crowd.leads.created[events.row[again[events.row]]])


def test_weekends_are_quiet(events) -> None:
    sent = of_type(events, "email_sent")
    assert is_weekend(sent.at).mean() == pytest.approx(0.5 / 5.5, abs=0.01)


def test_properties_go_with_their_types(crowd, events) -> None:
    given = {
        "path": {"page_view"}, "seconds": {"page_view"}, "agent": {"page_view"}, "form": {"form_submit"},
        "campaign": {"email_sent", "email_open", "email_click"},
    }  # fmt: skip
    for name, types in given.items():
        present = getattr(events, name) >= 0
        assert np.array_equal(present, np.isin(events.type, [b.CODE[type_] for type_ in types])), name


def test_scale_multiplies_visits_and_mails_only(crowd, events) -> None:
    twice = make_events(crowd.world, crowd.leads, crowd.paths, scale=2.0)
    for name, factor in (("email_sent", 2), ("demo_request", 1), ("webinar", 1), ("meeting", 1)):
        assert len(of_type(twice, name)) == pytest.approx(factor * len(of_type(events, name)), rel=0.02)
