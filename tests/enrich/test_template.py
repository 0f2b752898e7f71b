"""Clues in texts: a value is never more than a value, whatever it holds."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.template import clues_in, fill, fill_path, host_problem, problems

URL = "https://api.example/v1/{domain}/of/{email:lower}"


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_path_keeps_its_shape(domain, email):
    url = fill_path(URL, Query({Clue.DOMAIN: domain, Clue.EMAIL: email}))
    if url is None:
        assert not domain.strip(". \t\r\n") or not email.strip(". \t\r\n") or not domain.strip() or not email.strip()
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "api.example", "", "")
    segments = parts.path.split("/")
    assert len(segments) == 5
    assert segments[:2] == ["", "v1"]
    assert unquote(segments[2], errors="surrogatepass") == domain.strip() or not domain.isprintable()


@given(st.dictionaries(st.sampled_from([Clue.EMAIL, Clue.COMPANY, Clue.PERSON]), st.text(max_size=40)))
def test_json_keeps_its_shape(clues):
    filled = fill({"a": "{email}", "b": ["{company}", 1, True], "c": {"d": "x {person} y"}}, Query(clues))
    assert set(filled) <= {"a", "b", "c"}
    assert filled["b"][-2:] == [1, True]
    for clue, value in clues.items():
        if clue is Clue.EMAIL and value.strip():
            assert filled["a"] == value.strip()


def test_a_clue_is_put_in_once():
    query = Query({Clue.EMAIL: "{company}", Clue.COMPANY: "{email}"})
    assert fill("{email} and {company}", query) == "{company} and {email}"


def test_parts_of_clues():
    query = Query({Clue.PERSON: " Ada  B. Example ", Clue.EMAIL: "Ada@Anvil.Example"})
    assert fill(["{person:first}", "{person:last}", "{email:lower}"], query) == ["Ada", "Example", "ada@anvil.example"]
    assert len(fill("{email:sha256}", query)) == 64
    assert fill("{person:last}", Query({Clue.PERSON: "Ada"})) is None


def test_what_is_missing_is_left_out():
    assert fill({"a": "{email}", "b": 1, "c": ["{phone}"], "d": None}, Query({})) == {"b": 1, "c": []}
    assert fill_path("https://a.example/{email}", Query({})) is None


def test_clues_that_are_needed():
    assert clues_in({"a": ["{email} {person:first}"], "b": 3, "c": "${KEY}"}) == {Clue.EMAIL, Clue.PERSON}


@pytest.mark.parametrize(
    "text", ["{email", "email}", "{{email}}", "{}", "{email:}", "${}", "{email!r}", "{0}", "{__class__}"]
)
def test_odd_braces_are_faults(text):
    assert list(problems(text)) or text == "{email:}"


@pytest.mark.parametrize(
    "url", ["//a.example/", "https://", "https:///x", "javascript:x", "https://{domain}/", "https://u@a.example/",
            "https://a.example/?x", "https://a.example/#x", "file:///etc/passwd", "https:// /"],
)  # fmt: skip
def test_hosts_that_are_none(url):
    assert host_problem(url) or not urlsplit(url).hostname.strip()


def test_query_values_are_encoded_by_whoever_sends_them():
    from urllib.parse import urlencode

    filled = fill({"q": "{company}"}, Query({Clue.COMPANY: "a&b=c#d"}))
    assert parse_qsl(urlencode(filled)) == [("q", "a&b=c#d")]
