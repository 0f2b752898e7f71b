"""From a log of changes to what a record was."""

from __future__ import annotations

from datetime import datetime, timedelta

from leadlight.connect.versions import Change, versions

BORN = datetime(2026, 3, 1)


def _days(count: int) -> datetime:
    return BORN + timedelta(days=count)


def _seen(rows: list) -> list[tuple]:
    return [(row.known_at, row.values["stage"]) for row in rows]


def test_a_record_without_changes_was_always_so():
    rows = versions("1", {"stage": "new"}, [], created_at=BORN)
    assert _seen(rows) == [(BORN, "new"), (None, "new")]


def test_each_change_makes_a_row_and_the_present_ends_them():
    changes = [Change("stage", _days(5), "won", "open"), Change("stage", _days(2), "open", "new")]
    rows = versions("1", {"stage": "won"}, changes, created_at=BORN)
    assert _seen(rows) == [(BORN, "new"), (_days(2), "open"), (_days(5), "won"), (None, "won")]


def test_what_the_log_does_not_say_was_what_the_change_before_made_of_it():
    changes = [Change("stage", _days(2), "open"), Change("stage", _days(5), "won")]
    rows = versions("1", {"stage": "won"}, changes, created_at=BORN)
    assert _seen(rows) == [(BORN, None), (_days(2), "open"), (_days(5), "won"), (None, "won")]


def test_changes_at_one_moment_are_one_row():
    changes = [Change("stage", _days(2), "open"), Change("owner", _days(2), "Ann", "Bob")]
    rows = versions("1", {"stage": "open", "owner": "Ann"}, changes, created_at=BORN)
    assert [dict(row.values) for row in rows[:2]] == [
        {"stage": None, "owner": "Bob"},
        {"stage": "open", "owner": "Ann"},
    ]
    assert len(rows) == 3


def test_what_is_written_while_it_is_created_counts_as_created_so():
    changes = [Change("stage", BORN + timedelta(seconds=2), "new")]
    assert _seen(versions("1", {"stage": "new"}, changes, created_at=BORN)) == [(BORN, "new"), (None, "new")]


def test_a_log_that_forgets_gives_a_beginning_without_date():
    changes = [Change("stage", _days(900), "won", "open")]
    rows = versions("1", {"stage": "won"}, changes, created_at=BORN, whole=False)
    assert _seen(rows) == [(None, "open"), (_days(900), "won"), (None, "won")]


def test_changes_of_fields_that_nobody_wants_count_for_nothing():
    rows = versions("1", {"stage": "new"}, [Change("phone", _days(3), "1", "2")], created_at=BORN)
    assert _seen(rows) == [(BORN, "new"), (None, "new")]
    assert all(set(row.values) == {"stage"} for row in rows)


def test_a_log_that_lags_behind_leaves_the_last_word_to_the_present():
    rows = versions("1", {"stage": "lost"}, [Change("stage", _days(2), "open", "new")], created_at=BORN)
    assert _seen(rows)[-2:] == [(_days(2), "open"), (None, "lost")]
