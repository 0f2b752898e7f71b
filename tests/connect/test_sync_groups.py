"""Much that is new is taken in group by group, and the store is what it would be had all been taken in at once."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connect.crm import START, YAML, Crm, crm, registered
from leadlight.connect import lake
from leadlight.connect.sync_report import SyncReport
from leadlight.errors import DataError, TooManyRejects
from leadlight.expr.types import Type
from leadlight.sources import groups
from leadlight.sources.groups import groups_of
from leadlight.sources.ingest_report import SourceReport
from leadlight.sources.lake import object_folder

__all__ = ["crm", "registered"]

FEW = 50
"""Rows of a group."""
TOLD = {
    "leads": "SELECT id, created_at FROM leads",
    "ids": "SELECT i.id, l.id FROM ids i JOIN leads l ON l.lead = i.lead",
    "observations": (
        "SELECT i.id, o.known_at, o.title, o.size, o.email, o.deleted, o._created_at, o._source, o._read_at "
        "FROM observations o JOIN ids i ON i.key = o._key"
    ),
    "attributes": (
        "SELECT l.id, a.known_at, a.known_until, a.title, a.size, a.email, a.deleted FROM attributes a "
        "JOIN leads l ON l.lead = a.lead"
    ),
    "accounts": "SELECT account, known_at, known_until, city FROM account_attributes",
    "outcomes": (
        'SELECT l.id, i.id, o."at", o.outcome, o.value FROM outcomes o JOIN leads l ON l.lead = o.lead '
        "JOIN ids i ON i.key = o._said_of"
    ),
    "events": (
        'SELECT l.id, i.id, e.type::VARCHAR, e."at" FROM events e JOIN leads l '
        "ON l.lead = e.lead JOIN ids i ON i.key = e._said_of"
    ),
    "merges": "SELECT i.id, m.rule FROM merges m JOIN ids i ON i.key = m.key",
    "names": "SELECT kind, name, type FROM names",
    "files": "SELECT source, path, fingerprint, rows, rejected FROM files",
}
COUNTED = ("source", "rows", "rejected", "left_out", "new", "changed", "unchanged", "outcomes", "repeated", "erased",
           "without_lead", "files", "skipped_files", "notes")  # fmt: skip
FIRMS = """
  firms: {connection: crm, object: firms, kind: accounts, columns: {city: city}}
