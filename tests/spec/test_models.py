from datetime import timedelta

import pytest
from pydantic import ValidationError

from leadlight.spec import models
from leadlight.spec.models import GradesSpec, ScorecardSpec, SourceKind, SourceSpec, WorkspaceSpec


@pytest.mark.parametrize(
    ("keys", "role"),
    [
        ({"id": "x"}, SourceKind.LEADS),
        ({"id": "x", "outcome": "y"}, SourceKind.LEADS),
        ({"account": "x"}, SourceKind.ACCOUNTS),
        ({"id": "x", "account": "y"}, SourceKind.LEADS),
        ({"lead": "x", "type": "t", "at": "a"}, SourceKind.EVENTS),
        ({"lead": "x", "event": "click", "at": "a"}, SourceKind.EVENTS),
        ({"lead": "x", "outcome": "o"}, SourceKind.OUTCOMES),
        ({"lead": "x", "outcome_is": "won"}, SourceKind.OUTCOMES),
        ({"id": "x", "account": "y", "kind": "accounts"}, SourceKind.ACCOUNTS),
    ],
)
def test_role_of_a_source_follows_from_its_keys(keys: dict[str, str], role: SourceKind) -> None:
    source = SourceSpec.model_validate({"csv": "a.csv", **keys})
    assert (source.role, source.format, source.location) == (role, "csv", "a.csv")


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"attribute": "x"}, models.AttributeFeature),
        ({"expr": "x"}, models.ExprFeature),
        ({"age": "created_at"}, models.AgeFeature),
        ({"count": "*"}, models.CountFeature),
        ({"sum": "x", "property": "y"}, models.SumFeature),
        ({"min": "x", "property": "y"}, models.MinFeature),
        ({"max": "x", "property": "y"}, models.MaxFeature),
        ({"avg": "x", "property": "y"}, models.AvgFeature),
        ({"distinct": "x", "property": "y"}, models.DistinctFeature),
        ({"share": "x", "where": "y"}, models.ShareFeature),
        ({"recency": "x"}, models.RecencyFeature),
        ({"decayed": "x", "half_life": "3d"}, models.DecayedFeature),
        ({"trend": "x", "within": "3d"}, models.TrendFeature),
    ],
)
def test_kind_of_a_feature_follows_from_its_key(written: dict[str, str], kind: type[models.Spec]) -> None:
    spec = WorkspaceSpec.model_validate({"features": {"a": written}})
    assert type(spec.features["a"]) is kind
    if kind not in (models.AttributeFeature, models.ExprFeature, models.AgeFeature):
        over = WorkspaceSpec.model_validate({"features": {"a": {"account": written}}}).features["a"]
        assert isinstance(over, models.AccountFeature)
        assert type(over.account) is kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"sum": "x"}, models.LeadSumFeature),
        ({"max": "x"}, models.LeadMaxFeature),
        ({"distinct_leads": "x", "within": "1d"}, models.DistinctLeadsFeature),
    ],
)
def test_kinds_that_only_accounts_have(written: dict[str, str], kind: type[models.Spec]) -> None:
    feature = WorkspaceSpec.model_validate({"features": {"a": {"account": written}}}).features["a"]
    assert isinstance(feature, models.AccountFeature)
    assert type(feature.account) is kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"feature": "x", "points": {"a": 1}}, models.CategoryCriterion),
        ({"feature": "x", "bands": [[0, 1, 2]]}, models.BandCriterion),
        ({"features": ["x", "y"], "table": {}}, models.PairCriterion),
        ({"event": "x", "points": 1}, models.EventCriterion),
        ({"when": "x", "points": 1}, models.WhenCriterion),
    ],
)
def test_kind_of_a_criterion_follows_from_its_keys(written: dict[str, object], kind: type[models.Spec]) -> None:
    spec = ScorecardSpec.model_validate({"groups": {"fit": {"criteria": [{"name": "a", **written}]}}})
    assert type(spec.groups["fit"].criteria[0]) is kind


def test_grades_of_one_axis_are_its_levels_the_best_first() -> None:
    grades = GradesSpec.model_validate({"score": {"C": 0, "A": 40, "D": None, "B": 20}})
    assert grades.axes == {"score": [("D", None), ("C", 0.0), ("B", 20.0), ("A", 40.0)]}
    assert grades.labels == ["A", "B", "C", "D"]


def test_grades_of_two_axes_are_all_pairs() -> None:
    grades = GradesSpec.model_validate({"fit": {"A": 1, "B": None}, "engagement": {2: None, 1: 5}})
    assert grades.labels == ["A1", "A2", "B1", "B2"]


def test_specs_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        WorkspaceSpec().entity = "ticket"  # type: ignore[misc]


@pytest.mark.parametrize("base", ["5", True, None, float("nan"), float("inf")])
def test_what_only_looks_like_a_number_is_none(base: object) -> None:
    with pytest.raises(ValidationError):
        ScorecardSpec.model_validate({"groups": {"fit": {}}, "base": base})


def test_keys_of_points_keep_their_type() -> None:
    criterion = models.CategoryCriterion.model_validate({"name": "a", "feature": "x", "points": {1: 1, "1": 2, 2.5: 3}})
    assert list(criterion.points) == [1, "1", 2.5]
    flags = models.CategoryCriterion.model_validate({"name": "a", "feature": "x", "points": {True: 1}})
    assert next(iter(flags.points)) is True


def test_defaults_of_a_workspace() -> None:
    spec = WorkspaceSpec.model_validate({"outcome": {"win": "x"}})
    assert (spec.entity, spec.store) == ("lead", "duckdb:leadlight.duckdb")
    assert spec.outcome is not None
    assert spec.outcome.horizon == timedelta(days=90)
