from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leadlight.errors import DataError, Fault, LeadlightError, SpecError
from leadlight.sources.check import check_folder, place
from leadlight.spec.yaml import read_yaml

SPEC = """sources:
  leads: {csv: leads.csv, id: id, created_at: created}
  deals: {csv: deals.csv, lead: id, at: closed, outcome: stage}
  events: {csv: events.csv, lead: id, type: type, at: at}
outcome: {win: "stage = 'won'"}
features:
  opens: {count: open, where: "path = '/'"}
"""
HOUSE = """groups:
  fit:
    criteria:
      - {name: Size, feature: size, bands: [[0, null, 5]]}
      - {name: Opens, feature: opens, bands: [[1, null, 5]]}
"""
FILES = {
    "leadlight.yaml": SPEC,
    "scorecards/house.yaml": HOUSE,
    "leads.csv": "id,created,size\n1,2026-01-01,5\n",
    "deals.csv": "id,closed,stage\n1,2026-02-01,won\n",
    "events.csv": "id,type,at,path\n1,open,2026-01-20,/\n",
}

Check = Callable[..., list[str]]


@pytest.fixture
def faults(tmp_path: Path) -> Check:
    """Check a workspace whose files are as given; return what is wrong, without what is allowed instead."""

    def run(**changed: tuple[str, str] | None) -> list[str]:
        for name, text in FILES.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        for stem, change in changed.items():
            path = next(tmp_path.rglob(f"{stem}.*"))
            if change is None:
                path.unlink()
            else:
                assert change[0] in path.read_text()
                path.write_text(path.read_text().replace(*change))
        try:
            assert check_folder(tmp_path).scorecards.keys() == {"house"}
        except (SpecError, DataError) as error:
            return [str(fault).split("; ")[0].split(": did")[0].split(": known")[0] for fault in error.faults]
        return []

    return run


def test_a_sound_workspace(faults: Check) -> None:
    assert faults() == []


def test_faults_of_data_and_of_scorecards_come_at_once(faults: Check) -> None:
    found = faults(
        leads=("created", "made"), house=("feature: size", "feature: sise"), leadlight=("path = '/'", "pth = '/'")
    )
    assert found == [
        "leads.csv: sources.leads.created_at: there is no column 'created'",
        "leadlight.yaml:7:32: features.opens.where: there is no name 'pth'",
        "scorecards/house.yaml:4:31: groups.fit.criteria[0].feature: there is no feature or attribute 'sise'",
    ]


def test_what_a_lost_file_may_have_held_is_no_fault_too(faults: Check) -> None:
    lost = "there is no file leads.csv: the workspace's folder has deals.csv, events.csv, leadlight.yaml"
    assert faults(leads=None) == [f"leadlight.yaml:2:10: sources.leads: {lost}"]
    assert faults(leads=None, house=("[[1, null, 5]]", "[[1, null, 5], [0, 2, 1]]"))[1:] == [
        "scorecards/house.yaml:5:47: groups.fit.criteria[1].bands[0]: the band [1, null) overlaps [0, 2): "
        "both hold [1, 2)"
    ]


@pytest.mark.parametrize("name", ["deals", "events"])
def test_nor_are_the_properties_and_outcomes_of_one(faults: Check, name: str) -> None:
    assert len(faults(**{name: None})) == 1


def test_a_column_whose_header_is_misspelt_is_told_once(faults: Check) -> None:
    assert faults(leadlight=("created_at: created", 'created_at: created, columns: {size: "Size of it"}')) == [
        "leadlight.yaml:2:65: sources.leads.columns: there is no column 'Size of it'"
    ]
    assert faults(deals=("stage", "state")) == ["deals.csv: sources.deals.outcome: there is no column 'stage'"]


def test_what_words_alone_tell_is_not_told_again_by_the_data(faults: Check) -> None:
    found = faults(leadlight=("id: id, created_at", "timezone: Europe/Berln, id: id, created_at"))
    assert found == ["leadlight.yaml:2:37: sources.leads.timezone: unknown time zone 'Europe/Berln'"]


def test_data_alone_end_with_their_own_code(faults: Check, tmp_path: Path) -> None:
    faults(leads=("created", "made"))
    with pytest.raises(DataError) as caught:
        check_folder(tmp_path)
    assert caught.value.exit_code == 4
    faults(house=("feature: size", "feature: sise"))
    with pytest.raises(LeadlightError) as other:
        check_folder(tmp_path)
    assert other.value.exit_code == 3


def test_a_fault_about_a_line_of_the_data_keeps_its_place() -> None:
    marks = read_yaml("sources:\n  leads: {csv: x}\n", "leadlight.yaml").marks
    of_line = Fault("odd", file="x", line=3, path="sources.leads")
    assert place(of_line, marks) == of_line
    assert place(Fault("odd", path="id"), marks) == Fault("odd", path="id")
    assert str(place(Fault("odd", path="sources.leads.csv"), marks)) == "leadlight.yaml:2:16: sources.leads.csv: odd"


def test_a_condition_over_a_source_is_shown_to_the_letter(faults: Check) -> None:
    found = faults(leadlight=("created_at: created", 'created_at: created, where: "size > 1 and sise < 9"'))
    assert found == ["leadlight.yaml:2:77: sources.leads.where: there is no name 'sise'"]


def test_a_key_that_is_wrong_hides_nothing_else(faults: Check) -> None:
    found = faults(
        leadlight=("features:", "entty: ticket\nfeatures:\n  visits: {coutn: open}"),
        house=("feature: size", "feature: sise"),
        leads=("created", "made"),
    )
    assert [fault.split(": ")[0] for fault in found] == [
        "leads.csv", "leadlight.yaml:6:1", "leadlight.yaml:8:11", "scorecards/house.yaml:4:31",
    ]  # fmt: skip


def test_what_uses_a_feature_that_is_wrong_is_no_fault_too(faults: Check) -> None:
    assert [f.split(": ")[1] for f in faults(leadlight=("count: open", "coutn: open"))] == ["features.opens"]


def test_nor_is_what_uses_a_source_that_is_wrong(faults: Check) -> None:
    found = faults(leadlight=("id: id, created_at: created", "idd: id"), house=("feature: opens", "feature: opns"))
    assert [f.split(": ")[1] for f in found] == ["sources.leads.idd"]


def test_a_file_that_says_nothing(faults: Check) -> None:
    (fault,) = faults(leadlight=(SPEC, "- a\n"))
    assert fault.startswith("leadlight.yaml:1:1: the file must be a map")
