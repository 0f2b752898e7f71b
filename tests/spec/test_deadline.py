from __future__ import annotations

from datetime import timedelta

from leadlight.spec import models
from leadlight.spec.deadline import deadline_features, deadline_name
from leadlight.spec.findings import Findings
from leadlight.spec.yaml import read_yaml


def made(text: str) -> tuple[dict[str, models.Feature], list[str], str | None]:
    parsed = read_yaml(text, "f")
    spec = models.WorkspaceSpec.model_validate(parsed.value)
    findings = Findings(parsed.marks)
    features, places = deadline_features(spec, findings)
    assert set(places.values()) <= {("deadline",)}
    assert places.keys() == features.keys()
    return features, [str(fault) for fault in findings.faults], deadline_name(spec)


def test_none_unless_told() -> None:
    assert made("entity: lead") == ({}, [], None)


def test_an_attribute() -> None:
    assert made("deadline: due_at") == ({"days_left": models.UntilFeature(until="due_at")}, [], "due_at")


def test_a_duration_after_a_moment() -> None:
    features, faults, name = made("deadline: {after: created_at, plus: 5d}")
    assert (list(features), faults, name) == (["deadline", "days_left"], [], "deadline")
    assert features["deadline"] == models.AfterFeature(after="created_at", plus=timedelta(days=5))


def test_a_duration_by_value() -> None:
    features, _, _ = made("deadline: {after: created_at, by: priority, plus: {high: 4h}, other: 2d}")
    after = features["deadline"]
    assert isinstance(after, models.AfterFeature)
    assert (after.plus, after.other) == ({"high": timedelta(hours=4)}, timedelta(days=2))


def test_a_feature_of_that_name_is_one_too_many() -> None:
    _, faults, _ = made("deadline: due_at\nfeatures: {days_left: {age: created_at}}")
    assert len(faults) == 1
    assert "`deadline:` gives a feature days_left already: leave this out" in faults[0]
