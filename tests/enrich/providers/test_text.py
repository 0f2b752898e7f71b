"""What titles, descriptions and messages say, as a provider gives it."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.providers.text import ABOUT, Text, TextSettings, around
from leadlight.enrich.sound import sound

TEXT = Text(TextSettings())
MESSAGE = "Hello, please send us a quote for 25 seats as soon as possible; our budget is about $20,000. Regards, Ada"


def ask(clues, attributes=None, provider=TEXT):
    facts = asyncio.run(provider.ask(Query(clues, attributes or {}), None))
    assert sound(facts, ABOUT) == facts
    return {fact.attribute: fact for fact in facts}


def test_a_title_and_a_message():
    found = ask({Clue.TITLE: "Head of Sales", Clue.TEXT: MESSAGE})
    assert {name: fact.value for name, fact in found.items()} == {
        "seniority": "director", "job_function": "sales", "text_language": "en", "intent": "pricing",
        "text_urgency": True, "text_budget": 20_000, "text_team_size": 25,
    }  # fmt: skip


def test_every_fact_quotes_what_it_was_read_from():
    found = ask({Clue.TITLE: "Head of Sales", Clue.TEXT: MESSAGE, Clue.COMPANY: "Acme Savings Bank"})
    assert found["seniority"].evidence == "Head of Sales"
    assert found["industry"].evidence == "Acme Savings Bank"
    for name in ("intent", "text_urgency", "text_budget", "text_team_size"):
        assert found[name].evidence in MESSAGE
    long = f"{'word ' * 200}urgently{' word' * 200}"
    evidence = ask({Clue.TEXT: long})["text_urgency"].evidence
    assert "urgently" in evidence
    assert len(evidence) <= 300


def test_descriptions_go_before_the_name():
    attributes = {"website_description": "A law firm for patents", "website_title": "Restaurant", "employees": 3}
    found = ask({Clue.COMPANY: "Acme Savings Bank"}, attributes)["industry"]
    assert (found.value, found.origin.split(":")[0]) == ("legal", "website_description")
    alone = ask({Clue.COMPANY: "Acme Savings Bank"}, {"website_description": "We are nice"})["industry"]
    assert (alone.value, alone.origin.split(":")[0]) == ("financial_services", "company")
    other = Text(TextSettings(descriptions=["about"]))
    assert ask({Clue.COMPANY: "x"}, {"about": "A hotel", **attributes}, other)["industry"].value == "hospitality"


def test_a_message_is_not_read_for_the_industry_nor_where_not_wanted():
    assert "industry" not in ask({Clue.TEXT: "We are a law firm and need your software"})
    assert ask({Clue.TEXT: MESSAGE}, provider=Text(TextSettings(message=False))) == {}


def test_keys_tell_texts_apart_and_hold_none_of_them():
    keys = [
        TEXT.key(Query(clues, attributes))
        for clues, attributes in (
            ({Clue.TEXT: MESSAGE}, {}), ({Clue.TEXT: "other"}, {}), ({Clue.TITLE: "other"}, {}),
            ({Clue.COMPANY: "other"}, {}), ({Clue.COMPANY: "other"}, {"website_title": "x"}),
        )
    ]  # fmt: skip
    assert len(set(keys)) == 5
    assert not any("other" in key for key in keys)
    assert TEXT.key(Query({Clue.TEXT: MESSAGE + "\n"})) == keys[0]
    assert TEXT.key(Query({Clue.TEXT: " \x00"})) is None


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from([Clue.TITLE, Clue.TEXT, Clue.COMPANY]), st.text(max_size=200)),
    st.text(max_size=100),
)
def test_whatever_is_written_there_the_answer_is_sound(clues, description):
    attributes = {"website_description": description, "website_title": 5, "social_bio": None}
    facts = asyncio.run(TEXT.ask(Query(clues, attributes), None))  # type: ignore[arg-type]
    assert {fact.attribute for fact in sound(facts, ABOUT)} == {fact.attribute for fact in facts}


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60), st.integers(5, 80))
def test_evidence_is_bounded(text, one, other, limit):
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    assert len(around(text, start, end, limit)) <= limit


def test_a_lead_costs_less_than_three_milliseconds():
    clues = {Clue.TITLE: "Head of Sales", Clue.TEXT: MESSAGE, Clue.COMPANY: "Acme Savings Bank"}
    TEXT.facts(clues)
    start = time.process_time()
    for _ in range(100):
        TEXT.facts(clues)
    assert time.process_time() - start < 100 * 0.003
