"""Network: connections and hosts on the example, then the train and test files of NSL-KDD."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadlight.errors import DataError
from leadlight.templates.init import init
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from case import Case

Made = Callable[[str], "tuple[Case, Workspace]"]
TODAY = datetime(2026, 6, 30, 17)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The playbook with its example data, read."""
    folder = tmp_path_factory.mktemp("network") / "net"
    init(folder, playbook="network", today=date(2026, 6, 30))
    workspace = Workspace(folder, now=lambda: TODAY)
    assert workspace.check().warnings == ()
    workspace.ingest()
    return workspace


def test_the_example_ranks_connections(example: Workspace) -> None:
    found = example.rank(limit=300)
    assert (found.entity, found.scorecard, found.total) == ("connection", "attack", 300)
    for row in found.rows:
        assert math.fsum(item.points for item in row.ledger.contributions) == pytest.approx(row.ledger.score)
    judged = example.evaluate("attack")
    assert (judged.metrics.n, judged.metrics.wins) == (300, 118)
    assert judged.metrics.auc.value > 0.9


def test_the_example_ranks_hosts(example: Workspace) -> None:
    found = example.rank("hosts")
    assert found.rows[0].ledger.id == "10.0.0.5"
    assert found.rows[0].ledger.grade == "alarm"
    assert found.total == 11


def test_each_kind_of_attack_is_an_outcome(example: Workspace) -> None:
    assert set(example.loaded.workspace.spec.outcomes) == {"attack", "flood", "scan", "intrusion"}


def test_a_report_says_connection(example: Workspace, tmp_path: Path) -> None:
    example.report(tmp_path / "attack.html", "attack")
    page = (tmp_path / "attack.html").read_text()
    assert "connections" in page
    assert ">lead<" not in page


def test_a_share_in_percent_is_told_before_anything_is_read(example: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    shutil.copytree(example.root, folder)
    path = folder / "data" / "connections.csv"
    header, *rows = path.read_text().splitlines()
    place = header.split(",").index("serror_rate")
    percent = [row.split(",") for row in rows]
    for row in percent:
        row[place] = str(float(row[place]) * 100)
    path.write_text("\n".join([header, *(",".join(row) for row in percent)]) + "\n")
    with pytest.raises(DataError, match="serror_rate"):
        Workspace(folder, now=lambda: TODAY).check()


@pytest.mark.data
def test_hand_written_on_nsl_kdd(made_case: Made) -> None:
    _, workspace = made_case("network_kdd")
    found = workspace.evaluate("attack", since=datetime(2026, 3, 1))
    assert (found.metrics.n, found.metrics.wins) == (22_544, 12_833)
    assert found.metrics.auc.value > 0.9
    beside = {item.other: item.difference.low for item in found.against if item.figure == "auc"}
    assert beside["rate: connections in two seconds"] > 0.2
    assert beside["error rate"] > 0.05
    assert found.entity == "connection"


@pytest.mark.data
def test_flows_are_scored_in_bulk(made_case: Made, tmp_path: Path) -> None:
    """Well over 50,000 a second in bulk on an idle machine; here 48,000 rows, where starting counts most."""
    case, made = made_case("network_kdd")
    shutil.copytree(made.root, tmp_path / "net")
    scored = Workspace(tmp_path / "net", now=lambda: case.now).score("attack")[0]
    assert scored.scored == 47_736
    assert scored.scored / scored.seconds > 5_000


@pytest.mark.data
@pytest.mark.slow
def test_learned_on_nsl_kdd(made_case: Made, tmp_path: Path) -> None:
    case, made = made_case("network_kdd")
    shutil.copytree(made.root, tmp_path / "net")
    workspace = Workspace(tmp_path / "net", now=lambda: case.now)
    run = workspace.learn(outcome="attack", against="attack", force=True)
    verdict = run.learned.verdict
    assert (verdict.metrics.n, verdict.metrics.wins) == (22_544, 12_833)
    assert verdict.metrics.auc.value > 0.925
    assert not verdict.publishable, "18 new kinds of attack: it ranks them, and is too sure"
