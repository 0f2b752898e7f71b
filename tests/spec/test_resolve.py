from pathlib import Path

from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.load import LoadedWorkspace, load_scorecard, load_workspace
from leadlight.spec.resolve import feature_uses, resolve, resolve_scorecard

CATALOG = Catalog(
    attributes={"employees": Type.NUMBER, "email": Type.TEXT},
    account_attributes={"revenue": Type.NUMBER},
    properties={"path": Type.TEXT},
    events=frozenset({"page_view"}),
    outcome=("stage", Type.TEXT),
)
WORKSPACE = """\
sources:
  leads: {csv: leads.csv, id: id, account: company}
outcome: {win: "stage = 'won'", lose: "outcome = 'lost' or value < 0"}
features:
  big: {expr: views > 5 and employees > 50}
  views: {count: page_view}
  theirs: {account: {max: employees}}
exclude: email like '%@ourselves.com'
"""
HOUSE = """\
groups:
  fit:
    criteria:
      - {name: Big, when: big, points: 5}
      - {name: Size, feature: employees, bands: [[null, 50, 1], [50, null, 2]]}
      - {name: Pair, features: [big, theirs], bands: {theirs: [5]}, table: {true: [1, 2]}}
"""
ACCOUNTS = """\
of: account
groups: {fit: {criteria: [{name: Many, when: leads > 3 and revenue > 5 and views > 2, points: 5}]}}
"""


def load(folder: Path, **files: str) -> LoadedWorkspace:
    (folder / "scorecards").mkdir()
    (folder / "leadlight.yaml").write_text(files.pop("workspace", WORKSPACE))
    for name, text in files.items():
        (folder / "scorecards" / f"{name}.yaml").write_text(text)
    return load_workspace(folder)


def test_sound_workspace_is_resolved_without_a_word(tmp_path: Path) -> None:
    workspace, faults = resolve(load(tmp_path, house=HOUSE, accounts=ACCOUNTS), CATALOG)
    assert faults == []
    assert workspace is not None
    assert list(workspace.features) == ["views", "theirs", "big"]
    assert [criterion.key for criterion in workspace.scorecards["house"].criteria] == [
        "fit__big",
        "fit__size",
        "fit__pair",
    ]
    assert workspace.scorecards["accounts"].spec.of == "account"
    assert workspace.exclude is not None
    assert workspace.win is not None
    assert workspace.lose is not None
    assert workspace.win.names == {"stage"}
    assert workspace.lose.names == {"outcome", "value"}


def test_warnings_stop_nothing(tmp_path: Path) -> None:
    house = "groups: {fit: {criteria: [{name: A, event: pageview, points: 1}]}}"
    workspace, faults = resolve(load(tmp_path, house=house), CATALOG)
    assert workspace is not None
    assert {fault.severity for fault in faults} == {"warning"}
    assert [str(fault) for fault in faults] == [
        "scorecards/house.yaml:1:44: groups.fit.criteria[0].event: no event of type 'pageview' has been read: "
        "did you mean 'page_view'? Known: page_view (warning)",
        "leadlight.yaml:5:3: features.big: no scorecard or condition uses the feature big (warning)",
        "leadlight.yaml:7:3: features.theirs: no scorecard or condition uses the feature theirs (warning)",
    ]


def test_workspace_without_scorecards_is_not_told_that_nothing_uses_its_features(tmp_path: Path) -> None:
    workspace, faults = resolve(load(tmp_path), CATALOG)
    assert workspace is not None
    assert faults == []


def test_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    broken = HOUSE.replace("when: big", "when: bigg")
    loaded = load(tmp_path, workspace=WORKSPACE.replace("email like", "mail like"), house=broken, other=broken)
    workspace, faults = resolve(loaded, CATALOG)
    assert workspace is None
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [
        ("leadlight.yaml", 8, 10),
        ("scorecards/house.yaml", 4, 27),
        ("scorecards/other.yaml", 4, 27),
    ]


def test_empty_catalog_knows_only_what_every_lead_has(tmp_path: Path) -> None:
    loaded = load(tmp_path, workspace="features: {days: {age: created_at}}\nexclude: id = 'x' or account is null\n")
    workspace, faults = resolve(loaded, Catalog())
    assert faults == []
    assert workspace is not None


def test_edited_scorecard_is_resolved_within_the_workspace(tmp_path: Path) -> None:
    workspace, _ = resolve(load(tmp_path, house=HOUSE), CATALOG)
    assert workspace is not None
    edited = tmp_path / "edited.yaml"
    edited.write_text(HOUSE.replace("points: 5", "points: 7"))
    scorecard, faults = resolve_scorecard(load_scorecard(edited), workspace)
    assert faults == []
    assert scorecard is not None
    assert scorecard.name == "edited"
    assert scorecard.version != workspace.scorecards["house"].version
    edited.write_text(HOUSE.replace("feature: employees", "feature: employes"))
    scorecard, faults = resolve_scorecard(load_scorecard(edited), workspace)
    assert scorecard is None
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [(edited.as_posix(), 5, 31)]


def test_names_a_feature_is_made_of(tmp_path: Path) -> None:
    workspace, _ = resolve(load(tmp_path), CATALOG)
    assert workspace is not None
    assert feature_uses(workspace.features["big"]) == {"views", "employees"}
    assert feature_uses(workspace.features["theirs"]) == {"employees"}
    assert feature_uses(workspace.features["views"]) == frozenset()
