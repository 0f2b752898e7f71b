"""A real Tryton, on SQLite and on PostgreSQL: read, learned from, written to, and followed as people go on in it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connect.tryton.agree import Asker
from connect.tryton.fill import SOURCES
from connect.tryton.server import DATABASE, Tryton
from connect.tryton.stand_in import StandIn
from leadlight.connect.http import Http
from leadlight.connect.protocol import Surroundings, Want, Write
from leadlight.connect.push_report import PushRun
from leadlight.connect.registry import connector
from leadlight.connect.sync_report import ObjectReport
from leadlight.errors import RemoteError
from leadlight.workspace import Workspace, open_workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # the first time a database is made, and filled

OPPORTUNITY, PARTY = "sale.opportunity", "party.party"
FIELDS = ("leadlight_score", "leadlight_grade", "leadlight_reasons", "leadlight_scored_at")
CLOSED = ("won", "lost", "cancelled")
NEAR = timedelta(seconds=2)
PRESENT = "SELECT l.id, {} FROM leads l JOIN attributes a USING (lead) WHERE a.known_until > TIMESTAMP '9000-01-01'"


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

    def open(self) -> list[str]:
        """The leads that are open, by number."""
        return list(self.held([["state", "=", "lead"]]))

    def edit(self, number: str, **values: Any) -> None:
        """Edit an opportunity, as a person does."""
        self.tryton.client("edit", model=OPPORTUNITY, number=int(number), values=values)

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


def test_a_house_lives_with_it(house: House) -> None:
    """One test, since each of these goes on where the one before it left off."""
    _reads_all_of_it_with_its_past(house)
    _learns_what_wins_there(house)
    _writes_scores_where_people_see_them_and_only_once(house)
    _keeps_what_a_person_wrote(house)
    _knows_edits_since_tryton_says_so(house)
    _follows_merges_deletions_and_new_ones(house)
    _tells_what_is_refused_record_by_record(house)
    _is_as_its_stand_in_says(house)
    _reads_with_less_rights_but_not_with_a_cancelled_key(house)


def _reads_all_of_it_with_its_past(house: House) -> None:
    there = house.held([], "state", "create_date", "amount")
    leads = {
        row[0].removeprefix("tryton:"): row[1:] for row in house.rows(PRESENT.format("l.created_at, a.name, a.source"))
    }

    assert set(leads) == set(there)
    for number, (created, name, source) in leads.items():
        assert abs(created - datetime.fromisoformat(there[number]["create_date"])) < NEAR
        assert name.startswith("Firm ")
        assert source in [one.lower() for one in SOURCES]
    assert dict(house.rows("SELECT outcome, count(*) FROM outcomes GROUP BY outcome")) == Counter(
        one["state"] for one in there.values()
    )
    late = house.rows(
        "SELECT count(*) FROM outcomes o JOIN leads l USING (lead) WHERE o.outcome IN ('won', 'lost') "
        "AND NOT o.at BETWEEN l.created_at AND l.created_at + INTERVAL 1 HOUR"
    )
    assert late == [(0,)]
    assert not any(one.changed or one.new for one in house.sync().values())  # nothing has changed meanwhile


def _learns_what_wins_there(house: House) -> None:
    run = house.workspace.learn(name="learned", force=True)

    assert run is not None
    assert "source" in (house.root / "scorecards" / "learned.yaml").read_text()
    shares = dict(
        house.rows(
            "SELECT a.source, avg((o.outcome = 'won')::INT) FROM outcomes o JOIN attributes a USING (lead) "
            "WHERE a.known_until > TIMESTAMP '9000-01-01' AND o.outcome IN ('won', 'lost') GROUP BY ALL"
        )
    )
    assert shares["referral"] > shares["advert"] + 0.3


def _writes_scores_where_people_see_them_and_only_once(house: House) -> None:
    run = house.push()
    scores = dict(
        house.rows(
            "SELECT l.id, arg_max(s.score, s.as_of) FROM scores s JOIN leads l USING (lead) "
            "WHERE s.scorecard = 'house' GROUP BY ALL"
        )
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


def _keeps_what_a_person_wrote(house: House) -> None:
    number = next(iter(house.held([["state", "=", "lead"], ["amount", "<", {"decimal": "1000"}]])))
    house.edit(number, leadlight_grade="mine", amount={"decimal": "44000"})
    house.sync()
    run = house.push()

    assert [(one.record, one.field) for one in run.conflicts] == [(number, "leadlight_grade")]
    held = house.held([["id", "=", int(number)]], "leadlight_grade", "leadlight_score")[number]
    assert held["leadlight_grade"] == "mine"
    house.edit(number, leadlight_grade=None)


def _knows_edits_since_tryton_says_so(house: House) -> None:
    numbers = house.open()[10:13]
    for amount in ("7100", "7200"):
        for number in numbers:
            house.edit(number, amount={"decimal": amount})
    report = house.sync()
    edited = house.held([["id", "in", list(map(int, numbers))]], "write_date")

    assert report[OPPORTUNITY].changed >= 2 * len(numbers)
    for number in numbers:
        found = house.rows(
            "SELECT o.known_at, o.amount FROM observations o JOIN ids i ON i.key = o._key "
            f"WHERE i.id = 'tryton:{number}' AND o.amount IN (7100, 7200) ORDER BY o.known_at"
        )
        assert [amount for _, amount in found] == [7100, 7200]
        assert abs(found[1][0] - datetime.fromisoformat(edited[number]["write_date"])) < NEAR


def _follows_merges_deletions_and_new_ones(house: House) -> None:
    client, told, numbers = house.tryton.client, house.tryton.told, house.open()
    moved, deleted = numbers[20], numbers[-1]
    parties = {number: one["party"] for number, one in house.held([["state", "=", "lead"]], "party").items()}
    loser, lives = parties[moved], next(party for party in parties.values() if party != parties[moved])
    client("replace", source=loser, destination=lives)
    client("click", model=OPPORTUNITY, ids=[int(deleted)], button="cancel")
    client("delete", model=OPPORTUNITY, ids=[int(deleted)])
    fresh = {"company": told["company"], "currency": told["currency"], "employee": told["employee"]}
    archived = next(number for number in reversed(house.held([], model=PARTY)) if int(number) not in (loser, lives))
    client("write", model=PARTY, ids=[int(archived)], values={"active": False})
    (new,) = client("create", model=OPPORTUNITY, records=[{**fresh, "party": lives, "description": "New"}])
    mechanism = {"party": lives, "type": "phone", "value": "+39 06 1234567"}
    client("create", model="party.contact_mechanism", records=[mechanism])

    report = house.sync()

    assert report[OPPORTUNITY].gone == 1
    assert (report[PARTY].merged, report[PARTY].gone) == (1, 1)
    shown = {row[0]: row[1:] for row in house.rows(PRESENT.format("a.deleted, a.account, a.phone"))}
    assert shown[f"tryton:{deleted}"][0] is True
    for number in (moved, str(new)):
        assert shown[f"tryton:{number}"] == (False, f"tryton:{lives}", "+39 06 1234567")
    assert not house.push().failures
    assert house.held([["id", "=", new]], "leadlight_score")[str(new)]["leadlight_score"] is not None


def _tells_what_is_refused_record_by_record(house: House) -> None:
    won, field = next(iter(house.held([["state", "=", "won"]]))), "conversion_probability"
    free, other = house.open()[:2]
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
    assert house.held([["id", "=", int(free)]], field)[free][field] == 0.71


def _is_as_its_stand_in_says(house: House) -> None:
    number = int(house.open()[3])
    house.edit(str(number), description="Another project")
    (archived, *_) = house.held([["active", "=", False], ["replaced_by", "!=", None]], model=PARTY)
    real = Asker(house.tryton.url, DATABASE, house.tryton.key, number, int(archived)).all()
    with StandIn().serving() as stand_in:
        party, other = (stand_in.add(PARTY, name=name, email=f"{name}@x.example") for name in "ab")
        lead = stand_in.add(OPPORTUNITY, description="A project", amount=1.0, party=party)
        stand_in.clock.advance(60)
        stand_in.edit(OPPORTUNITY, lead, description="Another project")
        stand_in.merge(PARTY, other, party)
        said = Asker(stand_in.url, DATABASE, stand_in.secrets["key"], int(lead), int(other)).all()
    assert said == real


def _reads_with_less_rights_but_not_with_a_cancelled_key(house: House) -> None:
    reader = house.tryton.told["reader"]
    with _session(house.tryton, reader) as session:
        (described,) = session.describe([OPPORTUNITY])
        kept = tuple(field for field in described.fields if field.name in ("description", "party.name", "state"))
        pages = list(session.read(Want(replace(described, fields=kept), history=False)))
        assert sum(len(page.rows) for page in pages) == len(house.held([]))
        with pytest.raises(RemoteError, match="Access Permissions") as caught:
            list(session.read(Want(*session.describe(["sale.sale"]))))
        assert caught.value.trouble == "scope"
    house.tryton.client("revoke", key=reader)
    with _session(house.tryton, reader) as session:
        with pytest.raises(RemoteError, match="Applications") as caught:
            session.describe([OPPORTUNITY])
        assert caught.value.trouble == "sign_in"


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
