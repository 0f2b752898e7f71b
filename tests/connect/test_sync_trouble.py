"""What stops a sync: others are read all the same, what came is kept, and it goes on there."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connect.crm import START, Crm, crm, registered
from leadlight.cli.app import main
from leadlight.connect import extract as extracting
from leadlight.connect.lake import held
from leadlight.errors import NotFoundError, RemoteError, StoreInUse, UsageError

__all__ = ["crm", "registered"]


@pytest.fixture
def many(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Crm:
    monkeypatch.setattr(extracting, "PORTION", 4)
    for n in range(20):
        crm.world.put("contacts", str(n), START - timedelta(days=9), jobtitle="CEO")
        crm.world.put("emails", f"e{n}", START, contact=str(n), kind="open", sent=START)
    return crm


def test_what_came_is_kept_and_it_goes_on_there(many: Crm) -> None:
    many.world.trouble["contacts"] = [12, "unreachable"]
    report = many.sync()
    assert isinstance(report.error, RemoteError)
    assert [(one.object, one.new) for one in report.connections[0].objects] == [("contacts", 12)]
    assert many.rows("SELECT count(*) FROM leads") == [(12,)]
    many.world.trouble.clear()
    many.later(days=1)
    report = many.sync()
    assert [(one.object, one.read, one.new) for one in report.connections[0].objects] == [
        ("contacts", 8, 8),
        ("deals", 0, 0),
        ("emails", 20, 20),
    ]
    assert many.rows("SELECT DISTINCT known_at FROM observations") == [(None,)]  # all of it was the first reading


def test_a_scope_that_is_missing_stops_one_object(many: Crm) -> None:
    many.world.trouble["contacts"] = [0, "scope"]
    report = many.sync()
    assert report.error is not None
    assert report.error.exit_code == 9
    assert [(one.object, one.new) for one in report.connections[0].objects] == [
        ("contacts", 0),
        ("deals", 0),
        ("emails", 20),
    ]


def test_each_trouble_is_told_and_where_it_was(many: Crm) -> None:
    many.world.trouble["contacts"] = [0, "scope"]
    many.world.trouble["emails"] = [8, "disabled"]
    report = many.sync()
    assert [one.trouble for one in report.connections[0].errors if isinstance(one, RemoteError)] == [
        "scope",
        "disabled",
    ]
    assert "contacts: not read to its end: Memory: it does not work" in str(report)
    assert "emails: not read to its end" in str(report)
    assert str(report).count("Mend it.") == 2


def test_an_object_that_does_not_exist_stops_no_other(many: Crm) -> None:
    del many.world.objects["deals"]
    report = many.sync()
    assert isinstance(report.error, NotFoundError)
    assert [one.object for one in report.connections[0].objects] == ["contacts", "emails"]


def test_one_connection_does_not_stop_another(many: Crm) -> None:
    text = (many.root / "leadlight.yaml").read_text()
    many.world.save()
    other = '  old: {system: memory, world: /nowhere, secrets: {token: "${NOT_SET}"}}\n'
    text = text.replace("connections:\n", "connections:\n" + other)
    text = text.replace("sources:\n", "sources:\n  past: {connection: old, object: contacts, kind: leads}\n")
    (many.root / "leadlight.yaml").write_text(text)
    report = many.sync()
    assert [(one.connection, type(one.error)) for one in report.connections] == [
        ("old", UsageError),
        ("crm", type(None)),
    ]
    assert many.rows("SELECT count(*) FROM leads") == [(20,)]


def test_two_syncs_of_one_connection_do_not_meet(many: Crm) -> None:
    with held(many.root, "crm"):
        report = many.sync()
    assert isinstance(report.error, StoreInUse)
    assert "process" in str(report.error)
    assert many.sync().error is None


def test_names_that_are_not_there_are_told(many: Crm) -> None:
    with pytest.raises(NotFoundError, match="no connection 'cmr'"):
        many.sync(connections=["cmr"])
    with pytest.raises(NotFoundError, match="no source of crm reads an object 'contact': did you mean 'contacts'"):
        many.sync(objects=["contact"])
    report = many.sync(objects=["emails"])
    assert [one.object for one in report.connections[0].objects] == ["emails"]


def test_what_nobody_reads_and_what_one_alone_has_stops_no_other(many: Crm) -> None:
    text = (many.root / "leadlight.yaml").read_text()
    other = "  idle: {system: memory, world: /nowhere}\n  old: {system: memory, world: /nowhere}\n"
    text = text.replace("connections:\n", "connections:\n" + other)
    text = text.replace("sources:\n", "sources:\n  past: {connection: old, object: people, kind: leads}\n")
    (many.root / "leadlight.yaml").write_text(text)
    report = many.sync(objects=["emails"])
    assert [(one.connection, one.errors) for one in report.connections] == [("crm", ())]
    with pytest.raises(UsageError, match="no source reads anything of idle"):
        many.sync(connections=["idle"])


def test_the_command_tells_and_ends_with_its_code(many: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    many.world.save()
    assert main(["sync", "-w", str(many.root)]) == 0
    shown = capsys.readouterr().out
    assert "  contacts: 20 new\n  emails: 20 new\n  nothing new in deals\n" in shown
    assert "no value in any row" not in shown
    many.world.trouble["contacts"] = [0, "sign_in"]
    many.world.save()
    assert main(["sync", "-w", str(many.root), "--json"]) == 9
    told = json.loads(capsys.readouterr().out)
    assert told["connections"][0]["error"]["fix"] == "Mend it."


def test_a_lake_that_was_deleted_is_read_anew(many: Crm) -> None:
    import shutil

    many.sync()
    shutil.rmtree(many.root / ".leadlight" / "sync" / "crm" / "raw")
    report = many.sync()
    assert report.connections[0].objects[0].new == 20
    assert many.rows("SELECT count(*) FROM observations") == [(20,)]


def test_who_is_new_is_looked_up_where_it_is_wished(many: Crm) -> None:
    text = (many.root / "leadlight.yaml").read_text()
    (many.root / "leadlight.yaml").write_text(text + "enrich: {ask: [email], on_ingest: true, budget: {requests: 0}}\n")
    (many.root / "scorecards").mkdir()
    (many.root / "scorecards" / "house.yaml").write_text("groups: {fit: {}}\n")
    for n in range(20):
        many.world.put("contacts", str(n), START - timedelta(days=9), email=f"{n}@example.com")
    report = many.sync()
    assert report.ingested is not None
    assert report.ingested.enriched is not None
