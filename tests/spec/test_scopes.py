import pytest

from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.models import SourceSpec, WorkspaceSpec
from leadlight.spec.resolved import ResolvedFeature
from leadlight.spec.scopes import account_scope, event_scope, lead_scope, outcome_scope

CATALOG = Catalog(
    attributes={"size": Type.NUMBER, "country": Type.TEXT},
    account_attributes={"revenue": Type.NUMBER, "country": Type.TEXT},
    properties={"path": Type.TEXT},
    outcome=("stage", Type.TEXT),
)
SPEC = WorkspaceSpec.model_validate(
    {
        "features": {
            "views": {"count": "page_view"},
            "theirs": {"account": {"count": "page_view"}},
            "big": {"expr": "size > 5"},
            "days": {"age": "created_at"},
            "country": {"attribute": "country"},
        }
    }
)
FEATURES = {
    name: ResolvedFeature(name, spec, Type.BOOL if name == "big" else Type.NUMBER)
    for name, spec in SPEC.features.items()
    if name != "country"
}


def test_condition_about_a_lead_may_use() -> None:
    scope = lead_scope(CATALOG, FEATURES, frozenset())
    assert dict(scope.types) == {
        "size": Type.NUMBER, "country": Type.TEXT, "revenue": Type.NUMBER, "created_at": Type.TIME,
        "account": Type.TEXT, "id": Type.TEXT, "as_of": Type.TIME, "views": Type.NUMBER, "theirs": Type.NUMBER,
        "big": Type.BOOL, "days": Type.NUMBER, "outcome": Type.TEXT,
    }  # fmt: skip
    assert scope.twice == {"country"}


def test_condition_about_an_account_may_use() -> None:
    scope = account_scope(CATALOG, FEATURES, frozenset())
    assert dict(scope.types) == {
        "revenue": Type.NUMBER, "country": Type.TEXT, "account": Type.TEXT, "leads": Type.NUMBER,
        "views": Type.NUMBER, "theirs": Type.NUMBER,
    }  # fmt: skip
    assert scope.twice == frozenset()


def test_where_may_use_properties_only() -> None:
    assert dict(event_scope(CATALOG).types) == {"path": Type.TEXT}


@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        (
            ("stage", Type.TEXT),
            {"stage": Type.TEXT, "deal_stage": Type.TEXT, "outcome": Type.TEXT, "value": Type.NUMBER},
        ),
        (
            ("converted", Type.BOOL),
            {"converted": Type.BOOL, "deal_stage": Type.BOOL, "outcome": Type.BOOL, "value": Type.NUMBER},
        ),
        (None, {"deal_stage": Type.TEXT, "outcome": Type.TEXT, "value": Type.NUMBER}),
    ],
)
def test_win_and_lose_may_use(outcome: tuple[str, Type] | None, names: dict[str, Type]) -> None:
    source = SourceSpec.model_validate({"csv": "a.csv", "lead": "id", "outcome": "Deal Stage"})
    spec = WorkspaceSpec(sources={"deals": source})
    assert dict(outcome_scope(Catalog(outcome=outcome), spec).types) == names
