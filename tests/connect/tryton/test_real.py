"""A real Tryton, on SQLite and on PostgreSQL: read, learned from, written to, and followed as people go on in it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connect.tryton.server import DATABASE, Tryton
from leadlight.connect.http import Http
from leadlight.connect.protocol import Surroundings, Want, Write
from leadlight.connect.push_report import PushRun
from leadlight.connect.registry import connector
from leadlight.connect.sync_report import ObjectReport
from leadlight.errors import RemoteError
from leadlight.workspace import Workspace, open_workspace

pytestmark = pytest.mark.slow

OPPORTUNITY, PARTY = "sale.opportunity", "party.party"
FIELDS = ("leadlight_score", "leadlight_grade", "leadlight_reasons", "leadlight_scored_at")
CLOSED = ("won", "lost", "cancelled")
NEAR = timedelta(seconds=2)


class House:
    """A workspace that is connected to it, made by `leadlight init --from tryton`."""

    def __init__(self, tryton: Tryton, root: Path) -> None:
        self.tryton, self.root = tryton, root
        command = [Path(sys.executable).with_name("leadlight"), "init", root, "--from", "tryton"]
        subprocess.run([str(one) for one in command], check=True, capture_output=True)
        file, lines = root / "leadlight.yaml", []
        for line in file.read_text().splitlines():
            key = line.strip().partition(":")[0]
            told = {"url": tryton.url, "database": DATABASE, "every": "15m\n    per_second: 500"}
            lines.append(f"    {key}: {told[key]}" if line.startswith("    ") and key in told else line)
        file.write_text("\n".join(lines) + "\n")

    @property
    def workspace(self) -> Workspace:
        return open_workspace(self.root)

    def sync(self) -> dict[str, ObjectReport]:
        report = self.workspace.sync()
        assert report.error is None, report
        return {one.object: one for one in report.connections[0].objects}

    def push(self, **more: Any) -> PushRun:
        (run,) = self.workspace.push(**more).runs
        assert run.stopped is None
        return run

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.workspace.store() as engine:
            return [tuple(row) for row in engine.rows(statement)]

    def held(self, domain: list[Any], *fields: str, model: str = OPPORTUNITY) -> dict[str, dict[str, Any]]:
        found = self.tryton.client("rows", model=model, domain=domain, fields=["id", *fields])
        return {str(one["id"]): one for one in found}


@pytest.fixture(scope="module")
def house(tryton: Tryton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The workspace, synced once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRYTON_KEY", tryton.key)
        made = House(tryton, tmp_path_factory.mktemp("house") / "crm")
        made.sync()
        yield made


def test_reads_all_of_it_with_its_past(house: House) -> None:
    there = house.held([], "state", "create_date", "amount")
    leads = {row[0]: row[1:] for row in house.rows("SELECT id, created_at, name, source FROM leads")}

    assert {one.removeprefix("tryton:") for one in leads} == set(there)
    for number, (created, name, source) in leads.items():
        told = datetime.fromisoformat(there[number.removeprefix("tryton:")]["create_date"])
        assert abs(created - told) < NEAR
        assert name.startswith("Firm ")
        assert source in ("Referral", "Fair", "Advert", "Website")
    ends = house.rows("SELECT outcome, count(*) FROM outcomes GROUP BY outcome")
    assert dict(ends) == Counter(one["state"] for one in there.values())
    late = house.rows(
        "SELECT count(*) FROM outcomes o JOIN leads l USING (lead) WHERE o.outcome IN ('won', 'lost') "
        "AND NOT o.at BETWEEN l.created_at AND l.created_at + INTERVAL 1 HOUR"
    )
    assert late == [(0,)]
    assert not any(one.changed or one.new for one in house.sync().values())  # nothing has changed meanwhile


def test_learns_what_wins_there(house: House) -> None:
    run = house.workspace.learn(name="learned", force=True)

    assert run is not None
    text = (house.root / "scorecards" / "learned.yaml").read_text()
    assert "source" in text
    best = {}
    for source in ("Referral", "Advert"):
        (found,) = house.rows(
            f"SELECT count(*) FILTER (WHERE o.outcome = 'won') / count(*) FROM outcomes o JOIN leads l USING (lead) "
            f"WHERE l.source = '{source}' AND o.outcome IN ('won', 'lost')"
        )
        best[source] = found[0]
    assert best["Referral"] > best["Advert"] + 0.3


def test_writes_scores_where_people_see_them_and_only_once(house: House) -> None:
    run = house.push()
    scores = dict(
        house.rows("SELECT l.id, s.score FROM scores s JOIN leads l USING (lead) WHERE s.scorecard = 'house'")
    )
    seen = house.held([["state", "not in", CLOSED]], *FIELDS)

    assert {one.was for one in run.fields} == {"there"}
    assert (run.written, run.failures, run.conflict_count) == (len(seen), {}, 0)
    for number, told in seen.items():
        assert told["leadlight_score"] == pytest.approx(scores[f"tryton:{number}"], abs=0.01)
        assert told["leadlight_grade"]
        assert told["leadlight_reasons"]
        assert told["leadlight_scored_at"]
    again = house.push()
    assert (again.written, again.unchanged) == (0, len(seen))


def test_what_a_person_wrote_stays(house: House) -> None:
    number = next(iter(house.held([["state", "=", "lead"]])))
    house.tryton.client(
        "edit",
        model=OPPORTUNITY,
        number=int(number),
        values={"leadlight_grade": "mine", "amount": {"decimal": "44000"}},
    )
    house.sync()
    run = house.push()

    assert [(one.record, one.field) for one in run.conflicts] == [(number, "leadlight_grade")]
    assert house.held([["id", "=", int(number)]], "leadlight_grade")[number]["leadlight_grade"] == "mine"


def test_edits_are_known_since_tryton_says_so(house: House) -> None:
    numbers = list(house.held([["state", "=", "lead"]]))[10:13]
    for amount in ("7100", "7200"):
        for number in numbers:
            house.tryton.client("edit", model=OPPORTUNITY, number=int(number), values={"amount": {"decimal": amount}})
    report = house.sync()
    edited = house.held([["id", "in", list(map(int, numbers))]], "write_date")

    assert report[OPPORTUNITY].changed >= 2 * len(numbers)
    for number in numbers:
        found = house.rows(
            f"SELECT o.known_at, o.amount FROM observations o WHERE o._key = 'tryton:{number}' "
            f"AND o.amount IN (7100, 7200) ORDER BY o.known_at"
        )
        assert [amount for _, amount in found] == [7100, 7200]
        assert abs(found[1][0] - datetime.fromisoformat(edited[number]["write_date"])) < NEAR


def test_merges_deletions_and_new_ones_are_followed(house: House) -> None:
    client, told = house.tryton.client, house.tryton.told
    open_ones = house.held([["state", "=", "lead"]], "party")
    (merged, one), (_, other) = list(open_ones.items())[20:22]
    client("replace", source=one["party"], destination=other["party"])
    deleted = list(open_ones)[-1]
    client("click", model=OPPORTUNITY, ids=[int(deleted)], button="cancel")
    client("delete", model=OPPORTUNITY, ids=[int(deleted)])
    fresh = {"company": told["company"], "currency": told["currency"], "employee": told["employee"]}
    (new,) = client("create", model=OPPORTUNITY, records=[{**fresh, "party": other["party"], "description": "New"}])
    mechanism = {"party": other["party"], "type": "phone", "value": "+39 06 1234567"}
    client("create", model="party.contact_mechanism", records=[mechanism])

    report = house.sync()

    assert report[OPPORTUNITY].gone == 1
    assert report[PARTY].merged == 1
    assert house.rows(f"SELECT deleted FROM leads WHERE id = 'tryton:{deleted}'") == [(True,)]
    found = house.rows(f"SELECT account, phone FROM leads WHERE id IN ('tryton:{merged}', 'tryton:{new}')")
    assert [phone for _, phone in found] == ["+39 06 1234567"] * 2
    assert len({account for account, _ in found}) == 1
    run = house.push()
    assert not run.failures
    assert house.held([["id", "=", new]], "leadlight_score")[str(new)]["leadlight_score"] is not None


def test_a_key_of_less_rights_reads_and_one_that_was_cancelled_does_not(house: House) -> None:
    with _session(house.tryton, house.tryton.told["reader"]) as session:
        (described,) = session.describe([OPPORTUNITY])
        pages = list(session.read(Want(described, history=False)))
        assert sum(len(page.rows) for page in pages) == len(house.held([]))
        with pytest.raises(RemoteError, match="Access Permissions") as caught:
            session.describe(["sale.sale"])
        assert caught.value.trouble == "scope"
    house.tryton.client("revoke", key=house.tryton.told["reader"])
    with _session(house.tryton, house.tryton.told["reader"]) as session:
        with pytest.raises(RemoteError, match="Applications") as caught:
            session.describe([OPPORTUNITY])
        assert caught.value.trouble == "sign_in"


def test_what_tryton_refuses_is_told_record_by_record(house: House) -> None:
    won = next(iter(house.held([["state", "=", "won"]])))
    free, other = list(house.held([["state", "=", "lead"]]))[:2]
    field = "conversion_probability"
    with _session(house.tryton, house.tryton.key) as session:
        told = session.write(
            OPPORTUNITY,
            [
                Write(won, {field: 0.7}),
                Write(free, {field: 0.71}),
                Write(other, {field: 1.7}),
                Write("99999999", {field: 0.7}),
            ],
        )
    assert [bool(one.error) for one in told] == [True, False, True, True]
    assert "Conversion Probability" in str(told[0].error)
    assert told[3].gone


class _session:  # noqa: N801 - reads as a function
    def __init__(self, tryton: Tryton, key: str) -> None:
        one = connector("tryton")
        settings, secrets = one.settings.model_validate({"url": tryton.url, "database": DATABASE}), {"key": key}
        way = one.way(settings, secrets)
        assert way is not None
        self._http = Http(way, one.about, secrets=secrets)
        self._session = one.open(settings, Surroundings(secrets, self._http, datetime(2026, 1, 1)))

    def __enter__(self) -> Any:
        return self._session

    def __exit__(self, *_: object) -> None:
        self._http.close()
