"""The clients of Segment and RudderStack for Node: each event is there once, whatever is answered first."""

from __future__ import annotations

import pytest
from tests.clients import node
from tests.clients.live import Live

MOODS = {"at once": (), "too much": (429,), "broken": (503,), "both": (503, 429)}


@pytest.mark.slow
@pytest.mark.parametrize("client", ["segment", "rudder"])
def test_each_event_arrives_once(service: Live, client: str) -> None:
    keys = {mood: service.key(*plan, scope="ingest") for mood, plan in MOODS.items()}
    node.run(f"send_{client}.cjs", service.address, *keys.values())
    for mood, key in keys.items():
        user = f"{client}-{key[-6:]}"
        found = service.rows(
            f"SELECT e.type, count(*) FROM events e JOIN ids i ON i.lead = e.lead WHERE i.id = '{user}' GROUP BY ALL"
        )
        assert sorted(found) == [("Demo Requested", 1), ("page", 1)], (mood, service.moods.asked[key])
        told = service.rows(f"SELECT a.job FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = '{user}'")
        assert told == [("vp",)], mood
        refused = [status for status in service.moods.asked[key] if status != 200]
        assert refused == list(MOODS[mood])
