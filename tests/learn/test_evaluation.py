from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.learn.company import UNTIL

from leadlight.errors import NotFoundError
from leadlight.learn.line import Wish
from leadlight.learn.run import LearnRun
from leadlight.learn.training import past_rows
from leadlight.scorecards.scores_at import scores_at
from leadlight.workspace import Workspace


def test_figures_are_those_of_the_rows(company: Workspace) -> None:
    found = company.evaluate("house")
    with company.store() as engine:
        resolved = company._ready(engine)
        rows = past_rows(engine, resolved, UNTIL)
        scores = scores_at(engine, resolved, resolved.scorecards["house"], rows.lead, rows.as_of)
    assert found.metrics.n == len(rows.lead)
    assert found.metrics.auc is not None
    assert found.metrics.auc.value == pytest.approx(roc_auc_score(rows.won, scores.score))
    assert sum(rate.n for rate in found.grades) == len(rows.lead)
    assert sum(rate.won for rate in found.grades) == rows.won.sum()
    a, b, c = (rate.rate for rate in found.grades)
    assert a is not None
    assert b is not None
    assert c is not None
    assert a > b > c
    assert {item.other for item in found.against} == {"oldest first", "newest first"}


def test_a_period(company: Workspace) -> None:
    since = datetime(2026, 1, 1)
    with company.store() as engine:
        rows = past_rows(engine, company._ready(engine), UNTIL)
    late = rows.time >= (since - datetime(1970, 1, 1)).days
    assert company.evaluate("house", since=since).metrics.n == int(late.sum()) < len(late)


def test_nobody_settled_is_said(company: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no lead of that period has an outcome that is settled") as caught:
        company.evaluate("house", since="2026-05-20")
    assert "30 days to settle" in str(caught.value.fix)


def test_judging_by_what_was_learned_from_is_named(taught: tuple[Workspace, LearnRun]) -> None:
    workspace, _ = taught
    (note,) = workspace.evaluate("learned").notes
    assert note.startswith("learned was learned from this period")
    # A line, and what it would have brought, are told from the same rows.
    assert workspace.threshold(Wish(per_day=1), "learned").notes == (note,)
    assert not workspace.threshold(Wish(per_day=1), "house").notes
    assert workspace.evaluate("house").notes == ()
    found = workspace.evaluate("learned")
    assert found.calibration is not None
    assert found.metrics.log_loss is not None
    assert not np.isnan(found.as_dict()["metrics"]["auc"]["value"])


def test_groups_of_a_protected_attribute_are_compared(company: Workspace) -> None:
    path = company.root / "leadlight.yaml"
    path.write_text(path.read_text() + "\nlearn: {protected: [source]}\n")
    found = Workspace(company.root, now=company.now).evaluate("house").fairness
    assert [item.attribute for item in found] == ["source"]
    groups = {group.name: group for group in found[0].groups}
    assert set(groups) == {"referral", "organic", "ads", "fair", "missing"}
    assert groups["ads"].falls_short, "the card gives referrals 20 points and ads -10"
    assert "ads" in str(found[0])
