import pytest

from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.features import TypedFeatures, type_features
from leadlight.spec.findings import Findings
from leadlight.spec.models import WorkspaceSpec
from leadlight.spec.yaml import read_yaml

CATALOG = Catalog(
    attributes={"size": Type.NUMBER, "industry": Type.TEXT, "seen": Type.TIME, "member": Type.BOOL},
    account_attributes={"revenue": Type.NUMBER},
    properties={"path": Type.TEXT, "amount": Type.NUMBER, "due": Type.TIME},
    events=frozenset({"order"}),
)


def typed(text: str) -> tuple[TypedFeatures, list[str]]:
    parsed = read_yaml(text, "f")
    findings = Findings(parsed.marks)
    result = type_features(WorkspaceSpec.model_validate(parsed.value).features, CATALOG, findings)
    return result, [str(fault) for fault in findings.faults]


@pytest.mark.parametrize(
    ("feature", "kind"),
    [
        ("{attribute: industry}", Type.TEXT),
        ("{attribute: revenue}", Type.NUMBER),
        ("{attribute: member}", Type.BOOL),
        ("{expr: size * 2}", Type.NUMBER),
        ("{expr: size > revenue}", Type.BOOL),
        ("{expr: lower(industry)}", Type.TEXT),
        ("{expr: as_of}", Type.TIME),
        ("{age: created_at}", Type.NUMBER),
        ("{age: seen}", Type.NUMBER),
        ("{count: order, where: amount > 5}", Type.NUMBER),
        ("{count: '*'}", Type.NUMBER),
        ("{sum: order, property: amount}", Type.NUMBER),
        ("{min: order, property: amount}", Type.NUMBER),
        ("{max: order, property: due}", Type.TIME),
        ("{avg: order, property: amount}", Type.NUMBER),
        ("{distinct: order, property: path}", Type.NUMBER),
        ("{share: order, where: amount > 5}", Type.NUMBER),
        ("{recency: order}", Type.NUMBER),
        ("{decayed: order, half_life: 3d}", Type.NUMBER),
        ("{decayed: order, half_life: 3d, property: amount}", Type.NUMBER),
        ("{trend: order, within: 7d}", Type.NUMBER),
        ("{account: {count: order}}", Type.NUMBER),
        ("{account: {max: order, property: due}}", Type.TIME),
        ("{account: {distinct_leads: order}}", Type.NUMBER),
        ("{account: {sum: size}}", Type.NUMBER),
        ("{account: {max: seen}}", Type.TIME),
    ],
)
def test_type_of_a_feature(feature: str, kind: Type) -> None:
    result, faults = typed(f"features: {{x: {feature}}}")
    assert faults == []
    assert result.features["x"].type is kind


def test_features_come_behind_those_they_use_whatever_the_order_in_the_file() -> None:
    result, faults = typed(
        "features:\n  d: {expr: C + b}\n  c: {account: {sum: b}}\n  b: {expr: a * 2}\n  a: {count: order}\n"
    )
    assert faults == []
    assert list(result.features) == ["a", "b", "c", "d"]


def test_parsed_texts_come_along() -> None:
    result, _ = typed("features:\n  a: {count: order, where: amount > 5}\n  b: {expr: a + 1}\n")
    where, expression = result.features["a"].where, result.features["b"].expression
    assert where is not None
    assert where.names == {"amount"}
    assert expression is not None
    assert expression.names == {"a"}


def test_feature_may_have_the_name_of_the_attribute_it_is() -> None:
    result, faults = typed("features: {size: {attribute: size}, twice: {expr: size * 2}}")
    assert faults == []
    assert list(result.features) == ["size", "twice"]


def test_word_in_quotes_is_no_use_of_a_feature() -> None:
    result, faults = typed("features:\n  a: {expr: \"industry = 'b'\"}\n  b: {expr: \"industry = 'a'\"}\n")
    assert faults == []
    assert list(result.features) == ["a", "b"]


def test_warning_breaks_no_feature() -> None:
    result, faults = typed("features: {a: {count: ordr}}")
    assert list(result.features) == ["a"]
    assert faults == [
        "f:1:23: features.a.count: no event of type 'ordr' has been read: did you mean 'order'? Known: order (warning)"
    ]


def test_two_circles_are_both_told_and_the_rest_is_typed() -> None:
    result, faults = typed(
        "features:\n  a: {expr: b}\n  b: {expr: a}\n  c: {expr: d}\n  d: {expr: c}\n"
        "  e: {count: order}\n  f: {expr: a + 1}\n"
    )
    assert [fault.partition(": ")[2] for fault in faults] == [
        "features.a: features use each other in a circle: a → b → a",
        "features.c: features use each other in a circle: c → d → c",
    ]
    assert list(result.features) == ["e"]
    assert result.broken == {"a", "b", "c", "d", "f"}


def test_long_chain_of_features_is_typed() -> None:
    lines = [f"  f{i}: {{expr: f{i + 1} + 1}}" for i in range(400)]
    result, faults = typed("\n".join(["features:", *lines, "  f400: {count: order}"]))
    assert faults == []
    assert next(iter(result.features)) == "f400"
    assert len(result.features) == 401
