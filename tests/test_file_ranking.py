from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

import leadlight
from leadlight.cli.app import main
from leadlight.errors import DataError, TooManyRejects, UsageError
from leadlight.file_ranking import FileRanking


def export(path: Path, *, leads: int = 700, seed: int = 3) -> Path:
    """A CRM's export: dated, with stages; a quarter is still open."""
    dice = np.random.default_rng(seed)
    day = np.sort(dice.integers(0, 400, leads))
    source = dice.choice(["Referral", "Ads", "Web"], leads)
    size = dice.integers(1, 500, leads)
    logit = -1.2 + 1.5 * (source == "Referral") - 1.0 * (source == "Ads") + 0.9 * (size > 200)
    won = dice.random(leads) < 1 / (1 + np.exp(-logit))
    wait = dice.integers(1, 25, leads)
    still = day + wait >= 400
    rows = [
        {
            "Lead ID": f"L{n}",
            "Create Date": np.datetime64("2025-01-01") + int(day[n]),
            "Lead Source": source[n],
            "Employees": size[n],
            "Deal Stage": "Open" if still[n] else "Closed Won" if won[n] else "Closed Lost",
            "Close Date": "" if still[n] else np.datetime64("2025-01-01") + int(day[n] + wait[n]),
            "Amount": int(size[n] * 10) if won[n] and not still[n] else "",
        }
        for n in range(leads)
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> FileRanking:
    return leadlight.rank_file(export(tmp_path_factory.mktemp("file") / "deals.csv"))


def test_the_columns_are_found_and_said_why(ranked: FileRanking) -> None:
    found = ranked.found
    assert (found.id.header, found.created_at.header, found.outcome.header) == ("Lead ID", "Create Date", "Deal Stage")
    assert (found.closed_at.header, found.worth.header) == ("Close Date", "Amount")
    assert all(choice.why for choice in found.choices.values())


def test_only_the_open_are_ranked(ranked: FileRanking) -> None:
    with (ranked.folder.parent / "deals.csv").open(newline="") as file:
        open_leads = {row["Lead ID"] for row in csv.DictReader(file) if row["Deal Stage"] == "Open"}
    with ranked.csv.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows} == open_leads
    assert ranked.ranking.total == len(open_leads) > 0
    assert [float(row["expected"]) for row in rows] == sorted((float(row["expected"]) for row in rows), reverse=True)
    assert all(row["reasons"] for row in rows)


def test_the_folder_is_a_workspace_to_go_on_with(ranked: FileRanking) -> None:
    assert {path.name for path in ranked.folder.iterdir()} >= {
        "leadlight.yaml", "scorecards", "ranking.csv", "report.html", "leadlight.duckdb",
    }  # fmt: skip
    workspace = leadlight.open(ranked.folder)
    first = ranked.ranking.rows[0].ledger
    again = workspace.explain(first.id, "learned", as_of=ranked.ranking.as_of)
    assert again.score == pytest.approx(first.score, abs=1e-9)
    assert "Employees" in (ranked.folder / "scorecards" / "learned.yaml").read_text()


def test_what_others_made_is_left_alone(tmp_path: Path) -> None:
    file = export(tmp_path / "deals.csv", leads=60)
    (tmp_path / "deals-ranked").mkdir()
    (tmp_path / "deals-ranked" / "diary.txt").write_text("mine")
    with pytest.raises(UsageError, match="was not made by this") as caught:
        leadlight.rank_file(file)
    assert "--into" in str(caught.value.fix)
    assert (tmp_path / "deals-ranked" / "diary.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["leadlight.yaml", "scorecards/learned.yaml", "scorecards/mine.yaml"])
def test_what_was_edited_since_is_left_alone(ranked: FileRanking, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(ranked.folder, tmp_path / "deals-ranked"))
    file = Path(shutil.copy(ranked.folder.parent / "deals.csv", tmp_path / "deals.csv"))
    with (folder / name).open("a") as edited:
        edited.write("# of mine")
    with pytest.raises(UsageError, match=rf"was worked on since it was made \({name}\)") as caught:
        leadlight.rank_file(file)
    assert "--into" in str(caught.value.fix)
    assert (folder / name).read_text().endswith("# of mine")
    assert (folder / "ranking.csv").exists()


def test_what_was_not_edited_is_made_anew(ranked: FileRanking, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ranked.folder, tmp_path / "deals-ranked"))
    (folder / "ranking.csv").unlink()
    leadlight.rank_file(Path(shutil.copy(ranked.folder.parent / "deals.csv", tmp_path / "deals.csv")))
    assert (folder / "ranking.csv").exists()


def test_what_to_type_where_dates_are_in_doubt(tmp_path: Path) -> None:
    file = tmp_path / "my leads.csv"
    file.write_text("id,created,converted\n" + "".join(f"{n},0{1 + n % 9}/05/2026,{n % 2}\n" for n in range(40)))
    with pytest.raises(
        DataError, match=r"^1 fault in the data\nmy leads\.csv: column 'created' does not tell"
    ) as caught:
        leadlight.rank_file(file)
    assert caught.value.fix == f"Type: leadlight rank '{file}' --dates day_first (or month_first)"


def test_what_to_do_about_rows_that_cannot_be_read(tmp_path: Path) -> None:
    file, ends = tmp_path / "deals.csv", ["won", "lost", ""]
    rows = [f"L{n},2026-01-{1 + n % 28:02},{ends[n % 3]}" for n in range(60)]
    file.write_text("\n".join(["id,created,stage", *rows, "L99,2026-01-01", "L98"]) + "\n")
    with pytest.raises(TooManyRejects, match="2 of 62 rows cannot be read") as caught:
        leadlight.rank_file(file)
    folder = tmp_path / "deals-ranked"
    assert "leadlight.yaml:" not in caught.value.message
    assert f"All reasons are in {folder}/rejects/leads.csv" in str(caught.value.fix)
    assert (folder / "rejects" / "leads.csv").exists()
    (folder / "leadlight.yaml").write_text(
        (folder / "leadlight.yaml").read_text().replace("  leads:\n", "  leads:\n    reject_limit: 0.1\n")
    )
    assert leadlight.open(folder).ingest().rejected == 2


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("id,city\n1,Ulm\n2,Bonn\n", 2, "--outcome"),
        ("id,won\n1,1\n2,1\n", 2, "won"),
        ("", 4, "empty"),
        ("id,converted\n" + "".join(f"{n},{n % 2}\n" for n in range(12)), 8, "too few"),
    ],
    ids=["no outcome", "only wins", "an empty file", "too few"],
)
def test_files_that_cannot_be_learned_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, said: str
) -> None:
    (tmp_path / "leads.csv").write_text(text)
    assert main(["rank", str(tmp_path / "leads.csv")]) == code
    assert said in capsys.readouterr().err


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", str(tmp_path / "nothing.csv")]) == 6
    assert "there is no file" in capsys.readouterr().err
