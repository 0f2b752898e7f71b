from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.insight.company import DAY, NOW, START, Past, ask, found

from leadlight.errors import NotFoundError, UsageError
from leadlight.insight.similar import Similar, distances, nearest, similar
from leadlight.workspace import Workspace


def similar_to(workspace: Workspace, name: str, as_of: datetime = NOW, **options: Any) -> Similar:
    return ask(
        workspace,
        lambda asked: similar(asked.engine, asked.workspace, asked.card, asked.lead(name), as_of, **options),
    )


def lead(
    name: str, seniority: str, tier: str, *, days: float = 0, company: str = "", email: str = ""
) -> dict[str, Any]:
    return {
        "id": name, "created": START + DAY * days, "email": email, "company": company, "seniority": seniority,
        "tier": tier,
    }  # fmt: skip


def deal(name: str, days: float, stage: str, amount: float | str = "") -> dict[str, Any]:
    return {"lead": name, "closed": START + DAY * days, "stage": stage, "amount": amount}


LEADS = [
    lead("me", "boss", "gold", days=350, company="Acme", email="me@x.example"),
    lead("me too", "boss", "gold", days=351, email="ME@x.example"),  # the same person
    lead("twin", "boss", "gold"), lead("double", "boss", "gold"), lead("colleague", "boss", "gold", company="Acme"),
    lead("tin", "boss", "tin"), lead("clerk", "clerk", "gold"), lead("far", "clerk", "tin"),
    lead("young", "boss", "gold", days=349),
]  # fmt: skip
EVENTS = [
    {"lead": "double", "type": "visit", "at": START + DAY * 60, "page": "", "device": ""},  # too late to count
    {"lead": "me", "type": "visit", "at": START + DAY * 350, "page": "", "device": ""},
    {"lead": "tin", "type": "visit", "at": START, "page": "", "device": ""},
]
DEALS = [
    deal("twin", 20, "won", 500), deal("colleague", 10, "won", 900), deal("tin", 5, "lost"),
    deal("clerk", 3, "won", 100), deal("me", 364, "won", 7),
]  # fmt: skip
AS_OF = START + DAY * 360


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return found(tmp_path_factory.mktemp("small") / "s", LEADS, EVENTS, DEALS)


@pytest.fixture(scope="module")
def near(small: Workspace) -> Similar:
    return similar_to(small, "me", AS_OF)


def test_distances_are_differences_in_points(near: Similar) -> None:
    """Boss 10, clerk -5, gold 3, a visit 2; seven cases are too few at any age, so all are seen on creation."""
    assert {row.id: row.distance for row in near.rows} == {
        "colleague": 2, "double": 2, "twin": 2, "tin": 3, "clerk": 17, "far": 20,
    }  # fmt: skip
    assert [row.id for row in near.rows] == ["colleague", "double", "twin", "tin", "clerk", "far"]
    assert (near.score, near.cases, near.age) == (15, 6, 0 * DAY)


def test_how_they_ended_and_what_they_were_worth(near: Similar) -> None:
    ended = {row.id: (row.won, row.ended, row.worth) for row in near.rows}
    assert ended["twin"] == (True, "won", 500)
    assert ended["double"] == (False, None, None)
    assert ended["tin"] == (False, "lost", None)
    assert near.base_rate == pytest.approx(3 / 6)
    assert (near.near, near.won, near.median_worth) == (6, 3, 500)


def test_all_that_are_as_near_count(small: Workspace) -> None:
    first = similar_to(small, "me", AS_OF, limit=1)
    assert [row.id for row in first.rows] == ["colleague"]
    assert (first.near, first.won, first.median_worth) == (3, 2, 700)
    assert first.summary.startswith("2 of the 3 most like me were won, median worth 700 (")


def test_neither_oneself_nor_colleagues_where_not_wanted(small: Workspace, near: Similar) -> None:
    assert not {"me", "me too", "young"} & {row.id for row in near.rows}
    others = similar_to(small, "me", AS_OF, same_account=False)
    assert {row.id for row in near.rows} - {row.id for row in others.rows} == {"colleague"}
    assert similar_to(small, "me too", AS_OF).as_dict() == near.as_dict()


def test_what_agrees_and_what_differs(near: Similar) -> None:
    rows = {row.id: row for row in near.rows}
    assert rows["twin"].agree == ("Seniority: boss", "Tier: gold")
    assert [str(item) for item in rows["twin"].differ] == ["Visits: never (-2)"]
    assert [str(item) for item in rows["far"].differ] == [
        "Seniority: clerk (-15)",
        "Tier: tin (-3)",
        "Visits: never (-2)",
    ]
    for row in near.rows:
        assert sum(abs(item.points) for item in row.differ) == pytest.approx(row.distance)


def test_it_is_said_in_words_and_as_json(near: Similar) -> None:
    document = json.loads(json.dumps(near.as_dict(), allow_nan=False))
    assert (document["won"], document["near"], len(document["rows"])) == (3, 6, 6)
    assert document["rows"][0]["as_of"] == "2025-01-01T00:00:00Z"
    assert str(near).splitlines()[2] == "  colleague: won, worth 900; 2.0 points away (Visits: never (-2))"


def test_who_cannot_be_compared(small: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="young did not exist yet as of 2025-03-02"):
        similar_to(small, "young", START + DAY * 60)
    card = "of: account\ngroups: {g: {criteria: [{name: Visits, event: visit, points: 1}]}}\n"
    accounts = found(tmp_path / "a", LEADS, EVENTS, DEALS, house=card)
    with pytest.raises(UsageError, match="similar is about leads"):
        similar_to(accounts, "me")


def test_the_search_is_exact() -> None:
    rng = np.random.default_rng(0)
    points = rng.integers(-4, 5, (5000, 6)).astype(np.float32)
    ids = [f"L{number:04}" for number in rng.permutation(5000)]
    distance = distances(points, points[7])
    assert distance.tolist() == [float(np.abs(row - points[7]).sum()) for row in points]
    for limit in (1, 20, 4999, 6000):
        rows = nearest(distance, pa.chunked_array([ids]), limit)
        assert rows.tolist() == sorted(range(5000), key=lambda row: (distance[row], ids[row]))[:limit]
    assert nearest(distance[:0], pa.chunked_array([pa.array([], pa.string())]), 3).tolist() == []


def test_past_leads_stand_at_the_leads_own_age(company: Workspace, past: Past) -> None:
    """A lead of twelve days is held against others of twelve days, with the visits they had by then."""
    as_of = datetime(2025, 9, 1)
    young = next(row for row in past.leads if datetime(2025, 8, 18) < row["created"] < datetime(2025, 8, 21))
    told = similar_to(company, young["id"], as_of, limit=3)
    assert told.age == as_of - young["created"] != 0 * DAY
    created = {row["id"]: row["created"] for row in past.leads}
    for row in told.rows:
        assert row.as_of == created[row.id] + told.age
        assert company.explain(row.id, as_of=row.as_of).score == pytest.approx(row.score, abs=1e-9)
