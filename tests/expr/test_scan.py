"""Texts are cut into pieces that know their places."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.expr.scan import Kind, read_time, scan


def test_pieces_know_what_they_stand_for_and_where_they_begin():
    text = "Lower(crm) = 'it''s' AND at > date '2026-01-31'"
    assert [(piece.kind, piece.value, text[piece.start :][: len(piece.written)]) for piece in scan(text).pieces] == [
        (Kind.FUNCTION, "lower", "Lower"),
        (Kind.OPERATOR, None, "("),
        (Kind.NAME, "crm", "crm"),
        (Kind.OPERATOR, None, ")"),
        (Kind.OPERATOR, None, "="),
        (Kind.TEXT, "it's", "'it''s'"),
        (Kind.OPERATOR, None, "AND"),
        (Kind.NAME, "at", "at"),
        (Kind.OPERATOR, None, ">"),
        (Kind.TIME, datetime.fromisoformat("2026-01-31"), "date '2026-01-31'"),
    ]


@pytest.mark.parametrize("name", ["select", "order", "date", "timestamp", "left", "values", "at", "type", "interval"])
def test_words_of_sql_are_names_here(name):
    (piece,) = scan(name).pieces
    assert (piece.kind, piece.value) == (Kind.NAME, name)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31", "2026-01-31T00:00:00"),
        (" 2026-01-31 12:30 ", "2026-01-31T12:30:00"),
        ("2026-01-31T12:30:00.123456Z", "2026-01-31T12:30:00.123456"),
        ("2026-01-31 00:30:00+01:00", "2026-01-30T23:30:00"),
    ],
)
def test_times_are_read(written, moment):
    found = read_time(written)
    assert found is not None
    assert found.isoformat() == moment


@pytest.mark.parametrize(
    "written", ["", "2026", "2026-1-31", "31.01.2026", "2026-02-30", "20260131", "now", "0001-01-01T00:00+01:00"]
)
def test_what_is_no_time(written):
    assert read_time(written) is None


@given(st.text(max_size=60))
def test_any_text_is_cut_or_refused(text):
    found = scan(text)
    assert found.pieces or found.problems
    assert all(text[piece.start :].startswith(piece.written) for piece in found.pieces)
