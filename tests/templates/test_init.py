"""`init`: a workspace that works at once, and nothing overwritten."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import leadlight
from leadlight.errors import NotFoundError, UsageError
from leadlight.templates.init import TEMPLATES, WRITTEN, init, moved, refresh_schemas


def test_the_starter_is_in_order_and_ranks_at_once(tmp_path: Path) -> None:
    init(tmp_path / "shop", today=WRITTEN)
    workspace = leadlight.open(tmp_path / "shop")
    assert workspace.check().warnings == ()
    assert workspace.ingest().rejected == 0
    ranking = workspace.rank(as_of="2026-06-30")
    assert (ranking.total, ranking.excluded) == (19, 11)
    assert {label for label, count in ranking.grades.items() if count} >= {"A1", "B2", "C1", "D3"}


def test_every_criterion_of_the_starter_gives_points_to_somebody(tmp_path: Path) -> None:
    init(tmp_path, today=WRITTEN)
    workspace = leadlight.open(tmp_path)
    workspace.ingest()
    rows = workspace.rank(as_of="2026-06-30", limit=100).rows
    given = {item.name for row in rows for item in row.ledger.contributions if item.points}
    criteria = workspace.loaded.scorecards["house"].spec.groups.values()
    assert {criterion.name for group in criteria for criterion in group.criteria} - given == set()


@pytest.mark.parametrize("template", TEMPLATES)
def test_its_files_fit_the_schemas_they_name(tmp_path: Path, template: str) -> None:
    report = init(tmp_path, template)
    for name in (name for name in report.files if name.endswith(".yaml")):
        path = tmp_path / name
        head, _ = path.read_text(encoding="utf-8").split("\n", 1)
        assert head.startswith("# yaml-language-server: $schema=")
        schema = json.loads((path.parent / head.partition("=")[2]).read_text(encoding="utf-8"))
        spec = YAML(typ="safe").load(path)
        # JSON knows no other keys than texts: the digits of an axis are numbers in YAML.
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(spec)))


def test_nothing_is_overwritten_or_half_written(tmp_path: Path) -> None:
    mine = tmp_path / "data" / "leads.csv"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        init(tmp_path)
    assert raised.value.message == f"{tmp_path} has data/leads.csv already; nothing was written"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["leads.csv"]
    assert mine.read_text(encoding="utf-8") == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "shop").touch()
    with pytest.raises(UsageError, match=r"shop is a file\nName a folder\."):
        init(tmp_path / "shop")


def test_an_unknown_template_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no template 'stater': did you mean 'starter'"):
        init(tmp_path, "stater")


def test_example_dates_end_today(tmp_path: Path) -> None:
    init(tmp_path, today=date(2028, 3, 1))
    text = (tmp_path / "data" / "events.csv").read_text(encoding="utf-8")
    assert "2028-02-29T" in text.splitlines()[-1]
    assert moved("no dates here, 12-34", date(2028, 3, 1)) == "no dates here, 12-34"


def test_what_holds_people_is_kept_out_of_git(tmp_path: Path) -> None:
    init(tmp_path)
    assert {"*.duckdb", "rejects/"} <= set((tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines())


def test_schemas_are_refreshed_in_a_workspace_only(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no leadlight\.yaml in "):
        refresh_schemas(tmp_path)
    init(tmp_path)
    stale = tmp_path / ".leadlight" / "workspace.schema.json"
    fresh = stale.read_text(encoding="utf-8")
    stale.write_text("{}", encoding="utf-8")
    assert [path.name for path in refresh_schemas(tmp_path).files] == [
        "workspace.schema.json",
        "scorecard.schema.json",
        "contract.schema.json",
    ]
    assert stale.read_text(encoding="utf-8") == fresh


def test_the_report_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = init(tmp_path / "shop")
    assert str(report).endswith(f"Next:\n  cd {tmp_path / 'shop'}\n  leadlight ingest\n  leadlight rank")
    assert report.as_dict()["files"][0] == "leadlight.yaml"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert init(Path(), "demo").next[0] == "leadlight simulate data"
