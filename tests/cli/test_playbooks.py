"""Playbooks and contracts from the command line: listed, made, held to, with the exit codes of faults in data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leadlight.cli.app import main


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", str(tmp_path / "shop"), "--playbook", "b2b-sales"]) == 0
    assert "leadlight check" in capsys.readouterr().out
    return tmp_path / "shop"


def test_they_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--playbooks"]) == 0
    assert "b2b-sales" in capsys.readouterr().out
    assert main(["init", "--playbooks", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["playbooks"]
    assert {"b2b-sales", "real-estate"} <= {item["name"] for item in listed}
    assert all(item["about"] for item in listed)
    assert list(tmp_path.iterdir()) == []
    assert main([]) == 0
    assert "leadlight init --playbooks" in capsys.readouterr().out


def test_an_unknown_one_lists_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "shop"), "--playbook", "b2b-sale"]) == 6
    said = capsys.readouterr().err
    assert "did you mean 'b2b-sales'?" in said
    assert "The playbooks are:" in said
    assert not (tmp_path / "shop").exists()


def test_check_shows_what_there_is_and_what_it_costs(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-w", str(shop)]) == 0
    shown = capsys.readouterr().out
    assert "your header" in shown
    assert "nothing where there are events" in shown
    assert main(["check", "-w", str(shop), "--json"]) == 0
    found = {(row["source"], row["column"]): row for row in json.loads(capsys.readouterr().out)["contract"]}
    assert found["leads", "role"]["header"] == "role"
    assert found["leads", "visits"] == {
        "source": "leads", "column": "visits", "type": "number", "required": False, "header": None, "missing": None,
        "faults": 0, "means": "visits counted by the site, where there are no events",
        "without": "nothing where there are events", "nearest": None, "constant": None,
    }  # fmt: skip


def test_files_that_do_not_fit_end_with_the_code_of_data(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deals = shop / "data" / "deals.csv"
    deals.write_text(deals.read_text(encoding="utf-8").replace(",won,", ",Won!,"), encoding="utf-8")
    for verb in ("check", "ingest"):
        assert main([verb, "-w", str(shop)]) == 4
        assert "are none of those allowed: the first is 'Won!'; did you mean 'won'?" in " ".join(
            capsys.readouterr().err.split()
        )
    assert main(["check", "-w", str(shop), "--json"]) == 4
    printed = capsys.readouterr()
    error = json.loads(printed.out or printed.err)
    (fault,) = error["faults"]
    assert (fault["file"], fault["path"], fault["severity"]) == ("data/deals.csv", "stage", "error")
    assert fault["line"] > 1
    assert main(["rank", "-w", str(shop)]) == 6
    assert "nothing has been read into the store yet" in capsys.readouterr().err
