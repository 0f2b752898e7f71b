from __future__ import annotations

from dataclasses import replace

import pytest
from tests.enrich.fakes import Fake

from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.waterfall import Standing, Subject, Waterfalls, is_settled, make_waterfalls
from leadlight.spec.enrich import EnrichSpec, WaterfallSpec

DOMAIN = {Clue.DOMAIN: "acme.com"}


def falls(*fakes: Fake, **spec) -> Waterfalls:
    providers = {fake.name: fake for fake in fakes}
    return make_waterfalls(EnrichSpec(ask=list(providers), **spec), providers)


def lead(waterfalls: Waterfalls, clues=DOMAIN, **more) -> Subject:
    query = Query(clues)
    return Subject(1, query, keys=waterfalls.keys(query), **more)


def found(subject="acme.com", **facts) -> Standing:
    return Standing(subject, bool(facts), {name: (str(value), sure) for name, (value, sure) in facts.items()})


FIRST, SECOND = Fake("first"), Fake("second")


def test_the_first_in_order_is_wanted():
    both = falls(FIRST, SECOND)
    subject = lead(both)
    opened = both.open(subject)
    assert opened == {"industry": ["first", "second"]}
    assert both.wanted(subject, opened, ["industry"]) == ["first"]
    assert both.wanted(subject, opened, []) == []


def test_an_order_that_is_told_goes_before_ask():
    both = falls(FIRST, SECOND, attributes={"industry": ["second", "first"]})
    assert both.open(lead(both)) == {"industry": ["second", "first"]}


def test_who_has_answered_is_not_left_but_who_would_be_asked_something_else_is():
    both = falls(FIRST, SECOND)
    nothing = lead(both, standing={"first": found()})
    assert both.open(nothing) == {"industry": ["second"]}
    other = lead(both, standing={"first": found("old.com")})
    assert both.open(other) == {"industry": ["first", "second"]}
    stale = lead(both, standing={"first": found("old.com", industry=("software", 1.0))})
    assert both.open(stale) == {"industry": ["first", "second"]}
    assert both.open(replace(stale, keys={"first": "old.com", "second": "acme.com"})) == {}
    assert both.open(lead(both, tried=frozenset({"first", "second"}))) == {}


def test_an_own_value_closes_an_attribute_unless_answers_are_preferred():
    fill = falls(FIRST)
    prefer = falls(FIRST, attributes={"industry": {"ask": ["first"], "use": "prefer"}})
    own = frozenset({"industry"})
    assert fill.open(lead(fill, own=own)) == {}
    assert prefer.open(lead(prefer, own=own)) == {"industry": ["first"]}


def test_attributes_that_accounts_have_are_not_asked_for():
    assert make_waterfalls(EnrichSpec(ask=["first"]), {"first": FIRST}, without=["industry"]).attributes == {}


def test_who_is_named_for_one_attribute_is_not_asked_for_others():
    wide = Fake("wide", gives=("industry", "city"))
    only = falls(FIRST, attributes={"city": ["wide"]})
    assert set(only.attributes) == {"industry"}
    providers = {"first": FIRST, "wide": wide}
    told = make_waterfalls(EnrichSpec(ask=["first"], attributes={"city": ["wide"]}), providers)
    assert {name: spec.ask for name, spec in told.attributes.items()} == {"industry": ["first"], "city": ["wide"]}


# ------------------------------------------------------------------------------------------------------- clues

FINDER = Fake("finder", gives=("domain",), by=Clue.COMPANY, clues=[Clue.DOMAIN])
NAMER = Fake("namer", gives=("company_name",), by=Clue.EMAIL, clues=[Clue.COMPANY])


def test_who_lacks_a_clue_is_open_where_somebody_can_give_it():
    chain = falls(NAMER, FINDER, FIRST)
    subject = lead(chain, {Clue.EMAIL: "ann@acme.com"})
    opened = chain.open(subject)
    assert opened["industry"] == ["first"]
    assert chain.wanted(subject, opened, ["industry"]) == ["namer"]
    assert chain.at_most(subject, opened, ["industry"]) == {"namer", "finder", "first"}
    assert not chain.lacks_clue(replace(subject, own=frozenset({"industry", "domain", "company_name"})))


def test_who_lacks_a_clue_that_nobody_gives_is_not_left():
    chain = falls(FINDER, FIRST)
    subject = lead(chain, {Clue.EMAIL: "ann@acme.com"})
    assert chain.open(subject) == {}
    assert chain.lacks_clue(subject)


def test_the_next_in_order_is_asked_where_the_first_can_never_be():
    chain = falls(FIRST, Fake("by_phone", by=Clue.PHONE))
    subject = lead(chain, {Clue.PHONE: "+1"})
    opened = chain.open(subject)
    assert chain.wanted(subject, opened, ["industry"]) == ["by_phone"]


def test_a_provider_that_fails_to_say_what_it_would_ask_has_nothing_to_ask():
    class Broken(Fake):
        def key(self, query):
            raise ValueError(query)

    broken = falls(Broken("broken"))
    assert broken.keys(Query(DOMAIN)) == {"broken": None}


# ----------------------------------------------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("rule", "facts", "left", "settled"),
    [
        ("order", [], 2, False),
        ("order", [("x", 0.1)], 2, True),
        ("newest", [("x", 0.1)], 2, True),
        ("confidence", [("x", 0.9)], 2, False),
        ("confidence", [("y", 0.3), ("x", 1.0)], 2, True),
        ("majority", [("x", 1.0)], 1, False),
        ("majority", [("x", 1.0)], 0, True),
        ("majority", [("x", 1.0), ("X", 1.0), ("y", 1.0)], 1, False),
        ("majority", [("x", 1.0), ("x", 1.0)], 1, True),
    ],
)
def test_when_an_attribute_is_settled(rule, facts, left, settled):
    assert is_settled(WaterfallSpec(ask=["a", "b", "c"], rule=rule), facts, left) == settled


def test_answers_less_sure_than_told_settle_nothing():
    sure = falls(FIRST, SECOND, attributes={"industry": {"ask": ["first", "second"], "at_least": 0.8}})
    unsure = lead(sure, standing={"first": found(industry=("farming", 0.5))})
    assert sure.open(unsure) == {"industry": ["second"]}
    assert sure.open(replace(unsure, standing={"first": found(industry=("farming", 0.8))})) == {}
