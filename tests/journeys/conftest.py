"""The three journeys, each made once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from journeys.journey import Journey, Route, day_first, moment, travel

ROUTES = {
    "tickets": Route(
        entity="ticket",
        scorecard="urgency",
        folder="itsm_incident_event_log",
        split={"incident_event_log.csv.gz": lambda row: day_first(row["sys_updated_at"]) <= moment("2016-04-16")},
        first_read=moment("2016-04-16"),
        early=moment("2016-04-15"),
        second_read=moment("2017-03-01"),
        late=moment("2016-05-10"),
    ),
    "olist": Route(
        entity="prospect",
        scorecard="funnel",
        folder="olist_marketing_funnel",
        split={
            "olist_marketing_qualified_leads_dataset.csv": lambda row: row["first_contact_date"] <= "2018-03-02",
            "olist_closed_deals_dataset.csv": lambda row: row["won_date"] <= "2018-03-02",
        },
        rest="olist_marketing_qualified_leads_dataset_2.csv",
        first_read=moment("2018-03-02"),
        early=moment("2018-03-01"),
        second_read=moment("2019-01-01"),
        late=moment("2018-05-01"),
    ),
    "xeducation": Route(
        entity="applicant",
        scorecard="admission",
        folder="xeducation_leads",
        # No dates; the lead numbers rise with time.
        split={"Leads.csv.gz": lambda row: int(row["Lead Number"]) < 615_000},
        first_read=moment("2024-01-01"),
        early=moment("2024-01-15"),
        second_read=moment("2024-02-01"),
        late=moment("2024-02-15"),
    ),
}


@pytest.fixture(scope="session")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Journey]:
    """Make a journey the first time it is asked for."""
    made: dict[str, Journey] = {}

    def get(name: str) -> Journey:
        if name not in made:
            made[name] = travel(name, ROUTES[name], tmp_path_factory.mktemp("journeys"))
        return made[name]

    return get


@pytest.fixture(params=list(ROUTES))
def journey(request: pytest.FixtureRequest, travelled: Callable[[str], Journey]) -> Journey:
    """Each of the three."""
    return travelled(request.param)


@pytest.fixture
def tickets(travelled: Callable[[str], Journey]) -> Journey:
    """A help desk."""
    return travelled("tickets")


@pytest.fixture
def olist(travelled: Callable[[str], Journey]) -> Journey:
    """A marketplace that looks for sellers."""
    return travelled("olist")


@pytest.fixture
def xeducation(travelled: Callable[[str], Journey]) -> Journey:
    """An academy that sells courses."""
    return travelled("xeducation")
