"""The verb on the shop: what is asked for, what comes of it, what is refused."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from tests.scorecards.shop import WORKSPACE, open_shop

from leadlight.errors import NotFoundError, UsageError
from leadlight.workspace import Workspace

AGENTS = [{"agent": "ann", "hours": 1, "skills": "vp manager"}, {"agent": "bo", "hours": 1, "skills": "manager"}]


def test_strictly_by_rank_and_the_best_total(shop: Workspace) -> None:
    """Ranked: ann 37 (500 employees), bob 12.5 (500), di -5 (5), cy 31 (50, gated behind)."""
    found = shop.allocate(capacity={"money": 600}, need={"money": "employees"})
    assert [(item.rank, item.id, item.pool) for item in found.served] == [
        (1, "ann", "(all)"),
        (3, "di", "(all)"),
        (4, "cy", "(all)"),
    ]
    assert [(item.id, item.reason, item.best_pool) for item in found.waiting] == [
        ("bob", "needs 500 money, 45 left", None)
    ]
    assert (found.by_rank.served, found.by_rank.value, found.by_rank.used) == (3, 37.0, {"money": 555.0})
    assert found.best is not None
    assert (found.best.solved, found.best.value, found.share) == (True, 37.0, 1.0)
    assert found.reasons == {"not enough money left": 1}
    assert (found.unit, found.capacity, found.total) == ("points", {"money": 600.0}, 4)


def test_what_keeping_to_the_rank_costs(tmp_path: Path) -> None:
    house = """
groups:
  g: {criteria: [{name: N, feature: employees, bands: [[null, 100, 6], [100, null, 10]], missing: 0}]}
"""
    workspace = open_shop(tmp_path, house=house)
    workspace.ingest()
    found = workspace.allocate(capacity={"days": 2}, need={"days": 1}, limit=1)
    assert [item.id for item in found.served] == ["ann"]
    small = workspace.allocate(capacity={"money": 500}, need={"money": "employees"})
    assert [item.id for item in small.served] == ["ann"]
    assert small.best is not None
    assert (small.by_rank.value, small.best.value, small.best.served) == (10.0, 12.0, 2)
    assert small.share == pytest.approx(10 / 12)
    assert small.served[0].best_pool is None


def test_agents_by_what_they_can_do(shop: Workspace, tmp_path: Path) -> None:
    found = shop.allocate(
        capacity={"hours": "hours"}, pools=AGENTS, fits="contains(pool_skills, seniority)", target=tmp_path / "all.csv"
    )
    assert {item.id: item.pool for item in found.served} == {"ann": "ann", "bob": "bo"}
    assert {item.id: item.reason for item in found.waiting} == {
        "di": "no pool may serve it",
        "cy": "needs 1 hours, 0 left",
    }
    assert [(pool.name, pool.served, pool.used) for pool in found.pools] == [
        ("ann", 1, {"hours": 1.0}),
        ("bo", 1, {"hours": 1.0}),
    ]
    with (tmp_path / "all.csv").open() as file:
        rows = [(row["rank"], row["id"], row["need_hours"], row["pool"], row["reason"]) for row in csv.DictReader(file)]
    assert rows == [
        ("1", "ann", "1.0", "ann", ""), ("2", "bob", "1.0", "bo", ""), ("3", "di", "1.0", "", "no pool may serve it"),
        ("4", "cy", "1.0", "", "not enough hours left"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["agents.csv", "agents.yaml"])
def test_pools_from_a_file_named_in_the_workspace(tmp_path: Path, name: str) -> None:
    (tmp_path / "agents.csv").write_text("Agent;Hours per day;Skills\nann;1;vp manager\nbo;1;manager\n")
    (tmp_path / "agents.yaml").write_text(
        "- {agent: ann, hours_per_day: 1, skills: vp manager}\n- {agent: bo, hours_per_day: 1, skills: manager}\n"
    )
    told = (
        f'\nallocate: {{capacity: {{hours: hours_per_day}}, pools: {name}, fits: "contains(pool_skills, seniority)"}}\n'
    )
    workspace = open_shop(tmp_path, workspace=WORKSPACE + told)
    workspace.ingest()
    assert {item.id: item.pool for item in workspace.allocate().served} == {"ann": "ann", "bob": "bo"}


def test_a_capacity_for_each_value(shop: Workspace) -> None:
    found = shop.allocate(capacity={"leads": 1}, per="account", optimise=False)
    assert {item.id: item.pool for item in found.served} == {"ann": "Acme", "di": "(none)", "cy": "Rival"}
    assert (found.best, found.share, found.pool_count) == (None, None, 3)


def test_a_feature_as_the_need(shop: Workspace) -> None:
    found = shop.allocate(capacity={"visits": 10}, need={"visits": "visits_30d"})
    assert found.by_rank.used == {"visits": 3.0}  # ann has been three times, the others not at all


def test_gated_ahead_are_served_first_in_both(tmp_path: Path) -> None:
    house = """
