"""Numbers that people rank by today: beside the scorecards that are judged, and never learned from by accident."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from tests.learn.company import make_company

from leadlight.errors import SpecError
from leadlight.learn.run import LearnRun
from leadlight.learn.training import past_rows
from leadlight.workspace import Workspace

LEARN = """
learn:
  beside:
    Size: size
    Referred: "source = 'referral'"
  capacity: 0.03
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_company(tmp_path_factory.mktemp("beside"), leads=900, learn=LEARN)


@pytest.fixture(scope="module")
def run(company: Workspace) -> LearnRun:
    found = company.learn(force=True)
    assert isinstance(found, LearnRun)
    return found


def test_they_stand_beside_the_learned_one(run: LearnRun) -> None:
    verdict = run.learned.verdict
    systems = dict(verdict.systems)
    assert {"Size", "Referred"} < systems.keys()
    assert {metrics.n for metrics in systems.values()} == {verdict.n}
    assert [name for name, _ in verdict.beside] == ["Size", "Referred"]
    assert "Better than Referred? " in str(verdict)
    assert verdict.as_dict()["beside"].keys() == {"Size", "Referred"}


def test_the_gain_at_the_capacity_is_told(run: LearnRun) -> None:
    for name, metrics in run.learned.verdict.systems:
        assert metrics.capacity == 0.03
        assert metrics.gain_at is not None
        assert metrics.gain_5 is not None
        assert 0 <= metrics.gain_at.value <= metrics.gain_5.value + 1e-9, name
    assert run.as_dict()["verdict"]["systems"]["Size"]["gain_at"]["value"] >= 0


def test_an_attribute_to_be_held_against_is_not_learned_from(run: LearnRun) -> None:
    names = {feature for criterion in run.learned.criteria for feature in _features(criterion)}
    assert names
    assert not names & {"size", "source"}


def _features(criterion: object) -> list[str]:
    return list(getattr(criterion, "features", None) or [getattr(criterion, "feature", "")])


def test_evaluate_has_them_too_and_the_missing_come_last(company: Workspace) -> None:
    found = company.evaluate("house")
    beside = dict(found.beside)
    with company.store() as engine:
        resolved = company._ready(engine)
        rows = past_rows(engine, resolved, company.now())
        sizes = dict(engine.rows("SELECT lead, size FROM attributes WHERE known_until > '9000-01-01'"))
    size = np.array([sizes.get(lead) if sizes.get(lead) is not None else -1.0 for lead in rows.lead.tolist()])
    assert (size < 0).any()
    auc, precision = beside["Size"].auc, beside["Size"].average_precision
    assert auc is not None
    assert precision is not None
    assert auc.value == pytest.approx(roc_auc_score(rows.won, size))
    assert precision.value == pytest.approx(average_precision_score(rows.won, size))
    assert {item.other for item in found.against} == {"oldest first", "newest first", "Size", "Referred"}
    assert "Size: AUC" in str(found)
    assert found.as_dict()["beside"]["Referred"]["n"] == found.metrics.n


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        (
            "source",
            "leadlight.yaml:10:19: learn.beside.Queue: Queue ranks by a number, the higher the sooner; source is text",
        ),
        ("soure", "leadlight.yaml:10:19: learn.beside.Queue.expr: there is no name 'soure': did you mean 'source'?"),
    ],
)
def test_what_is_no_number_is_refused(company: Workspace, tmp_path: Path, expression: str, fault: str) -> None:
    text = (company.root / "leadlight.yaml").read_text(encoding="utf-8").partition("learn:")[0]
    (tmp_path / "leadlight.yaml").write_text(f"{text}learn:\n  beside: {{Queue: {expression}}}\n", encoding="utf-8")
    for name in ("leads.csv", "events.parquet", "deals.csv"):
        (tmp_path / name).symlink_to(company.root / name)
    with pytest.raises(SpecError) as raised:
        Workspace(tmp_path).check()
    assert str(raised.value.faults[0]).startswith(fault)
