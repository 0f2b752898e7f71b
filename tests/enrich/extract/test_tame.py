"""Hostile markup is cut to what can be parsed in linear time; real pages come out as they went in."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.enrich.extract.document import take_apart
from leadlight.enrich.extract.tame import MAX_ATTRIBUTE_WORDS, MAX_CHARACTERS, MAX_DEPTH, MAX_TAGS, tame

ORDINARY = (
    '<!doctype html><html><head><title>Acme</title></head><body class="a b">' + "<div><p>x<b>y</b></p></div>" * 3_000
)


def test_an_ordinary_page_stays_as_it_is():
    assert tame(ORDINARY) == ORDINARY


def test_nesting_is_cut():
    assert tame("<div>" * 300_000).count("<div>") == MAX_DEPTH


def test_closed_elements_do_not_nest():
    markup = "<div></div>" * 25_000
    assert tame(markup) == markup


def test_the_number_of_tags_and_characters_is_bounded():
    assert tame("<p>" * 200_000).count("<p>") == MAX_TAGS
    assert len(tame("x" * (MAX_CHARACTERS * 2))) == MAX_CHARACTERS


def test_a_tag_of_very_many_attributes_is_left_out():
    many = "<div " + " ".join(f"a{number}" for number in range(MAX_ATTRIBUTE_WORDS * 20)) + ">"
    assert tame(f"<p>before{many}after") == "<p>beforeafter"


def test_open_formatting_is_taken_out_where_there_is_too_much_of_it():
    markup = "".join(f"<font size={number}>" for number in range(60)) + "<p>x" * 40_000
    assert "<font" not in tame(markup)


def test_null_characters_go():
    assert tame("a\0b") == "ab"


@pytest.mark.parametrize("times", [50_000, 100_000, 200_000])
def test_time_is_linear(times):
    began = time.process_time()
    take_apart('<a x="' * times, "http://acme.com/")
    assert time.process_time() - began < 5


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="<>/ab=\"' -!\n", max_size=200))
def test_any_small_text_stays_as_it_is(text):
    assert tame(text) == text
