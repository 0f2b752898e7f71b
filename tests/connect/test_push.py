from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connect.push_crm import GRADE, NOW, REASONS, SCORE, Killed, Office, make_office, no_past
from leadlight.errors import RemoteError, UsageError
from leadlight.store.erase import erase
from leadlight.store.pushed import marks

ROWS = ["1,2026-01-01,ann@a.example,5,vp,", "2,2026-01-02,bob@b.example,25,,", "3,2026-01-03,cyd@c.example,40,c_level,"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path / "office", ROWS)
    yield made
    made.engine.close()


def test_writes_score_grade_reasons_and_when_into_fields_it_makes(office: Office) -> None:
    run = office.push()

    assert [(one.field, one.was) for one in run.fields] == [
        (SCORE, "there"), (GRADE, "made"), (REASONS, "made"), ("leadlight_scored_at", "made"),
    ]  # fmt: skip
    assert office.crm.records["3"] == {
        SCORE: 50.0, GRADE: "A", REASONS: "Staff: 40: +30; Job: c_level: +20", "leadlight_scored_at": NOW,
    }  # fmt: skip
    assert (run.records, run.written, run.unchanged, run.exit_code) == (3, 3, 0, 0)


def test_the_best_are_written_first_in_batches(office: Office) -> None:
    office.push(batch=2)

    assert [record for record, _ in office.crm.written] == ["3", "1", "2"]
    assert office.crm.asked == ["look", "write", "look", "write"]


def test_what_has_not_changed_is_neither_looked_at_nor_written(office: Office) -> None:
    office.push()
    office.crm.asked.clear()
    office.now[0] += timedelta(days=3)

    run = office.push()

    assert (run.written, run.unchanged, office.crm.asked) == (0, 3, [])


def test_only_what_changed_of_a_record_is_written_with_the_time(office: Office) -> None:
    office.push()
    office.crm.written.clear()
    office.now[0] += timedelta(hours=1)
    office.set("2", staff=21, job="vp")

    office.push()

    assert office.crm.written == [
        ("2", {SCORE: 22.25, REASONS: "Job: vp: +12; Staff: 21: +10.2", "leadlight_scored_at": office.now[0]})
    ]


def test_a_wobble_is_no_change(office: Office) -> None:
    office.engine.execute("UPDATE attributes SET staff = 5 WHERE true")
    office.push(names={"score": None})
    for wobble in (1e-9, -1e-9):
        card = office.workspace.scorecard(None)
        criterion = card.criteria[0].spec
        low, high, points = criterion.bands[0]  # type: ignore[union-attr]
        object.__setattr__(criterion, "bands", [(low, high, points + wobble), *criterion.bands[1:]])  # type: ignore[union-attr]
        office.crm.written.clear()

        run = office.push(names={"score": None})

        assert (run.written, office.crm.written) == (0, [])


def test_a_field_that_a_person_changed_is_kept_and_reported_until_it_is_empty(office: Office) -> None:
    office.push()
    office.crm.records["2"][GRADE] = "hot"
    office.set("2", staff=40)

    run = office.push()

    assert office.crm.records["2"][GRADE] == "hot"
    assert office.crm.records["2"][SCORE] == 30.0
    assert [(one.record, one.field, one.value, one.ours) for one in run.conflicts] == [("2", GRADE, "hot", "A")]
    assert run.exit_code == 0

    assert office.push().conflict_count == 1
    office.crm.records["2"][GRADE] = ""
    assert (office.push().conflict_count, office.crm.records["2"][GRADE]) == (0, "A")
    office.crm.asked.clear()
    assert (office.push().unchanged, office.crm.asked) == (3, [])


def test_a_field_that_held_something_before_is_taken_over_only_when_told(office: Office) -> None:
    office.crm.fields.append(GRADE)
    office.crm.records["1"][GRADE] = "my own"

    assert office.push().conflict_count == 1
    assert office.crm.records["1"][GRADE] == "my own"
    assert office.crm.records["1"][REASONS] == "Job: vp: +12; Staff: 5: +1"
    office.push(take_over=[GRADE])

    assert office.crm.records["1"][GRADE] == "B"


def test_a_field_to_take_over_that_is_none_is_refused(office: Office) -> None:
    with pytest.raises(UsageError, match="no field 'leadlight_grad'"):
        office.push(take_over=["leadlight_grad"])


