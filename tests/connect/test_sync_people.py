"""Who is erased is out of the lake and stays out; secrets are never in it, nor anywhere else in the workspace."""

from __future__ import annotations

import os
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest

from connect.crm import START, Crm, crm, registered
from leadlight.errors import NotFoundError
from leadlight.store.backup import restore
from leadlight.store.leads import get_lead

__all__ = ["crm", "registered"]

SECRET = b"s3cr3t-of-memory"


@pytest.fixture
def two(crm: Crm) -> Crm:
    for n, name in enumerate(("anna", "berta")):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle=f"{name} is CEO", email=f"{name}@a.com")
        crm.world.put("deals", f"d{n}", START, contact=str(n), stage=f"won by {name}", closed=START)
        crm.world.put("emails", f"e{n}", START, contact=str(n), kind="open", sent=START)
    crm.sync()
    return crm


def files_with(root: Path, text: bytes) -> list[str]:
    import pyarrow.parquet as pq

    found = []
    for path in sorted(root.rglob("*")):
        if path.is_file():
            held = str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()
            if text in held or text in path.read_bytes():
                found.append(str(path.relative_to(root)))
    return found


def test_who_is_erased_is_gone_from_the_lake_and_stays_out(two: Crm) -> None:
    assert files_with(two.root, b"anna")
    erased = two.workspace().erase("crm:0")
    assert erased.rows["synced_rows"] == 3
    assert files_with(two.root, b"anna") == []
    two.world.put("contacts", "0", two.later(days=1), jobtitle="anna is back")
    two.world.put("deals", "d0", two.now, stage="won by anna again")
    two.sync()
    two.sync(full=True)
    assert files_with(two.root, b"anna") == []
    assert two.rows("SELECT id FROM leads") == [("crm:1",)]
    with two.workspace().store() as engine, pytest.raises(NotFoundError):
        get_lead(engine, "crm:0")
    assert files_with(two.root, b"berta")


def test_access_shows_what_the_lake_has_of_one_person_alone(two: Crm) -> None:
    found = two.workspace().access("crm:0")
    rows = found.tables["synced_rows"]
    assert [(row["object"], row["_id"]) for row in rows] == [("contacts", "0"), ("deals", "d0"), ("emails", "e0")]
    assert "berta" not in str(found.as_dict())


def test_secrets_are_in_no_file_report_or_log(two: Crm, caplog: pytest.LogCaptureFixture) -> None:
    two.world.trouble["contacts"] = [0, "sign_in"]
    report = two.sync()
    assert report.error is not None
    assert SECRET.decode() not in str(report) + str(report.as_dict()) + repr(report) + caplog.text
    assert files_with(two.root, SECRET) == []


def test_nothing_is_written_but_in_the_workspace(two: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere / ".dlt"):
        folder.mkdir(parents=True)
    (elsewhere / ".dlt" / "config.toml").write_text("[schema]\nnaming = 'sql_cs_v1'\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(elsewhere)
    before = dict(os.environ)
    two.world.put("contacts", "9", two.later(days=1), jobtitle="CEO")
    assert two.sync().error is None
    assert list(home.rglob("*")) == []
    assert sorted(path.name for path in elsewhere.rglob("*")) == [".dlt", "config.toml"]
    assert dict(os.environ) == before


def test_a_backup_has_the_lake_and_goes_on_from_there(two: Crm, tmp_path: Path) -> None:
    two.workspace().backup(tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar") as archive:
        names = archive.getnames()
    assert any("sync/crm/raw/contacts" in name for name in names)
    assert not {"work", "landing"} & {part for name in names for part in Path(name).parts}
    back = tmp_path / "back"
    restore(back, tmp_path / "b.tar", now=two.later(days=1))
    two.root = back
    two.world.put("contacts", "0", two.later(days=1), jobtitle="CTO")
    report = two.sync()
    assert (report.connections[0].objects[0].new, report.connections[0].objects[0].changed) == (0, 1)
    assert [title for _, title, _ in two.versions("0")] == ["anna is CEO", "CTO"]
