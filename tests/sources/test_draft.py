"""From a file to a workspace that works."""

from __future__ import annotations

from pathlib import Path

import pytest

import leadlight
from leadlight.sources.discover import discover
from leadlight.sources.draft import copy_reason, open_leads, to_workspace, write_workspace
from leadlight.spec.load import load_workspace
from sources import exports

CARD = "groups: {fit: {criteria: []}}\n"


def made(folder: Path, text: str):
    """Write a file, what is found in it as a workspace, and ingest it; return both."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "export.csv").write_text(text, encoding="utf-8")
    found = discover(folder / "export.csv")
    write_workspace(found, folder / "made")
    (folder / "made" / "scorecards").mkdir()
    (folder / "made" / "scorecards" / "house.yaml").write_text(CARD)
    workspace = leadlight.open(folder / "made")
    workspace.ingest()
    return found, workspace


def outcomes(workspace) -> dict[str, tuple[int, int]]:
    """Outcome → how many, and how many of them have a time."""
    with workspace.store() as engine:
        rows = engine.rows('SELECT outcome, count(*), count("at") FROM outcomes GROUP BY 1')
    return {outcome: (count, dated) for outcome, count, dated in rows}


EXPECTED = {
    "hubspot": {"Closed Won": (63, 63), "Closed Lost": (109, 109)},
    "salesforce": {"Closed - Converted": (61, 0), "Closed - Not Converted": (91, 0)},
    "pipedrive": {"Won": (60, 60), "Lost": (102, 102)},
    "german": {"Ja": (54, 54)},
    "wide": {"1": (30, 0), "0": (90, 0)},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_ingested_as_found(tmp_path: Path, name: str) -> None:
    found, workspace = made(tmp_path, getattr(exports, name)())
    assert outcomes(workspace) == EXPECTED[name]
    with workspace.store() as engine:
        assert len(open_leads(engine, found)) == found.open
        assert engine.rows("SELECT count(*) FROM leads") == [(found.rows,)]


@pytest.mark.parametrize("name", ["hubspot", "pipedrive", "german"])
def test_where_outcomes_have_times_the_decided_are_not_ranked(tmp_path: Path, name: str) -> None:
    found, workspace = made(tmp_path, getattr(exports, name)())
    assert workspace.rank().total == found.open


@pytest.mark.parametrize("name", EXPECTED)
def test_the_text_says_what_the_spec_says(tmp_path: Path, name: str) -> None:
    (tmp_path / "export.csv").write_text(getattr(exports, name)(), encoding="utf-8")
    found = discover(tmp_path / "export.csv")
    spec = write_workspace(found, tmp_path / "made")
    (tmp_path / "made" / "scorecards").mkdir()
    assert load_workspace(tmp_path / "made").workspace.spec == spec == to_workspace(found, tmp_path / "made")
    text = (tmp_path / "made" / "leadlight.yaml").read_text(encoding="utf-8")
    assert found.id.why in text
    assert found.outcome.why in text


def test_worth_and_account_come_along(tmp_path: Path) -> None:
    _, workspace = made(tmp_path, exports.german())
    with workspace.store() as engine:
        worth = engine.rows("SELECT count(value), min(value), max(value) FROM outcomes")[0]
        accounts = engine.rows("SELECT count(DISTINCT account) FROM attributes")
    assert accounts == [(7,)]
    assert worth[0] == 54
    assert 1_000 <= worth[1] <= worth[2] <= 90_000


def test_rows_without_an_id_are_numbered(tmp_path: Path) -> None:
    text = "city,converted\n" + "".join(f"{'Ulm' if n % 3 else 'Bonn'},{int(n % 4 == 0)}\n" for n in range(40))
    found, workspace = made(tmp_path, text)
    assert copy_reason(found) == "no column names the lead, so the rows are numbered"
    with workspace.store() as engine:
        ids = engine.rows("SELECT l.id FROM leads l JOIN outcomes o ON o.lead = l.lead WHERE o.outcome = '1'")
    assert {int(name) for (name,) in ids} == set(range(1, 41, 4))


def test_the_others_get_a_name_where_only_the_won_have_one(tmp_path: Path) -> None:
    text = "id,status\n" + "".join(f"L{n},{'won' if n % 4 == 0 else ''}\n" for n in range(40))
    found, workspace = made(tmp_path, text)
    assert outcomes(workspace) == {"won": (10, 0), "open": (30, 0)}
    with workspace.store() as engine:
        assert len(open_leads(engine, found)) == 30


def test_quotes_in_values_and_headers(tmp_path: Path) -> None:
    rows = "".join(
        f"L{n},a,{'Won' if n % 3 == 0 else chr(34) + 'it' + chr(39) + 's lost' + chr(34)}\n" for n in range(30)
    )
    found, workspace = made(tmp_path, 'id,"the deal\'s ""stage""",stage\n' + rows)
    assert found.win == ("Won",)
    assert outcomes(workspace) == {"Won": (10, 0), "it's lost": (20, 0)}


def test_an_order_is_told_to_learning(tmp_path: Path) -> None:
    rows = "".join(f"p{n * 7919 % 100},{5000 - 3 * n},{int(n % 4 == 0)}\n" for n in range(100))
    (tmp_path / "export.csv").write_text("prospect id,number,converted\n" + rows)
    assert to_workspace(discover(tmp_path / "export.csv"), tmp_path).learn.order == "number"