def test_a_dry_run_shows_every_write_and_makes_none(office: Office) -> None:
    office.crm.records["2"][SCORE] = None

    run = office.push(dry_run=True)

    assert (office.crm.written, office.crm.fields) == ([], [SCORE])
    assert ("2", SCORE, None, 10.25) in [(one.record, one.field, one.old, one.new) for one in run.changes]
    assert "would be made: leadlight_grade, leadlight_reasons, leadlight_scored_at" in str(run)
    assert "2 x_score: (empty) → 10.25" in str(run)
    assert marks(office.engine, "crm", "contacts") == {}
    assert run.as_dict()["changes"][0]["record"] == "3"


def test_killed_between_writing_and_noting_it_knows_its_own_values_again(office: Office) -> None:
    office.push()
    office.set("2", staff=15)
    office.crm.kill_after_write = True
    with pytest.raises(Killed):
        office.push()
    office.crm.kill_after_write = False
    office.crm.written.clear()

    assert (office.push().conflict_count, office.crm.written) == (0, [])

    office.set("2", staff=40)
    office.crm.kill_after_write = True
    with pytest.raises(Killed):
        office.push()
    office.crm.kill_after_write = False
    office.set("2", staff=1)

    run = office.push()

    assert (run.conflict_count, office.crm.records["2"][GRADE]) == (0, "C")


def test_killed_before_writing_nothing_is_lost(office: Office) -> None:
    office.crm.kill_before_write = True
    with pytest.raises(Killed):
        office.push()
    office.crm.kill_before_write = False

    assert (office.push().written, office.crm.records["3"][GRADE]) == (3, "A")


def test_a_record_that_is_locked_is_tried_again_in_the_run_and_in_later_ones(office: Office) -> None:
    office.crm.locked = {"1": 1, "2": 5}

    run = office.push()

    assert office.rests == [2.0, 8.0]
    assert office.crm.records["1"][GRADE] == "B"
    assert [(one.record, one.error) for one in run.failures.values()] == [("2", "locked by a person")]
    assert (run.exit_code, run.written) == (1, 2)
    assert (office.push().waiting, office.crm.locked["2"]) == (1, 2)
    office.now[0] += timedelta(hours=1)
    office.crm.locked = {}
    assert office.push().written == 1


def test_what_is_refused_is_tried_again_only_when_other_values_are_to_be_written(office: Office) -> None:
    office.crm.refused["2"] = "a rule of yours wants an e-mail address first"
    run = office.push()
    assert list(run.failures) == ["2"]
    office.crm.asked.clear()

    again = office.push()
    assert (again.refused_before, office.crm.asked, again.exit_code) == (1, [], 1)

    office.crm.refused.clear()
    assert office.push().refused_before == 1
    assert office.push(again=True).written == 1
    office.crm.refused["2"] = "no"
    office.set("2", staff=40)
    office.push()
    office.crm.refused.clear()
    office.set("2", staff=15)
    assert office.push().written == 1


def test_a_batch_that_is_refused_as_a_whole_is_taken_apart(office: Office) -> None:
    office.crm.whole = {"1"}

    run = office.push(batch=3)

    assert (run.written, list(run.failures)) == (2, ["1"])
    assert "the batch makes no sense" in run.failures["1"].error


def test_it_stops_where_the_quota_is_used_up_and_goes_on_the_next_time(office: Office) -> None:
    office.crm.requests_left = 2

    run = office.push(batch=1)

    assert (run.written, run.exit_code) == (1, 9)
    assert "the rest comes the next time" in str(run)
    office.crm.requests_left = None
    office.crm.asked.clear()
    assert (office.push(batch=1).written, office.crm.asked) == (2, ["look", "write", "look", "write"])


