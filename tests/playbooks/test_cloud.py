"""Cloud: criticality, failures, waits and GPUs on the example, then on the trace of a real cluster."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from leadlight.templates.init import init
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from case import Case

Made = Callable[[str], "tuple[Case, Workspace]"]
TODAY = datetime(2026, 6, 30, 17)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("cloud") / "cluster"
    init(folder, playbook="cloud", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    (warning,) = workspace.check().warnings  # criticality is nobody's outcome: it ranks, and is not judged
    assert (warning.file, "it can rank, but not be judged" in warning.message) == ("scorecards/criticality.yaml", True)
    workspace.ingest()
    return workspace


def test_the_example_ranks_by_criticality(example: Workspace) -> None:
    found = example.rank()
    assert (found.entity, found.scorecard, found.total, found.excluded) == ("workload", "criticality", 35, 155)
    first = found.rows[0].ledger
    assert first.grade == "critical"
    assert sum(item.points for item in first.contributions) == pytest.approx(first.score)
    assert {group.name for group in example.rank(per="team").groups} == {"search", "ads", "maps", "research"}


def test_the_example_gives_gpus_to_workloads(example: Workspace) -> None:
    found = example.allocate(limit=100)
    assert (found.entity, found.total, found.pool_count) == ("workload", 27, 5)
    assert found.by_rank.used["gpu"] <= found.capacity["gpu"] == 16
    assert found.best.value >= found.by_rank.value
    assert found.best.solved
    ranks = [item.rank for item in found.served]
    assert ranks == sorted(ranks)
    assert ranks[:3] == [1, 2, 3]  # the most critical have what they asked for
    for pool in found.pools:
        assert all(pool.used[name] <= pool.capacity[name] + 1e-6 for name in pool.used)
    wishes = dict(duckdb.sql(f"SELECT workload, any_value(gpu_model) FROM '{example.root}/data/workloads.csv' "
                             "GROUP BY 1").fetchall())  # fmt: skip
    nodes = dict(duckdb.sql(f"SELECT node, model FROM '{example.root}/data/nodes.csv'").fetchall())
    for item in found.served:
        if wishes[item.id] and item.need["gpu"]:
            assert nodes[item.pool] in wishes[item.id].split("|")


@pytest.mark.parametrize("card", ["failure", "wait"])
def test_the_example_is_judged(example: Workspace, card: str) -> None:
    found = example.evaluate(card)
    assert found.metrics.auc is not None
    assert found.metrics.auc.value > 0.6
    assert "workloads" in str(found)


def test_a_report_of_the_example_says_workload(example: Workspace, tmp_path: Path) -> None:
    example.report(tmp_path / "failure.html", "failure")
    page = (tmp_path / "failure.html").read_text()
    assert "workload" in page
    assert ">lead<" not in page


# ---------------------------------------------------------------------------------------------------- a real cluster


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "card", "rows", "wins", "auc", "first_come"),
    [
        ("cloud_failure", "failure", 7_606, 1_764, 0.868, 0.606),
        ("cloud_wait", "wait", 8_152, 2_027, 0.723, 0.370),
    ],
)
def test_the_card_beats_first_come(
    made_case: Made, name: str, card: str, rows: int, wins: int, auc: float, first_come: float
) -> None:
    _, workspace = made_case(name)
    found = workspace.evaluate(card)
    assert (found.metrics.n, found.metrics.wins) == (rows, wins)
    assert found.metrics.auc.value == pytest.approx(auc, abs=0.0005)
    oldest = next(item for item in found.against if "oldest" in item.other)
    assert found.metrics.auc.value - oldest.difference.value == pytest.approx(first_come, abs=0.001)


@pytest.mark.data
def test_learned_from_a_real_cluster(made_case: Made, tmp_path: Path) -> None:
    case, made = made_case("cloud_failure")
    shutil.copytree(made.root, tmp_path / "cluster")
    workspace = Workspace(tmp_path / "cluster", now=lambda: case.now)
    run = workspace.learn(outcome="failure", against="failure", force=True)
    verdict = run.learned.verdict
    assert verdict.metrics.auc.value > 0.85
    assert not {"state", "workload"} & set(run.learned.spec.features)
    workspace.report(tmp_path / "failure.html", run.placed.name)


@pytest.mark.data
def test_a_whole_trace_at_once_onto_its_nodes(made_case: Made, tmp_path: Path) -> None:
    """All 8,152 pods ask at the same moment, as in Weng et al. 2023: 1,523 nodes, three resources."""
    case, made = made_case("cloud_failure")
    shutil.copytree(made.root, tmp_path / "cluster")
    (tmp_path / "cluster" / "leadlight.duckdb").unlink()
    file = tmp_path / "cluster" / "data" / "workloads.csv"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE pods AS SELECT * FROM read_csv('{file}') WHERE state = 'waiting'")
        connection.execute(f"COPY pods TO '{file}' (HEADER)")
    workspace = Workspace(tmp_path / "cluster", now=lambda: case.now)
    workspace.ingest()
    found = workspace.allocate("criticality")
    assert (found.total, found.pool_count) == (8_152, 1_523)
    assert (found.by_rank.served, round(found.by_rank.used["gpu"])) == (7_508, 5_685)
    assert found.reasons == {"enough is left, but not in one pool": 644}
    assert found.share == pytest.approx(0.968, abs=0.0005)
    assert not found.best.solved
    assert found.best.gap == pytest.approx(0.028, abs=0.0005)
    for pool in found.pools:
        assert all(pool.used[name] <= pool.capacity[name] * (1 + 1e-6) for name in pool.used)
    scarce = workspace.allocate(
        "criticality", capacity={"gpu": 2_000, "cpu_milli": 40_000_000},
        need={"gpu": "gpu_need", "cpu_milli": "cpu_milli"}, time_limit=120,
    )  # fmt: skip
    assert (scarce.by_rank.served, scarce.best.served, scarce.best.solved) == (2_757, 4_072, True)
    assert scarce.share == pytest.approx(0.758, abs=0.0005)
