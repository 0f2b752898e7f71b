from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.errors import UsageError
from leadlight.learn.write import scorecard_text, write_whole
from leadlight.spec.models import ScorecardSpec
from leadlight.spec.stored import document
from leadlight.spec.version import version

CARD = {
    "title": "Learned",
    "features": {"visits": {"count": "page_view", "within": "30d"}, "says_vp": {"expr": "contains(title, 'vp')"}},
    "base": -31.4,
    "groups": {
        "fit": {
            "criteria": [
                {"name": "Source: a “b”", "feature": "source", "points": {"no": 1.5, "x: y": -2, "'": 3}, "missing": 4},
                {"name": "Says vp", "feature": "says_vp", "points": {True: 2.5, False: -0.1}},
                {"name": "Size", "feature": "size", "bands": [[None, 10, -1.5], [10, None, 2]]},
                {"name": "Both", "features": ["source", "size"], "bands": {"size": [50]},
                 "table": {"a": [1, 2], "other": [0, 0]}},
            ]
        }
    },
    "calibration": {"score": [-10, 10], "probability": [0.1, 0.4], "low": [0.05, 0.3], "high": [0.2, 0.5]},
    "worth": {"base": 1000, "criteria": [{"name": "Size", "feature": "size", "bands": [[None, None, 2]]}]},
    "learned": {"from": "2025-01-01", "evaluation": {"auc": [0.7, 0.6, 0.8]}},
}  # fmt: skip


def test_what_is_written_reads_back_the_same() -> None:
    spec = ScorecardSpec.model_validate(CARD)
    text = scorecard_text(spec, heading="Two lines\nof heading.")
    assert text.startswith("# Two lines\n# of heading.\n\n")
    assert version(document("card", text).spec) == version(spec)


def test_each_criterion_stands_on_a_line() -> None:
    lines = scorecard_text(ScorecardSpec.model_validate(CARD)).splitlines()
    assert "    - {name: Size, feature: size, bands: [[null, 10, -1.5], [10, null, 2]]}" in lines
    assert "  visits: {count: page_view, within: 30d}" in lines


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write_whole(tmp_path / "file" / "card.yaml", "")


def test_nothing_is_left_of_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").mkdir()
    with pytest.raises(UsageError, match="Name another card"):
        write_whole(tmp_path / "card.yaml", "x", fix="Name another card.")
    assert list(tmp_path.iterdir()) == [tmp_path / "card.yaml"]


def test_long_maps_with_keys_of_many_words_read_back() -> None:
    points = {f"a value of {number} words, with: a colon": float(number) for number in range(200)}
    card = {"groups": {"fit": {"criteria": [{"name": "Long", "feature": "long", "points": points}]}}}
    spec = ScorecardSpec.model_validate(card)
    assert document("card", scorecard_text(spec)).spec == spec
