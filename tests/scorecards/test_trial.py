from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards.shop import HOUSE, WORKSPACE, open_shop

from leadlight.scorecards.trial import TrialError
from leadlight.workspace import Workspace


def test_the_same_lead_gets_the_same_ledger(shop: Workspace) -> None:
    tried = shop.try_lead(
        {
            "id": "ann", "created_at": "2026-01-01", "account": "Acme", "seniority": "vp", "employees": 500,
            "email": "ann@acme.example",
            "events": [
                {"type": "page_view", "at": "2026-02-19", "path": "/pricing"},
                {"type": "page_view", "at": "2026-02-09", "path": "/pricing/team"},
                {"type": "page_view", "at": "2026-02-27", "path": "/blog"},
                {"type": "demo", "at": "2026-02-20"},
            ],
        }
    )  # fmt: skip
    stored = {item.key: item.points for item in shop.explain("ann").contributions}
    assert {item.key: item.points for item in tried.contributions} == pytest.approx(stored)


def test_what_is_known_of_an_account_counts_though_it_is_not_named(tmp_path: Path) -> None:
    firms = WORKSPACE.replace("sources:\n", "sources:\n  firms: {csv: firms.csv, account: name}\n")
    (tmp_path / "firms.csv").write_text("name,staff\nAcme,500\n")
    shop = open_shop(tmp_path, workspace=firms, house=HOUSE.replace("feature: employees", "feature: staff"))
    shop.ingest()
    unnamed, named = shop.try_lead({"staff": 500}), shop.try_lead({"staff": 500, "account": "Other"})
    assert {item.name: item.points for item in unnamed.contributions}["Company size"] == 12
    assert unnamed.score == named.score
    assert shop.try_lead({"staff": None}).score == shop.try_lead({}).score


def test_all_faults_at_once(shop: Workspace) -> None:
    with pytest.raises(TrialError) as caught:
        shop.try_lead(
            {"senority": "vp", "employees": "many", "events": [{"type": "demo", "at": "soon", "pth": "/"}, 3]}
        )
    assert [str(fault) for fault in caught.value.faults] == [
        "senority: no such attribute: did you mean 'seniority'? Known: account, created_at, email, employees, events, "
        "id, seniority",
        "employees: expected a number, found 'many'",
        "events[0].at: expected a time, found 'soon'",
        "events[0].pth: no such property: did you mean 'path'? Known: path",
        'events[1]: expected {"type": …, "at": …}, found 3',
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "5", [5], {}])
def test_what_is_no_number(shop: Workspace, value: object) -> None:
    with pytest.raises(TrialError, match="employees: expected a number"):
        shop.try_lead({"employees": value})


@pytest.mark.parametrize(
    ("lead", "message"),
    [
        ({"created_at": "2026-03-02"}, "created_at: nobody is known before being there: expected at most 2026-03-01"),
        ({"seniority": "\ud800"}, "seniority: expected a text"),
        ({"id": "\ud800"}, "id: expected a text"),
        ({"events": [{"type": "a\x00"}]}, "events.0..type: expected a text"),
    ],
)
def test_what_no_store_could_hold(shop: Workspace, lead: dict[str, object], message: str) -> None:
    with pytest.raises(TrialError, match=message):
        shop.try_lead(lead)


def test_texts_are_taken_as_they_are(shop: Workspace) -> None:
    for name in ("it's", 'a "quoted" \\ one', "ø☃", "$1 ? --"):
        assert shop.try_lead({"id": name, "account": name, "seniority": name}).id == name


def test_nothing_is_stored(shop: Workspace) -> None:
    shop.try_lead({"id": "new"})
    assert shop.rank().total == 4
