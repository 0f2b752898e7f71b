"""The three journeys, each made once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from journeys.journey import Journey, Route, day_first, travel

ROUTES = {
    "tickets": Route(
        entity="ticket",
        scorecard="urgency",
        folder="itsm_incident_event_log",
        split={"incident_event_log.csv.gz": lambda row: day_first(row["sys_updated_at"]) <= datetime(2016, 4, 16)},
        first_read=datetime(2016, 4, 16),
        early=datetime(2016, 4, 15),
        second_read=datetime(2017, 3, 1),
        late=datetime(2016, 5, 10),
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
        first_read=datetime(2018, 3, 2),
        early=datetime(2018, 3, 1),
        second_read=datetime(2019, 1, 1),
        late=datetime(2018, 5, 1),
    ),
    "xeducation": Route(
        entity="applicant",
        scorecard="admission",
        folder="xeducation_leads",
        # No dates; the lead numbers rise with time.
        split={"Leads.csv.gz": lambda row: int(row["Lead Number"]) < 615_000},
        first_read=datetime(2024, 1, 1),
        early=datetime(2024, 1, 15),
        second_read=datetime(2024, 2, 1),
        late=datetime(2024, 2, 15),
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
