"""Which changes of grade get into the outbox, and which do not."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.notify.conftest import Make as MakeFirm
from tests.notify.conftest import _secret, any_firm, firm  # noqa: F401 - fixtures
from tests.notify.office import Firm, crm

CRM = crm("https://crm.example/hook")


def told(made: Firm) -> list[tuple[str, str, str | None, str]]:
    rows = sorted(made.rows("waiting"), key=lambda row: (row.at, row.who))
    return [(row.rule, row.who, row.grade_from, row.grade_to) for row in rows]


def test_nobody_hears_of_the_first_scores_of_a_publish_or_of_a_back_fill(any_firm: MakeFirm) -> None:  # noqa: F811
    made = any_firm(CRM)
    made.says(ann=5, bob=500)
    made.workspace.score()
    assert made.rows() == []  # the first ingest
    card = made.folder / "scorecards" / "house.yaml"
    card.write_text(card.read_text().replace("[0, 10, 5]", "[0, 10, 15]"))
    made.open()
    made.later(hours=1)
    (run,) = made.workspace.score()
    assert (run.published, made.rows()) == (True, [])  # ann has moved from C to B by it
    made.later(hours=1)
    made.says(ann=50)
    made.workspace.score(as_of=made.now - timedelta(days=30))
    assert made.rows() == []
    made.later(hours=1)
    made.moves(ann=500)
    assert told(made) == [("all", "ann", "B", "A")]


def test_a_back_fill_from_the_oldest_day_on_tells_nobody(firm: MakeFirm) -> None:  # noqa: F811
    made = firm(CRM)
    long_ago = made.now - timedelta(days=90)
    for day, size in enumerate([5, 500, 5]):
        made.says(known=long_ago + timedelta(days=day), ann=size)
    ups = [made.workspace.score(as_of=long_ago + timedelta(days=day, hours=1))[0].up for day in range(3)]
    assert (ups, made.rows()) == ([0, 1, 0], [])
    made.moves(ann=500)  # but of what is new
    assert told(made) == [("all", "ann", "C", "A")]


def test_rules_say_which_changes(firm: MakeFirm) -> None:  # noqa: F811
    rules = {
        "up": "{again: always, tell: a}",
        "down": "{change: down, again: always, tell: b}",
        "both": "{change: both, again: always, tell: c}",
        "top": "{to: [A], again: always, tell: d}",
        "fallen": "{change: down, from: [A], to: [C], again: always, tell: e}",
    }
    places = [f'{name}: {{slack: "https://chat.example/{name}"}}' for name in "abcde"]
    made = firm(*places, rules=[f"{name}: {rule}" for name, rule in rules.items()])
    made.begin(ann=5, bob=500, cyd=50)

    def heard(**sizes: float) -> set[tuple[str, str]]:
        before = {row.message for row in made.rows()}
        made.later(minutes=5)
        made.moves(**sizes)
        return {(row.rule, row.who) for row in made.rows() if row.message not in before}

    assert heard(ann=50) == {("up", "ann"), ("both", "ann")}
    assert heard(ann=500, bob=5) == {
        ("up", "ann"), ("both", "ann"), ("top", "ann"), ("down", "bob"), ("both", "bob"), ("fallen", "bob"),
    }  # fmt: skip
    assert heard(ann=50) == {("down", "ann"), ("both", "ann")}
    assert heard(ann=51) == set()
    # A first grade is up, unless it is the lowest; it comes out of none.
    assert heard(dan=500, eve=5, fay=50) == {
        ("up", "dan"), ("both", "dan"), ("top", "dan"), ("up", "fay"), ("both", "fay"),
    }  # fmt: skip
    assert {row.grade_from for row in made.rows() if row.who == "dan"} == {None}


def test_conditions_ages_and_what_is_said_along(any_firm: MakeFirm) -> None:  # noqa: F811
    made = any_firm(
        CRM,
        'chat: {slack: "https://chat.example/x"}',
        rules=(
            'huge: {when: "employees >= 1000", again: always, tell: [crm, chat], include: [employees, id]}',
            "fresh: {created_within: 2d, again: always, tell: crm}",
        ),
    )
    made.begin(ann=5, bob=5)
    made.moves(ann=5000, bob=500)
    rows = {(row.who, row.destination): row for row in made.rows()}
    assert {key: row.rule for key, row in rows.items()} == {
        ("ann", "crm"): "huge", ("ann", "chat"): "huge", ("bob", "crm"): "fresh",
    }  # fmt: skip
    assert rows["ann", "crm"].attributes == '{"employees": 5000.0, "id": "ann"}'
    assert rows["bob", "crm"].attributes is None
    assert len({row.message for row in rows.values()}) == 3
    made.later(days=5)
    made.moves(bob=5)
    made.later(days=1)
    made.says(known=made.now - timedelta(minutes=1), ann=6000)
    made.says(known=made.now - timedelta(minutes=1), cyd=500)
    made.workspace.score()
    assert [(row.who, row.rule) for row in made.rows() if row.noted_at == made.now] == [("cyd", "fresh")]


def test_again_says_what_a_second_crossing_is(firm: MakeFirm) -> None:  # noqa: F811
    made = firm(
        *(f'{name}: {{slack: "https://chat.example/{name}"}}' for name in "abc"),
        rules=(
            "always: {to: [A], again: always, tell: a}",
            "once: {to: [A], again: never, tell: b}",
            "monthly: {to: [A], again: 30d, tell: c}",
        ),
    )
    made.begin(ann=5)
    heard = list[set[str]]()
    for days in (1, 10, 31):
        made.later(days=days)
        made.moves(ann=500)
        heard.append({row.rule for row in made.rows() if row.noted_at == made.now})
        made.later(hours=1)
        made.moves(ann=5)
    assert heard == [{"always", "once", "monthly"}, {"always"}, {"always", "monthly"}]


def night(made: Firm) -> None:
    """Go to ten in the evening in Berlin."""
    made.now = datetime(2026, 3, 4, 21)


NIGHT = '{from: "20:00", to: "07:00", zone: Europe/Berlin}'
MORNING = datetime(2026, 3, 5, 6)


def test_what_comes_in_quiet_hours_waits_until_their_end(firm: MakeFirm) -> None:  # noqa: F811
    made = firm(crm("https://crm.example/hook", quiet=NIGHT))
    made.begin(ann=5)
    night(made)
    made.moves(ann=500)
    (row,) = made.rows("waiting")
    assert row.due_at == MORNING


def test_a_grade_that_is_back_by_the_morning_was_no_change(any_firm: MakeFirm) -> None:  # noqa: F811
    made = any_firm(crm("https://crm.example/hook", quiet=NIGHT))
    made.begin(ann=5, bob=50, cyd=5)
    night(made)
    made.moves(ann=500, bob=500, cyd=50)
    made.later(hours=1)
    made.moves(ann=5, bob=5, cyd=500)
    assert told(made) == [("all", "bob", "B", "C"), ("all", "cyd", "C", "A")]
    assert {row.error for row in made.rows("void")} == {"overtaken by a later change in the same quiet hours"}
    assert [row.who for row in made.rows("void")].count("ann") == 1
    made.now = MORNING
    made.moves(ann=500)  # the day's change is one of its own
    assert ("all", "ann", "C", "A") in told(made)


def test_a_net_change_counts_where_its_last_step_would_not(firm: MakeFirm) -> None:  # noqa: F811
    rules = ("up: {again: never, tell: crm}",)
    made = firm(crm("https://crm.example/hook", quiet=NIGHT), rules=rules)
    made.begin(ann=5)
    night(made)
    made.moves(ann=500)
    made.later(hours=1)
    made.moves(ann=50)  # down, but since the evening up
    assert told(made) == [("up", "ann", "C", "B")]
    made.later(minutes=10)
    made.moves(ann=5)
    assert told(made) == []
    made.later(minutes=10)
    made.moves(ann=500)  # what was overtaken was never told
    assert told(made) == [("up", "ann", "C", "A")]


def test_a_publish_in_the_night_takes_back_what_waits(firm: MakeFirm) -> None:  # noqa: F811
    made = firm(crm("https://crm.example/hook", quiet=NIGHT))
    made.begin(ann=5)
    night(made)
    made.moves(ann=500)
    card = made.folder / "scorecards" / "house.yaml"
    card.write_text(card.read_text().replace("A: 30", "A: 90"))
    made.open()
    made.later(hours=1)
    made.workspace.score()
    assert [row.state for row in made.rows()] == ["void"]


def test_many_changes_at_once_are_told_with_the_reasons_of_the_first(
    firm: MakeFirm,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from leadlight.scorecards import notices

    made = firm(CRM)
    made.begin(**{f"c{n}": 5 for n in range(12)})
    monkeypatch.setattr(notices, "EXPLAINED", 10)
    made.moves(**{f"c{n}": 500 if n > 3 else 50 for n in range(12)})
    rows = made.rows()
    assert len(rows) == 12
    assert sum(row.reasons is not None for row in rows) == 10
    assert all(row.reasons is not None for row in rows if row.grade_to == "A")


def test_erasing_a_person_takes_their_messages_along(any_firm: MakeFirm) -> None:  # noqa: F811
    made = any_firm(CRM)
    made.begin(ann=5, bob=5)
    made.moves(ann=500, bob=500)
    made.workspace.erase("ann")
    assert [row.who for row in made.rows()] == ["bob"]


def test_accounts_have_grades_too(tmp_path: Path) -> None:
    made = Firm(tmp_path, "duckdb:x.duckdb", (CRM,), rules=("big: {scorecard: firms, again: never, tell: crm}",))
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards" / "firms.yaml").write_text(
        "of: account\ngroups: {size: {criteria: [{name: Leads, when: leads >= 2, points: 10}]}}\n"
        "grades: {score: {A: 5, B: null}}\n"
    )
    made.says(ann=5, bob=5)
    engine = made.workspace.engine
    engine.execute("UPDATE attributes SET account = 'acme' WHERE lead = 1")
    made.workspace.score()
    made.later(hours=1)
    engine.execute("UPDATE attributes SET account = 'acme'")
    made.workspace.score()
    (row,) = made.rows()
    assert (row.who, row.grade_from, row.grade_to, row.scorecard) == ("acme", "B", "A", "firms")
    (shown,) = made.workspace.notify(dry_run=True).as_dict()["messages"]
    assert shown["body"]["data"]["entity"] == "account"
    made.close()


def test_what_no_json_can_say_is_left_out() -> None:
    from leadlight.scorecards.notices import _said
    from leadlight.spec.notify import RuleSpec
    from leadlight.spec.resolved import ResolvedRule

    rule = RuleSpec.model_validate({"again": "always", "tell": "crm", "include": ["a", "b", "c"]})
    row = {"a": float("nan"), "b": datetime(2026, 1, 1), "c": "zoë"}
    assert _said(ResolvedRule("r", rule, "house"), row) == '{"a": null, "b": "2026-01-01T00:00:00Z", "c": "zoë"}'