def test_other_faults_of_the_system_are_raised(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RemoteError("Memory", "sign_in", "does not accept the key")

    monkeypatch.setattr(office.crm, "look", refuse)
    with pytest.raises(RemoteError, match="does not accept the key"):
        office.push()


def test_a_field_that_a_person_has_to_make_is_left_out_and_told(office: Office) -> None:
    office.crm.unmakeable = (GRADE,)

    run = office.push()

    assert (run.written, run.exit_code) == (3, 1)
    assert GRADE not in office.crm.records["1"]
    assert "field leadlight_grade is missing: make leadlight_grade in the settings" in str(run)


def test_records_that_are_gone_are_forgotten(office: Office) -> None:
    office.push()
    del office.crm.records["2"]
    office.set("2", staff=40)

    run = office.push()

    assert (run.gone, run.exit_code) == (1, 0)
    assert set(marks(office.engine, "crm", "contacts")) == {"1", "3"}


def test_what_was_written_about_somebody_who_is_erased_is_forgotten(office: Office) -> None:
    office.push()

    found = erase(office.engine, "2", now=NOW, rewrite=False)

    assert found.rows["pushed"] == 1
    assert set(marks(office.engine, "crm", "contacts")) == {"1", "3"}


def test_a_limit_and_a_condition(office: Office) -> None:
    assert office.push(limit=1, batch=1).written == 1
    assert [record for record, _ in office.crm.written] == ["3"]
    assert office.push(when="staff < 10").records == 1
    assert [record for record, _ in office.crm.written] == ["3", "1"]


def test_the_next_step_is_asked_for_where_it_is_wanted(office: Office) -> None:
    office.next_step = lambda _, lead: f"=demo {lead}"
    office.push(names={"next_step": None})
    assert office.crm.records["1"] == {"leadlight_next_step": "'=demo 1"}

    office.next_step = no_past
    run = office.push(names={"next_step": None, "score": None})
    assert run.notes == ["no next steps: too few past cases yet"]


def test_the_next_steps_of_the_others_come_in_later_runs(tmp_path: Path) -> None:
    office = make_office(tmp_path / "office", [f"{n},2026-01-01,p{n}@a.example,{n % 40},," for n in range(1, 231)])
    asked: list[int] = []
    office.next_step = lambda _, lead: asked.append(lead) or f"demo {lead}"
    names = dict.fromkeys(("score", "next_step"))

    def told() -> int:
        return sum("leadlight_next_step" in values for values in office.crm.records.values())

    run = office.push(batch=50, names=names)
    assert (run.written, told()) == (230, 100)
    assert run.notes == ["next steps: looked for for the first 100 leads; the others' turn comes in the next runs"]
    first = office.push(batch=50, names=names, dry_run=True)
    assert ({change.field for change in first.changes}, len(first.changes), told()) == (
        {"leadlight_next_step"},
        100,
        100,
    )
    run = office.push(batch=50, names=names)
    assert (run.written, run.unchanged, run.records, told(), run.notes) == (100, 130, 230, 200, [])
    office.set("1", staff=35)
    run = office.push(batch=50, names=names)
    assert (run.written, told()) == (31, 230)
    assert len(asked) == 100 + 100 + 100 + 31
    run = office.push(batch=50, names=names)
    assert (run.written, run.unchanged, len(asked)) == (0, 230, 331)
    office.engine.close()


def test_all_records_of_a_lead_that_was_merged_here_are_written_but_not_those_deleted_there(tmp_path: Path) -> None:
    rows = ["1,2026-01-01,ann@a.example,40,,", "2,2026-01-02,ann@a.example,40,,", "3,2026-01-03,ann@a.example,40,,true"]
    office = make_office(tmp_path / "office", rows)

    run = office.push()

    assert [record for record, _ in office.crm.written] == ["1", "2"]
    assert run.records == 2
    office.engine.close()


def test_tasks_are_sent_once_for_each_change_of_grade(office: Office) -> None:
    told = {"up": "Call {id}: now {grade}", "C": "{id} cooled down from {from}"}
    office.score()
    assert office.push(tasks=told).tasks.sent == 0

    office.now[0] += timedelta(hours=1)
    office.set("1", staff=40)
    office.set("3", staff=1, job="c_level")
    office.score()
    dry = office.push(tasks=told, dry_run=True)
    assert dry.tasks.planned == [("1", "Call 1: now A")]
    run = office.push(tasks=told)

    assert run.tasks.sent == 1
    assert [(one.id, one.subject) for one in office.crm.notes] == [("1", "Call 1: now A")]
    assert office.push(tasks=told).tasks.sent == 0

    office.now[0] += timedelta(hours=1)
    office.set("1", staff=1)
    office.score()
    office.push(tasks=told)
    assert [one.subject for one in office.crm.notes] == ["Call 1: now A", "1 cooled down from A"]


def test_no_more_tasks_than_one_push_may_send(office: Office) -> None:
    office.score()
    office.push(tasks={"up": "{id}"}, tasks_at_most=1)
    office.now[0] += timedelta(hours=1)
    for lead in ("1", "2"):
        office.set(lead, staff=40)
    office.score()

    run = office.push(tasks={"up": "{id}"}, tasks_at_most=1)

    assert (run.tasks.sent, run.tasks.left) == (1, 1)
    assert "1 more wait" in str(run)
    assert office.push(tasks={"up": "{id}"}, tasks_at_most=1).tasks.sent == 1
    assert [one.subject for one in office.crm.notes] == ["1", "2"]


def test_a_silent_change_gives_no_task(office: Office) -> None:
    office.score()
    office.push(tasks={"up": "{id}"})
    office.now[0] += timedelta(hours=1)
    office.set("1", staff=40)
    card = office.workspace.root / "scorecards" / "house.yaml"
    card.write_text(card.read_text().replace("A: 30", "A: 29"))
    office.workspace.reload()
    office.score()

    assert office.push(tasks={"up": "{id}"}).tasks.sent == 0
    assert office.crm.records["1"][GRADE] == "A"


def test_a_moment_that_the_system_cuts_to_the_day_is_ours(office: Office) -> None:
    office.push()
    for record in office.crm.records.values():
        record["leadlight_scored_at"] = datetime(2026, 3, 1)
    office.set("1", staff=40)
    office.now[0] += timedelta(days=1)

    assert office.push().conflict_count == 0
    assert office.crm.records["1"]["leadlight_scored_at"] == office.now[0]


def test_on_postgresql_it_is_the_same(tmp_path: Path, postgres_store: str) -> None:
    office = make_office(tmp_path / "office", ROWS, store=postgres_store)
    office.score()
    assert office.push(tasks={"up": "{id}"}).written == 3
    office.crm.records["2"][SCORE] = 99.0
    office.now[0] += timedelta(hours=1)
    office.set("2", staff=40)
    office.score()

    run = office.push(tasks={"up": "{id}: {grade}"})

    assert (run.written, run.conflict_count, run.unchanged, run.tasks.sent) == (1, 1, 2, 1)
    assert office.crm.notes[0].subject == "2: A"
    assert office.push().unchanged == 2
    assert erase(office.engine, "2", now=NOW, rewrite=False).rows["push_tasks"] == 1
    office.engine.close()


def test_only_some_leads_where_it_is_known_that_no_others_have_changed(office: Office) -> None:
    key = office.engine.rows("SELECT lead FROM ids WHERE id = '2'")[0][0]

    run = office.push(leads=[key])

    assert (run.records, [record for record, _ in office.crm.written]) == (1, ["2"])
    assert office.push(leads=[]).records == 0


def test_where_the_system_takes_nothing_at_all_it_is_not_asked_record_by_record(tmp_path: Path) -> None:
    office = make_office(tmp_path / "office", [f"{n},2026-01-01,p{n}@a.example,40,," for n in range(40)])
    office.crm.whole = set(office.crm.records)

    with pytest.raises(RemoteError, match="makes no sense"):
        office.push(batch=20)

    assert office.crm.asked.count("write") < 15
    office.engine.close()


def test_a_prefix_before_ids_is_taken_off(tmp_path: Path) -> None:
    office = make_office(tmp_path / "office", ["crm:1,2026-01-01,a@a.example,40,,", "2,2026-01-01,b@a.example,40,,"])
    office.prefix, office.crm.records = "crm:", {"1": {}}

    assert (office.push().written, office.crm.records["1"][GRADE]) == (1, "A")
    office.engine.close()


def test_a_field_that_a_person_emptied_is_written_when_there_is_something_to_write(office: Office) -> None:
    office.push()
    office.crm.records["2"][GRADE] = None
    assert office.push().written == 0
    office.set("2", staff=15)

    office.push()

    assert office.crm.records["2"][GRADE] == "C"


def test_scores_of_accounts_go_nowhere(office: Office) -> None:
    (office.workspace.root / "scorecards" / "house.yaml").write_text(
        "of: account\ngroups:\n  all:\n    criteria:\n      - {name: Many, event: page, points: 1}\n"
    )
    office.workspace.reload()
    with pytest.raises(UsageError, match="scores accounts"):
        office.push()
