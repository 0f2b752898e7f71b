from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.errors import NotFoundError, SpecError
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.workspace import Workspace

SPEC = """
sources:
  subscribers: {csv: subscribers.csv, id: id, created_at: since}
  ends: {csv: ends.csv, lead: id, at: at, outcome: what, value: worth}
outcomes:
  renewal: {win: "what = 'renewed'", lose: "what = 'churned'", horizon: 30d, repeats: true}
  churn: {win: "what = 'churned'", horizon: 60d}
"""
CARD = "groups: {fit: {criteria: [{name: All, when: 'true', points: 1}]}}\n"


def resolved(folder: Path, spec: str = SPEC, card: str = CARD) -> ResolvedWorkspace:
    (folder / "subscribers.csv").write_text("id,since\na,2026-01-01\n")
    (folder / "ends.csv").write_text("id,at,what,worth\na,2026-02-01,renewed,5\n")
    (folder / "leadlight.yaml").write_text(spec)
    (folder / "scorecards").mkdir(exist_ok=True)
    (folder / "scorecards" / "house.yaml").write_text(card)
    workspace = Workspace(folder)
    workspace.ingest()
    with workspace.store() as engine:
        return workspace._ready(engine)


def test_a_workspace_is_seen_by_one_of_its_outcomes(tmp_path: Path) -> None:
    found = resolved(tmp_path)
    assert (found.win, found.spec.outcome, found.outcome_name) == (None, None, None)
    churn = found.toward("churn")
    assert churn.win is not None
    assert (churn.win.text, churn.lose, churn.outcome_name) == ("what = 'churned'", None, "churn")
    assert churn.spec.outcome == found.spec.outcomes["churn"]
    renewal = churn.toward("renewal")
    assert renewal.lose is not None
    assert renewal.spec.outcome == found.spec.outcomes["renewal"]
    assert churn.toward("churn") is churn


def test_the_unnamed_outcome_is_meant_where_there_is_one(tmp_path: Path) -> None:
    spec = SPEC + "outcome: {win: \"what = 'expanded'\"}\n"
    found = resolved(tmp_path, spec)
    assert found.toward(None) is found
    assert found.win is not None
    assert found.win.text == "what = 'expanded'"
    churn = found.toward("churn")
    assert churn.win != found.win
    assert churn.toward(None).win == found.win
    assert (found.meant(None), resolved(tmp_path).meant(None)) == (None, None)


def test_the_only_named_outcome_is_meant_without_a_name(tmp_path: Path) -> None:
    spec = SPEC.replace("  churn", "#  churn")
    assert resolved(tmp_path, spec).toward(None).outcome_name == "renewal"


def test_an_outcome_that_is_none_is_said_with_the_nearest(tmp_path: Path) -> None:
    found = resolved(tmp_path)
    with pytest.raises(NotFoundError, match="no outcome 'churned': did you mean 'churn'"):
        found.toward("churned")
    with pytest.raises(NotFoundError, match=r"several outcomes \(renewal, churn\)"):
        found.toward(None)


def test_a_workspace_without_outcomes_stays_as_it_is(tmp_path: Path) -> None:
    found = resolved(tmp_path, SPEC.partition("outcomes:")[0])
    assert found.toward(None) is found
    with pytest.raises(NotFoundError, match="no outcome 'churn'"):
        found.toward("churn")


def test_a_scorecard_that_names_no_outcome_of_the_workspace_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        resolved(tmp_path, card="outcome: chrun\n" + CARD)
    (fault,) = caught.value.faults
    assert (fault.line, "did you mean 'churn'" in str(fault)) == (1, True)


def test_faults_in_the_conditions_of_named_outcomes_are_found(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nothing"):
        resolved(tmp_path, SPEC.replace("win: \"what = 'churned'\"", "win: \"nothing = 'churned'\""))


def test_a_scorecard_that_names_none_of_several_outcomes_ranks_and_is_warned_of(tmp_path: Path) -> None:
    resolved(tmp_path)
    workspace = Workspace(tmp_path)
    (warning,) = workspace.check().warnings
    assert (warning.line, "say which outcome it is about (renewal, churn)" in str(warning)) == (1, True)
    assert workspace.rank("house").total == 1
    workspace.report(tmp_path / "page.html", "house")
    with pytest.raises(NotFoundError, match="several outcomes"):
        workspace.evaluate("house")
