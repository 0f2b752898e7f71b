from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.scorecards.shop import EVENTS, LEADS, NOW, open_shop

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, TooManyRejects, UsageError
from leadlight.expr.types import Type
from leadlight.sources.ingest import ingest
from leadlight.sources.ingest_report import IngestReport, SourceReport
from leadlight.spec.models import WorkspaceSpec
from leadlight.store.erase import erase
from leadlight.store.names import catalog
from leadlight.store.open import open_store
from leadlight.workspace import Workspace

TABLES = ("ids", "leads", "attributes", "observations", "events", "outcomes", "names")


def content(workspace: Workspace) -> dict[str, list[tuple[Any, ...]]]:
    with workspace.store() as engine:
        return {table: sorted(engine.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


def again(folder: Path, **files: str) -> Workspace:
    """Change files of a shop and open it a day later."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return Workspace(folder, now=lambda: NOW.replace(day=2))


def test_twice_changes_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    before = content(shop)
    report = again(tmp_path).ingest()
    assert content(shop) == before
    assert all(source.new == source.changed == 0 for source in report.sources)


def test_the_same_rows_in_a_changed_file_change_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    before = content(shop)
    header, *rows = EVENTS.splitlines()
    turned = again(tmp_path, events="\n".join([header, *reversed(rows)]) + "\n")
    turned.ingest()
    assert content(shop) == before


def test_a_changed_lead_is_known_since_the_reading(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    later = again(tmp_path, leads=LEADS.replace("Acme,manager", "Acme,vp"))
    later.ingest()
    points = {
        as_of: {item.name: item.points for item in later.explain("bob", as_of=as_of).contributions}["Seniority"]
        for as_of in ("2026-03-01", "2026-03-02")
    }
    assert points == {"2026-03-01": 5.0, "2026-03-02": 15.0}


def test_late_and_out_of_order_events_land_at_their_time(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    late = again(tmp_path, events=EVENTS + "di,demo,2026-02-21,\n")
    late.ingest()
    assert {i.name: i.points for i in late.explain("di", as_of="2026-02-21").contributions}["Asked for a demo"] == 10
    assert {i.name: i.points for i in late.explain("di", as_of="2026-02-20").contributions}["Asked for a demo"] == 0


def test_events_of_a_lead_not_known_yet_count_once_it_is(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    (tmp_path / "events.csv").write_text(EVENTS + "hal,demo,2026-02-21,\n")
    shop.ingest()
    later = again(tmp_path, leads=LEADS + "hal,2026-02-20,hal@x.example,X,,\n")
    later.ingest()
    assert {i.name: i.points for i in later.explain("hal").contributions}["Asked for a demo"] == 10


def test_duplicates_by_address_are_merged_and_reported(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    (tmp_path / "leads.csv").write_text(LEADS + "ann2,2026-02-11, ANN@Acme.example,Acme,,\n")
    (tmp_path / "events.csv").write_text(EVENTS + "ann2,unsubscribe,2026-02-12,\n")
    report = shop.ingest()
    assert "ann2" in str(report.as_dict())
    assert shop.explain("ann2").id == "ann"
    points = {item.name: item.points for item in shop.explain("ann").contributions}
    assert (points["Unsubscribed"], points["Seniority"]) == (-6.0, 15.0)  # the event followed; the blank erased nothing


def test_unreadable_rows_go_to_the_rejects_file(tmp_path: Path) -> None:
    rows = "".join(f"x{i},2026-01-01,x{i}@a.example,Acme,vp,5\n" for i in range(200))
    open_shop(tmp_path)
    (tmp_path / "leads.csv").write_text(LEADS + rows + "zed,31st of May,z@z.example,Z,vp,5\n")
    shop = Workspace(tmp_path, now=lambda: NOW)
    report = {source.source: source for source in shop.ingest().sources}["leads"]
    assert report.rejected == 1
    text = (tmp_path / "rejects" / "leads.csv").read_text()
    assert "leads.csv,208,created,31st of May," in text


def test_too_many_leave_the_store_as_it_was(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    before = content(shop)
    with pytest.raises(TooManyRejects, match="leads.csv:2: created"):
        again(tmp_path, leads=LEADS.replace("2026-01-01", "someday"), events=EVENTS + "ann,demo,2026-02-28,\n").ingest()
    assert content(shop) == before


def test_a_missing_file_and_a_missing_column_at_once(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    (tmp_path / "deals.csv").unlink()
    (tmp_path / "events.csv").write_text(EVENTS.replace("lead,type,at,path", "lead,kind,at,path"))
    with pytest.raises(DataError) as caught:
        shop.ingest()
    text = str(caught.value)
    assert "deals.csv" in text
    assert "'type'" in text


KILLED = """
import sys
from datetime import datetime
from leadlight.workspace import Workspace
workspace = Workspace(sys.argv[1], now=lambda: datetime(2026, 3, 2))
print("go", flush=True)
workspace.ingest()
"""


@pytest.mark.slow
def test_killed_at_any_moment_leaves_the_last_complete_state(tmp_path: Path) -> None:
    random.seed(7)
    shop = open_shop(tmp_path)
    shop.ingest()
    old = content(shop)
    more = "".join(f"ann,page_view,2026-02-{1 + i % 28:02d}T{i % 24:02d}:00,/p{i}\n" for i in range(3000))
    (tmp_path / "events.csv").write_text(EVENTS + more)
    (tmp_path / "leads.csv").write_text(LEADS.replace("manager", "vp"))
    done = 0
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.random() * 1.2)
            os.kill(process.pid, signal.SIGKILL)
        found = content(shop)
        assert len(found["events"]) in (len(old["events"]), len(old["events"]) + 3000)
        if len(found["events"]) == len(old["events"]):
            assert found == old
        else:
            assert shop.explain("bob", as_of="2026-03-02").totals["fit"] == 20  # the lead's row came along
            done += 1
    shop.ingest()
    assert len(content(shop)["events"]) == len(old["events"]) + 3000


# ------------------------------------------------------------------------- sources that are described or cut otherwise

FIRST, SECOND = datetime(2026, 1, 1), datetime(2026, 2, 1)
PEOPLE = "id,created,email,size\na,2025-01-01,a@x.example,1\nb,2025-02-01,b@x.example,2\n"
CLICKS = "who,kind,ts,path\na,view,2025-03-01,/p\nb,view,2025-03-02,/q\nb,view,2025-04-03,/q\n"
LEADS_OF = {"csv": "people.csv", "id": "id", "created_at": "created"}
CLICKS_OF = {"csv": "clicks.csv", "lead": "who", "type": "kind", "at": "ts"}


@dataclass
class Small:
    """A folder, a store in memory, and sources."""

    root: Path
    engine: DuckDBEngine = field(default_factory=lambda: open_store("duckdb::memory:", Path()))

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / f"{name}.csv").write_text(text)

    def ingest(self, now: datetime = FIRST, *, only: tuple[str, ...] = (), **sources: Any) -> IngestReport:
        return ingest(self.engine, WorkspaceSpec(sources=sources), self.root, only=only, now=now)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.engine.rows(sql)

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        names = [name for (name,) in self.rows("SELECT table_name FROM duckdb_tables() ORDER BY 1")]
        return {name: sorted(self.rows(f"FROM {name}"), key=repr) for name in names}


@pytest.fixture
def small(tmp_path: Path) -> Any:
    folder = Small(tmp_path)
    folder.write(people=PEOPLE, clicks=CLICKS)
    yield folder
    folder.engine.close()


def of(report: IngestReport, source: str) -> SourceReport:
    return next(one for one in report.sources if one.source == source)


def test_twice_leaves_every_table_as_it_was(small: Small) -> None:
    small.ingest(people=LEADS_OF, clicks=CLICKS_OF)
    before = small.everything()
    report = small.ingest(SECOND, people=LEADS_OF, clicks=CLICKS_OF)
    assert small.everything() == before  # not even a run, and no temporary table is left
    assert not report.changed
    assert [(one.files, one.skipped_files, one.rows) for one in report.sources] == [(1, 1, 0), (1, 1, 0)]


def test_the_report_in_numbers(small: Small) -> None:
    small.write(clicks=CLICKS + "nobody,view,2025-03-02,\n", people=PEOPLE + "a,2025-01-01,,3\n")
    report = small.ingest(people=LEADS_OF, clicks=CLICKS_OF)
    people, clicks = of(report, "people"), of(report, "clicks")
    assert (people.rows, people.new, people.repeated) == (3, 2, 1)
    assert (clicks.rows, clicks.new, clicks.without_lead) == (4, 4, 1)
    assert (report.same_id.count, report.same_id.examples) == (1, ("a",))
    text = json.dumps(report.as_dict())
    assert json.loads(text)["sources"][0]["source"] == "people"
    kept = json.loads(small.rows("SELECT counts FROM runs")[0][0])
    assert kept["clicks"]["without_lead"] == 1
    assert "x.example" not in json.dumps(kept)


def test_only_some(small: Small) -> None:
    report = small.ingest(only=("people",), people=LEADS_OF, clicks=CLICKS_OF)
    assert [one.source for one in report.sources] == ["people"]
    with pytest.raises(UsageError, match="there is no source 'poeple': did you mean 'people'\\? Known: clicks, people"):
        small.ingest(only=("poeple",), people=LEADS_OF, clicks=CLICKS_OF)


def test_a_source_that_is_gone_from_the_spec_erases_nothing(small: Small) -> None:
    small.ingest(people=LEADS_OF, clicks=CLICKS_OF)
    before = small.everything()
    small.ingest(SECOND, people=LEADS_OF)
    assert small.everything() == before


def test_events_described_anew_are_replaced(small: Small) -> None:
    small.ingest(people=LEADS_OF, clicks=CLICKS_OF)
    report = small.ingest(SECOND, people=LEADS_OF, clicks={**CLICKS_OF, "timezone": "Europe/Berlin", "drop": ["path"]})
    assert small.rows('SELECT "at" FROM events ORDER BY 1') == [
        (datetime(2025, 2, 28, 23),), (datetime(2025, 3, 1, 23),), (datetime(2025, 4, 2, 22),),
    ]  # fmt: skip
    assert "path" not in small.engine.columns("events")
    assert catalog(small.engine).properties == {}
    assert of(report, "clicks").notes[0] == (
        "the source is described differently than before: what it said is replaced"
    )


def test_leads_described_anew_are_replaced(small: Small) -> None:
    """As a newcomer does it: the first try took the wrong column for the id and a number for a text."""
    small.write(people="id,mail,created,code\n1,a@x.example,2025-01-01,0012\n2,b@x.example,2025-02-01,0013\n")
    small.ingest(people={"csv": "people.csv", "id": "mail", "types": {"code": "number"}})
    small.ingest(SECOND, people={"csv": "people.csv", "id": "id", "created_at": "created", "types": {"code": "text"}})
    assert small.rows("SELECT id, created_at FROM leads ORDER BY id") == [
        ("1", datetime(2025, 1, 1)), ("2", datetime(2025, 2, 1)),
    ]  # fmt: skip
    assert small.rows("SELECT code FROM attributes ORDER BY code") == [("0012",), ("0013",)]
    assert catalog(small.engine).attributes["code"] is Type.TEXT


def test_history_that_no_file_holds_any_more_is_not_replaced(small: Small) -> None:
    small.ingest(clicks=CLICKS_OF)
    small.write(clicks="who,kind,ts,path\nc,view,2025-06-01,/z\n")  # a file that is overwritten every night
    small.ingest(SECOND, clicks=CLICKS_OF)
    report = small.ingest(SECOND, clicks={**CLICKS_OF, "timezone": "Europe/Berlin"})
    assert of(report, "clicks").notes[0] == (
        "the source is described differently than before, but its files no longer hold all that the store has from it: "
        "that stays as it was read"
    )
    assert small.rows("SELECT count(*) FROM events") == [(5,)]


def test_a_source_under_another_name_is_the_same(small: Small) -> None:
    small.ingest(people=LEADS_OF, clicks=CLICKS_OF)
    report = small.ingest(SECOND, people=LEADS_OF, web=CLICKS_OF)
    assert (of(report, "web").new, of(report, "web").unchanged) == (0, 3)
    assert small.rows("SELECT DISTINCT _source FROM events") == [("web",)]
    before = small.everything()
    small.ingest(SECOND, people=LEADS_OF, web=CLICKS_OF)
    assert small.everything() == before


def test_two_sources_of_one_file_are_two(small: Small) -> None:
    deals = {"csv": "clicks.csv", "lead": "who", "outcome": "kind", "at": "ts"}
    small.ingest(people=LEADS_OF, clicks=CLICKS_OF, deals=deals)
    assert small.rows("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM outcomes)") == [(3, 3)]


def test_rows_of_one_lead_in_several_files(small: Small) -> None:
    """When one file changes, what the others say of the same lead still counts."""
    source = {**LEADS_OF, "csv": "part*.csv"}
    header = "id,created,email,size\n"
    small.write(part1=header + "a,2025-01-01,a@x.example,1\n", part2=header + "a,2025-01-01,,2\n")
    small.ingest(people=source)
    small.write(part1=header + "a,2025-01-01,a@x.example,1\nz,2025-01-01,z@x.example,9\n")
    report = small.ingest(SECOND, people=source)
    assert (of(report, "people").new, of(report, "people").changed, of(report, "people").unchanged) == (1, 0, 1)
    assert small.rows("SELECT size FROM attributes ORDER BY 1") == [(2.0,), (9.0,)]


def test_outcomes_in_the_file_of_leads(small: Small) -> None:
    source = {"csv": "people.csv", "id": "id", "created_at": "created", "outcome": "Converted", "value": "worth"}
    header = "id,created,Converted,worth\n"
    small.write(people=header + "a,2025-01-01,0,\nb,2025-01-01,1,50\n")
    assert of(small.ingest(people=source), "people").outcomes == (2, 0, 0)
    small.write(people=header + "a,2025-01-01,1,70\nb,2025-01-01,1,50\n")
    report = of(small.ingest(SECOND, people=source), "people")
    assert (report.changed, report.unchanged, report.outcomes) == (0, 2, (0, 1, 1))
    assert small.rows('SELECT id, "at", outcome, value FROM outcomes JOIN ids USING (lead) ORDER BY id') == [
        ("a", None, "1", 70.0), ("b", None, "1", 50.0),
    ]  # fmt: skip
    assert catalog(small.engine).outcome == ("converted", Type.NUMBER)
    assert catalog(small.engine).attributes == {}


def test_one_log_read_by_sources_that_mean_different_rows(small: Small) -> None:
    small.write(clicks="who,ts,kind\na,2025-02-01,open\na,2025-02-02,shut\nb,2025-02-03,open\nb,,shut\n")
    opened = {"csv": "clicks.csv", "lead": "who", "at": "ts", "event": "opened", "where": "kind = 'open'"}
    shut = {"csv": "clicks.csv", "lead": "who", "at": "ts", "outcome_is": "done", "where": "kind = 'shut'"}
    spec = {"people": LEADS_OF, "opened": opened, "ended": {**shut, "drop": ["kind"]}}
    report = small.ingest(**spec)
    assert [(of(report, name).rows, of(report, name).left_out) for name in ("opened", "ended")] == [(2, 2), (2, 2)]
    assert "left out by `where`" in str(report)
    assert report.counts()["opened"]["left_out"] == 2
    assert small.rows("SELECT id, type::VARCHAR FROM events JOIN ids USING (lead) ORDER BY id") == [
        ("a", "opened"), ("b", "opened"),
    ]  # fmt: skip
    assert small.rows('SELECT id, "at", outcome FROM outcomes JOIN ids USING (lead) ORDER BY id') == [
        ("a", datetime(2025, 2, 2), "done"), ("b", None, "done"),
    ]  # fmt: skip
    assert catalog(small.engine).outcome == ("outcome", Type.TEXT)
    assert not small.ingest(SECOND, **spec).changed


def test_another_condition_replaces_what_the_former_one_let_in(small: Small) -> None:
    small.ingest(people=LEADS_OF, clicks=CLICKS_OF)
    few = {**CLICKS_OF, "where": "who = 'a'"}
    small.ingest(SECOND, people=LEADS_OF, clicks=few)
    assert small.rows("SELECT DISTINCT id FROM events JOIN ids USING (lead)") == [("a",)]


def test_accounts_have_a_history_too(small: Small) -> None:
    source = {"csv": "firms.csv", "account": "name"}
    small.write(firms="name,staff\nAcme,5\nBolt,7\n")
    assert of(small.ingest(firms=source), "firms").new == 2
    small.write(firms="name,staff\nAcme,6\nBolt,7\n")
    assert of(small.ingest(SECOND, firms=source), "firms").changed == 1
    assert small.rows("SELECT account, known_at, staff FROM account_attributes ORDER BY 1, 2") == [
        ("Acme", datetime(1900, 1, 1), 5.0), ("Acme", SECOND, 6.0), ("Bolt", datetime(1900, 1, 1), 7.0),
    ]  # fmt: skip
    assert catalog(small.engine).account_attributes == {"staff": Type.NUMBER}


def test_the_type_in_the_store_holds(small: Small) -> None:
    small.ingest(people=LEADS_OF)
    before = small.everything()
    small.write(more="id,created,size\nc,2025-01-01,many\n")
    with pytest.raises(TooManyRejects):
        small.ingest(SECOND, people=LEADS_OF, more={**LEADS_OF, "csv": "more.csv"})
    assert small.everything() == before


def test_sources_read_together_agree_on_types(small: Small) -> None:
    small.write(more="id,created,size\nc,2025-01-01,many\n")
    with pytest.raises(TooManyRejects, match="more.csv:2: size"):
        small.ingest(people=LEADS_OF, more={**LEADS_OF, "csv": "more.csv"})
    assert small.rows("SELECT count(*) FROM leads") == [(0,)]


def test_the_faults_of_all_sources_come_at_once(small: Small) -> None:
    with pytest.raises(DataError) as caught:
        small.ingest(people={**LEADS_OF, "csv": "none.csv"}, clicks={**CLICKS_OF, "at": "when"})
    assert len(caught.value.faults) == 2


def test_a_moment_with_a_zone_is_turned_into_utc(small: Small) -> None:
    small.write(people="id\na\n")
    small.ingest(datetime.fromisoformat("2026-01-01T02:00:00+02:00"), people={"csv": "people.csv", "id": "id"})
    assert small.rows("SELECT created_at FROM leads") == [(FIRST,)]


def test_rows_about_erased_people_are_counted(small: Small) -> None:
    small.ingest(people=LEADS_OF, clicks=CLICKS_OF)
    erase(small.engine, "b", now=FIRST)
    small.write(people=PEOPLE + "c,2025-01-01,,\n", clicks=CLICKS + "c,view,2025-05-01,\n")
    report = small.ingest(SECOND, people=LEADS_OF, clicks=CLICKS_OF)
    assert (of(report, "people").new, of(report, "people").unchanged, of(report, "people").erased) == (1, 1, 1)
    assert (of(report, "clicks").new, of(report, "clicks").unchanged, of(report, "clicks").erased) == (1, 1, 2)
    assert small.rows("SELECT id FROM ids ORDER BY id") == [("a",), ("c",)]
