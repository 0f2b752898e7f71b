"""The clients of Segment and RudderStack for Node: each event is there once, whatever is answered first."""

from __future__ import annotations

import pytest
from tests.clients import node
from tests.clients.live import Live

MOODS: dict[str, tuple[int, ...]] = {"at once": (), "too much": (429,), "broken": (503,), "both": (503, 429)}


def assert_all_once(service: Live, user: str) -> None:
    """Assert that all that a script sends is there, once."""
    found = service.rows(
        f"SELECT e.type, count(*) FROM events e JOIN ids i ON i.lead = e.lead WHERE i.id = '{user}' GROUP BY ALL"
    )
    assert sorted(found) == [("Demo Requested", 1), ("page", 1)], user
    told = service.rows(f"SELECT a.job FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = '{user}'")
    assert told == [("vp",)]


@pytest.mark.slow
@pytest.mark.parametrize("client", ["segment", "rudder"])
def test_each_event_arrives_once(service: Live, client: str) -> None:
    keys = {mood: service.key(*plan, scope="ingest") for mood, plan in MOODS.items()}
    node.run(f"send_{client}.cjs", service.address, *keys.values())
    for mood, key in keys.items():
        user = f"{client}-{key[-6:]}"
        assert_all_once(service, user)
        refused = [status for status in service.moods.asked[key] if status != 200]
        assert refused == list(MOODS[mood])


@pytest.mark.slow
@pytest.mark.parametrize("client", ["jitsu", "dittofeed"])
def test_clients_of_others_that_speak_the_same(service: Live, client: str) -> None:
    key = service.key(scope="ingest")
    node.run(f"send_{client}.cjs", service.address, key)
    assert_all_once(service, f"{client}-{key[-6:]}")