groups:
  g: {criteria: [{name: N, feature: employees, bands: [[null, 100, 6], [100, null, 10]], missing: 0}]}
gates: [{name: Urgent, when: "id = 'di'", grade: now}]
grades: {score: {now: 50, later: null}}
"""
    workspace = open_shop(tmp_path, house=house)
    workspace.ingest()
    found = workspace.allocate(capacity={"leads": 1})
    assert [(item.id, item.best_pool) for item in found.served] == [("di", "(all)")]


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        ({}, UsageError, "how much is there to give away"),
        ({"capacity": {"a": "x"}}, UsageError, "the column 'x', but there are no pools"),
        ({"capacity": {"a": 1}, "need": {"b": 1}}, UsageError, "a need of b but no capacity"),
        ({"capacity": {"a": 1}, "need": {"a": "seniority"}}, UsageError, "seniority is text, not a number"),
        ({"capacity": {"a": 1}, "need": {"a": "employes"}}, NotFoundError, "did you mean 'employees'"),
        ({"capacity": {"a": 1}, "fits": "true"}, UsageError, "there are no pools"),
        ({"capacity": {"a": 1}, "fits": "true", "per": "account"}, UsageError, "exclude each other"),
        ({"capacity": {"a": "skills"}, "pools": AGENTS}, UsageError, "which is no number from 0 on"),
        ({"capacity": {"a": "hour"}, "pools": AGENTS}, NotFoundError, "did you mean 'hours'"),
        ({"capacity": {"a": 1}, "pools": AGENTS, "fits": "pool_skill = 'x'"}, UsageError, "did you mean 'pool_skills'"),
        ({"capacity": {"a": 1}, "pools": [*AGENTS, AGENTS[0]]}, UsageError, "two pools are called 'ann'"),
        ({"capacity": {"a": 1}, "pools": [{"agent": ""}]}, UsageError, "a pool has no name"),
        ({"capacity": {"a": 1}, "pools": "nowhere.csv"}, NotFoundError, "cannot read the pools"),
        ({"capacity": {"a": 1}, "target": Path("list.txt")}, UsageError, "cannot write 'list.txt'"),
    ],
)
def test_what_makes_no_sense(shop: Workspace, told: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        shop.allocate(**told)


def test_only_some_ask(shop: Workspace) -> None:
    found = shop.allocate(capacity={"leads": 1}, where="account <> 'Acme'")
    assert [item.id for item in (*found.served, *found.waiting)] == ["cy"]
    with pytest.raises(UsageError, match=r"`where` is no condition.*did you mean 'account'"):
        shop.allocate(capacity={"leads": 1}, where="acount = 'Acme'")


def test_what_fits_is_told_of_those_who_ask(shop: Workspace) -> None:
    """Kinds of leads are numbered among those who ask: a `where` must not shift them."""
    pools = [{"agent": "ann", "skills": "vp"}, {"agent": "bo", "skills": "manager"}]
    found = shop.allocate(capacity={"leads": 9}, pools=pools, fits="pool_skills = seniority", where="id <> 'bob'")
    assert {item.id: item.pool for item in found.served} == {"ann": "ann", "cy": "ann"}


def test_a_capacity_told_now_is_the_whole_of_it(tmp_path: Path) -> None:
    told = """
allocate:
  capacity: {hours: hours}
  need: {hours: 1}
  pools: [{agent: ann, hours: 1, skills: vp manager}, {agent: bo, hours: 1, skills: manager}]
  fits: "contains(pool_skills, seniority)"
"""
    workspace = open_shop(tmp_path, workspace=WORKSPACE + told)
    workspace.ingest()
    assert workspace.allocate().pool_count == 2
    assert workspace.allocate(capacity={"leads": 3}).by_rank.served == 3  # of all, without the agents
    assert workspace.allocate(capacity={"leads": 1}, per="account").pool_count == 3
    assert workspace.allocate(fits="pool_agent = 'bo'").by_rank.served == 1


def test_too_many_pools_of_their_own(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadlight.allocate.allocate.MOST_OWN", 2)
    with pytest.raises(UsageError, match="3 pools are too many"):
        shop.allocate(capacity={"leads": 1}, per="account")