outcome:"""
FIELDS = {
    "contacts": {"email": Type.TEXT, "jobtitle": Type.TEXT, "employees": Type.NUMBER, "created": Type.TIME},
    "firms": {"city": Type.TEXT},
    "deals": {"contact": Type.TEXT, "stage": Type.TEXT, "closed": Type.TIME, "amount": Type.NUMBER},
    "emails": {"contact": Type.TEXT, "kind": Type.TEXT, "sent": Type.TIME},
}


def lived(crm: Crm, seed: int, days: int = 6) -> None:
    """Let the lake get files of each object day by day, with what `sync` would have read of a system that lives."""
    chance = random.Random(seed)
    crm.yaml(YAML.replace("\noutcome:", FIRMS.replace("{", "{{").replace("}", "}}"), 1))
    people = [str(n) for n in range(60)]
    for day in range(days):
        at = crm.later(days=1)
        some = chance.sample(people, 30)
        gone = {"_known_at": at, "_gone": True}
        put(crm, "contacts", [
            *({"_id": n, "_known_at": None if day % 3 == 1 else at, "jobtitle": chance.choice([f"{day}", None]),
               "employees": float(day), "email": f"p{int(n) // 2}@x.example",
               "created": START if int(n) % 3 else None} for n in some),
            *({"_id": n, **gone} for n in chance.sample(people, 4)),
            {"_id": "7", "_known_at": at, "_into": "9"},
        ])  # fmt: skip
        put(crm, "firms", [{"_id": f"f{n}", "_known_at": at, "city": chance.choice(["Bonn", None])} for n in some])
        put(crm, "emails", [
            *({"_id": f"e{n}-{day // 2}", "_known_at": at, "contact": n, "kind": chance.choice(["open", "click"]),
               "sent": chance.choice([at, None])} for n in some),
            *({"_id": f"e{n}-0", **gone} for n in chance.sample(people, 4)),
        ])  # fmt: skip
        put(crm, "deals", [
            *({"_id": f"d{n}", "_known_at": at, "contact": chance.choice([n, None]), "closed": at,
               "stage": chance.choice(["won", "lost", None]), "amount": float(day)} for n in people),
            *({"_id": f"d{n}", **gone} for n in chance.sample(people, 4)),
        ])  # fmt: skip
    put(crm, "deals", [{"_id": f"d{n}", "_known_at": START, "contact": "1", "stage": "former"} for n in people[:20]])
    fields = {name: {one: {"type": str(type_)} for one, type_ in told.items()} for name, told in FIELDS.items()}
    lake.write_description(crm.root, "crm", {name: {"fields": told} for name, told in fields.items()})


def put(crm: Crm, name: str, rows: list[dict[str, object]]) -> None:
    """Publish one more file of an object."""
    folder = object_folder(crm.root, "crm", name)
    lake.begin(folder, FIELDS[name])
    schema = lake.schema_of(FIELDS[name])
    whole = [{column: row.get(column) for column in schema.names} for row in rows]
    pq.write_table(pa.Table.from_pylist(whole, schema=schema), landed := folder.parent / f"landed-{name}.parquet")
    lake.publish(folder, [landed])


def copied(crm: Crm, folder: Path) -> Crm:
    """Return a workspace with the same lake and a store of its own."""
    folder.mkdir()
    other = Crm(folder)
    shutil.rmtree(other.root)
    shutil.copytree(crm.root, other.root)
    other.now = crm.now
    return other


def taken_in(crm: Crm) -> SyncReport:
    return crm.workspace().take_in(["crm"])


def store(crm: Crm) -> dict[str, list[tuple]]:
    return {name: sorted(crm.rows(query), key=repr) for name, query in TOLD.items()}


def counts(report: SyncReport) -> dict[str, dict[str, object]]:
    assert report.ingested is not None

    def of(one: SourceReport) -> dict[str, object]:
        return {name: getattr(one, name) for name in COUNTED}

    merged = {"same_id": report.ingested.same_id.count, "same_value": report.ingested.same_value.count}
    return {one.source: of(one) for one in report.ingested.sources} | {"merged": merged, "joined": {"": report.joined}}


def number_of_groups(crm: Crm) -> dict[str, int]:
    sources = crm.workspace().loaded.workspace.spec.sources
    return {name: len(groups_of(source, crm.root, {})) for name, source in sources.items()}


@pytest.mark.parametrize("seed", range(2))
def test_in_groups_is_as_at_once(crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    lived(crm, seed)
    other = copied(crm, tmp_path / "other")
    whole = taken_in(crm)
    expected = store(crm)
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    assert all(count > 2 for count in number_of_groups(other).values())
    parts = taken_in(other)
    assert store(other) == expected
    assert counts(parts) == counts(whole)
    assert parts.changed
    assert not taken_in(other).changed
    # each of these is told in what was compared
    assert all(expected[name] for name in TOLD)
    assert any(deleted for *_, deleted, _, _, _ in expected["observations"])
    assert "former" not in {outcome for *_, outcome, _ in expected["outcomes"]}
    assert whole.joined == 1
    assert whole.ingested is not None
    assert whole.ingested.same_value.count > 10


def test_what_comes_later_is_taken_in_by_groups_too(crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(crm, 5, days=2)
    other = copied(crm, tmp_path / "other")
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    taken_in(other)
    monkeypatch.setattr(groups, "MOST_ROWS", 100_000)
    taken_in(crm)
    lived(crm, 6, days=3)
    shutil.copytree(crm.root / ".leadlight" / "sync", other.root / ".leadlight" / "sync", dirs_exist_ok=True)
    other.now = crm.now
    whole = taken_in(crm)
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    expected, found = counts(whole), counts(taken_in(other))
    for one in (expected, found):  # an outcome taken back and one that is new in the same group are one that changed
        assert one["deals"].pop("new") + one["deals"].pop("changed") > 0
    assert found == expected
    assert store(other) == store(crm)


def test_one_that_was_stopped_goes_on(crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(crm, 1)
    other = copied(crm, tmp_path / "other")
    taken_in(crm)
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    for stop_at in (90, 160):
        with pytest.raises(KeyboardInterrupt):
            other.workspace().take_in(["crm"], reading=lambda update, most=stop_at: _stop(update.rows, most))
        assert other.rows("SELECT count(*) FROM files") == [(0,)]
    assert other.rows("SELECT count(*) > 0 FROM leads") == [(True,)]
    assert taken_in(other).changed
    assert store(other) == store(crm)


def test_ingest_takes_a_lake_in_by_groups_as_well(crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(crm, 1)
    other = copied(crm, tmp_path / "other")
    crm.workspace().ingest()
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    with pytest.raises(KeyboardInterrupt):
        other.workspace().ingest(progress=lambda update: _stop(update.rows, 90))
    assert other.rows("SELECT count(*) > 0 FROM leads") == [(True,)]  # as a whole, all of it is one transaction
    assert other.workspace().ingest().changed
    assert store(other) == store(crm)


def test_a_fault_in_a_file_beside_a_lake_changes_nothing(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(crm, 1)
    text = (crm.root / "leadlight.yaml").read_text()
    calls = "\n  calls: {csv: calls.csv, lead: id, at: at, event: call}\noutcome:"
    (crm.root / "leadlight.yaml").write_text(text.replace("\noutcome:", calls, 1))
    (crm.root / "calls.csv").write_text("id,at\n1,someday\n")
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    with pytest.raises(DataError, match="calls"):
        crm.workspace().ingest()
    assert crm.rows("SELECT count(*) FROM ids") == [(0,)]
    (crm.root / "calls.csv").write_text("id,at\ncrm:1,2026-01-01\n")
    assert crm.workspace().ingest().changed
    assert crm.rows("SELECT count(*) FROM events WHERE type = 'call'") == [(1,)]


def _stop(rows: int, most: int) -> None:
    if rows > most:
        raise KeyboardInterrupt


def test_a_source_described_anew_is_taken_in_by_groups(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(crm, 2)
    other = copied(crm, tmp_path / "other")
    for one, most in ((crm, groups.MOST_ROWS), (other, FEW)):
        monkeypatch.setattr(groups, "MOST_ROWS", most)
        taken_in(one)
        text = (one.root / "leadlight.yaml").read_text()
        (one.root / "leadlight.yaml").write_text(text.replace("value: amount", "value: amount, where: stage = 'won'"))
        one.later(days=1)
        report = counts(taken_in(one))["deals"]
        assert report["left_out"] > 0
        assert "the source is described differently than before: what it said is replaced" in report["notes"]
    assert store(other) == store(crm)
    assert {outcome for *_, outcome, _ in store(other)["outcomes"]} == {"won"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    kind: leads", "    types: {title: number}\n    reject_limit: 0.9\n    kind: leads"),
        ("at: closed", "at: stage"),
        ("lead: contact, at: sent", "lead: contact, message_id: null, at: sent"),
    ],
)
def test_what_only_the_whole_tells_is_read_as_a_whole(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    lived(crm, 3)
    text = (crm.root / "leadlight.yaml").read_text()
    assert before in text
    (crm.root / "leadlight.yaml").write_text(text.replace(before, after))
    other = copied(crm, tmp_path / "other")
    whole = told(crm)
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    assert told(other) == whole


def told(crm: Crm) -> object:
    """Return what taking in ends with: the store and the counts, or what is wrong."""
    try:
        report = taken_in(crm)
    except TooManyRejects as error:
        return str(error)
    return store(crm), {name: one for name, one in counts(report).items() if name != "contacts"}


def test_files_that_came_meanwhile_wait(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(crm, 4, days=2)
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    came: list[str] = []

    def comes(_: object) -> None:
        if not came:
            came.append("one")
            at = crm.now + timedelta(hours=1)
            put(crm, "deals", [{"_id": n, "_known_at": at, "contact": "1", "stage": "late"} for n in ("d1", "new")])

    crm.workspace().take_in(["crm"], reading=comes)
    before = crm.rows("SELECT count(*) FROM outcomes WHERE outcome = 'late'")
    report = taken_in(crm)
    assert before == [(0,)]
    assert report.changed
    assert crm.rows("SELECT count(*) FROM outcomes WHERE outcome = 'late'") == [(2,)]


@pytest.mark.slow
def test_postgres_is_filled_by_groups_alike(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_store: str
) -> None:
    lived(crm, 4)
    other = copied(crm, tmp_path / "other")
    text = (other.root / "leadlight.yaml").read_text()
    (other.root / "leadlight.yaml").write_text(f'store: "{postgres_store}"\n{text}')
    whole = taken_in(crm)
    monkeypatch.setattr(groups, "MOST_ROWS", FEW)
    assert counts(taken_in(other)) == counts(whole)
    expected, found = store(crm), store(other)
    for name in ("names", "files"):  # what names are in use is noted with each engine's own
        expected.pop(name), found.pop(name)
    assert found == expected
