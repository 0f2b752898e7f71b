"""What providers said: whatever comes in which order, what is used is what a plain-Python model of the words uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.spec.enrich import EnrichSpec, WaterfallSpec
from leadlight.store import facts, names
from leadlight.store.attributes import load_leads
from leadlight.store.erase import erase
from leadlight.store.facts import FACTS, LOOKUPS, SINCE_CREATION
from leadlight.store.history import LEADS, add_columns
from leadlight.store.leads import refresh_leads
from leadlight.store.merge import merge_duplicates
from leadlight.store.open import open_store
from leadlight.store.staged import Staged

START = datetime(2026, 1, 1)
TABLES = ("observations", "attributes", "leads", "ids", "names", "lookups", "facts", "choices")
PROVIDERS = ("dns", "web", "vendor")
COLUMNS = {"email": Type.TEXT, "size": Type.NUMBER, "country": Type.TEXT}
LAST_DAY = 4
KINDS = {"size": "number", "country": "text", "cms": "text"}


def at(day: int) -> datetime:
    return START + timedelta(days=day)


def source_of(day: int) -> str:
    return ("crm", "web")[day % 2]


# ------------------------------------------------------------------------------------------- what may happen, and when


@dataclass(frozen=True)
class Own:
    """A row that the source of the day gives; it is web's on odd days, crm's on even ones."""

    id: str
    email: str | None
    size: float | None
    country: str | None

    def value(self, attribute: str) -> Any:
        return {"size": self.size, "country": self.country}.get(attribute)


@dataclass(frozen=True)
class Answer:
    """A provider was asked about an id; facts are (attribute, value, confidence)."""

    id: str
    provider: str
    outcome: str
    facts: tuple[tuple[str, str, float], ...]
    hour: int
    since_creation: bool = False


VALUES = {"size": ("1", "2"), "country": ("de", "DE", "fr"), "cms": ("x", "y")}
WORLDS = 60
"""How many worlds of three ids stand side by side in one store: what costs time is the number of statements."""


@dataclass(frozen=True)
class Day:
    """What happens on one day in one world: on some days answers, then rows of a source, then answers."""

    early: tuple[Answer, ...]
    rows: tuple[Own, ...]
    answers: tuple[Answer, ...]


def days_of(chance: Random, world: int) -> list[Day]:
    """What happens in a world, day by day; the first day brings a row for each id."""
    ids = ids_of(world)
    first = Day((), tuple(Own(id_, None, None, None) for id_ in ids), ())
    rest = [
        Day(_answers(chance, ids) if day == 3 else (), _rows(chance, world), _answers(chance, ids))
        for day in range(1, LAST_DAY + 1)
    ]
    return [first, *rest]


def ids_of(world: int) -> list[str]:
    return [f"{world:02}{letter}" for letter in "abc"]


def _rows(chance: Random, world: int) -> tuple[Own, ...]:
    if chance.random() < 0.5:
        return ()
    ids = chance.sample(ids_of(world), chance.randint(1, 2))
    mails = [None, None, None, None, f"a@{world}.de", f"b@{world}.de"]
    return tuple(
        Own(i, chance.choice(mails), chance.choice([None, None, 7.0]), chance.choice([None, "it"])) for i in ids
    )


def _answers(chance: Random, ids: Sequence[str]) -> tuple[Answer, ...]:
    pairs = [(id_, provider) for id_ in ids for provider in PROVIDERS]
    return tuple(_answer(chance, *pair) for pair in chance.sample(pairs, chance.choice([0, 1, 2, 4])))


def _answer(chance: Random, id_: str, provider: str) -> Answer:
    said = tuple(
        (name, chance.choice(VALUES[name]), chance.choice([0.2, 0.5, 0.9]))
        for name in chance.choices(sorted(VALUES), k=chance.randint(0, 4))
    )
    outcome = "failed" if chance.random() < 0.15 else "found" if said else "nothing"
    return Answer(
        id_, provider, outcome, () if outcome == "failed" else said, chance.randint(0, 2), chance.random() < 0.3
    )


waterfall = st.builds(
    WaterfallSpec,
    ask=st.lists(st.sampled_from(PROVIDERS), min_size=1, max_size=3, unique=True),
    rule=st.sampled_from(["order", "confidence", "newest", "majority"]),
    at_least=st.sampled_from([0.0, 0.0, 0.4]),
    use=st.sampled_from(["fill", "prefer"]),
)
specs = st.builds(
    EnrichSpec,
    ask=st.lists(st.sampled_from(PROVIDERS), max_size=2, unique=True),
    attributes=st.dictionaries(st.sampled_from(sorted(VALUES)), waterfall),
)


# -------------------------------------------------------------------------------------------- the words, as plain loops


@dataclass
class Model:
    """Everything that was said, and the meaning of `store.choice` and `store.history` in loops."""

    spec: EnrichSpec
    rows: list[tuple[int, Own]] = field(default_factory=list)
    answers: dict[tuple[str, str, int], tuple[Answer, datetime]] = field(default_factory=dict)
    """(id, provider, day since when it is known; -1 for always) → the answer, and when it was fetched."""

    def live(self, day: int, what: Day) -> None:
        """Let a day pass."""
        self.ask(day, what.early)
        self.rows += [(day, row) for row in what.rows]
        self.ask(day, what.answers)

    def ask(self, day: int, answers: Sequence[Answer]) -> None:
        placed = []
        for one in answers:
            mates = self.mates(one.id)
            known = -1 if one.since_creation else day
            told = any(i in mates and p == one.provider and k >= known for i, p, k in self.answers)
            placed.append((one, day if known < day and told else known))
        for one, known in placed:
            if one.outcome != "failed":
                self.answers[one.id, one.provider, known] = (one, at(day) - timedelta(hours=one.hour))

    def mates(self, id_: str) -> set[str]:
        """All ids of the lead that has this id: those that share an address with it, or with one that does."""
        found, grew = {id_}, True
        while grew:
            mails = {row.email for _, row in self.rows if row.id in found and row.email}
            more = {row.id for _, row in self.rows if row.email in mails}
            grew = not more <= found
            found |= more
        return found

    def value(self, id_: str, attribute: str, day: int) -> Any:
        mates = self.mates(id_)
        if not any(row.id in mates and known <= day for known, row in self.rows):
            return None
        told, found = self.spec.attributes.get(attribute), self.looked_up(mates, attribute, day)
        first, second = self.own(mates, attribute, day), found
        if isinstance(told, WaterfallSpec) and told.use == "prefer":
            first, second = second, first
        return second if first is None else first

    def own(self, mates: set[str], attribute: str, day: int) -> Any:
        candidates = []
        for speaker in {(source_of(known), row.id) for known, row in self.rows if row.id in mates}:
            value, since = None, -1
            for known, row in sorted(self.rows, key=lambda one: one[0]):
                if (source_of(known), row.id) == speaker and known <= day and row.value(attribute) != value:
                    value, since = row.value(attribute), known
            if value is not None:
                candidates.append((since, *speaker, value))
        return max(candidates)[-1] if candidates else None

    def looked_up(self, mates: set[str], attribute: str, day: int) -> Any:
        told = self.spec.attributes.get(attribute)
        ask = told.ask if told else [*self.spec.ask, *(p for p in sorted(PROVIDERS) if p not in self.spec.ask)]
        rule, at_least = (told.rule, told.at_least) if told else ("order", 0.0)
        candidates = []
        for place, provider in enumerate(ask):
            newest = [
                (known, fetched, -"abc".index(id_[-1]), said)
                for (id_, who, known), (said, fetched) in self.answers.items()
                if id_ in mates and who == provider and known <= day
            ]
            if not newest:
                continue
            _, fetched, _, said = max(newest, key=lambda one: one[:3])
            values = [(-sure, value) for name, value, sure in said.facts if name == attribute and sure >= at_least]
            if values:
                candidates.append((place, min(values)[1], -min(values)[0], fetched))
        if not candidates:
            return None
        votes = {c[1].lower(): sum(o[1].lower() == c[1].lower() for o in candidates) for c in candidates}
        weight = {
            "order": lambda _: 0,
            "confidence": lambda c: c[2],
            "newest": lambda c: c[3],
            "majority": lambda c: votes[c[1].lower()],
        }[rule]
        best = max(weight(c) for c in candidates)
        value = next(c[1] for c in candidates if weight(c) == best)
        return float(value) if attribute == "size" else value


# ---------------------------------------------------------------------------------------------------- the store's way


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def shared(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One store for all examples, emptied for each."""
    postgres = request.param == "postgres"
    address = request.getfixturevalue("postgres_module_store") if postgres else "duckdb::memory:"
    engine = open_store(address, Path(), create=True)
    add_columns(engine, LEADS, {**COLUMNS, "cms": Type.TEXT})
    yield engine
    engine.close()


def emptied(engine: Engine) -> Engine:
    for table in TABLES:
        engine.execute(f"DELETE FROM {table}")
    names.record(engine, "attribute", "crm", COLUMNS)
    return engine


def tell(engine: Engine, spec: EnrichSpec | None, day: int, rows: Sequence[Own]) -> None:
    """Let the store read these rows of the day's source, as `ingest` does."""
    told = pa.table(
        {
            "_id": [row.id for row in rows],
            "_known_at": pa.array([at(day)] * len(rows), pa.timestamp("us")),
            "email": pa.array([row.email for row in rows], pa.string()),
            "size": pa.array([row.size for row in rows], pa.float64()),
            "country": pa.array([row.country for row in rows], pa.string()),
            "_place": list(range(len(rows))),
        }
    )
    read(engine, spec, Staged(source_of(day), "told", frozenset({"id", "known_at"}), COLUMNS), told, day)


def read(engine: Engine, spec: EnrichSpec | None, staged: Staged, told: pa.Table, day: int) -> None:
    engine.register("told_rows", told)
    engine.execute("CREATE OR REPLACE TEMP TABLE told AS FROM told_rows")
    engine.unregister("told_rows")
    engine.execute("CREATE OR REPLACE TEMP TABLE touched (lead INTEGER)")
    load_leads(engine, staged, at(day))
    merge_duplicates(engine, {})
    refresh_leads(engine)
    facts.declare(engine, {})
    facts.settle(engine, spec)
    engine.execute("DROP TABLE touched")


def ask(engine: Engine, spec: EnrichSpec, day: int, answers: Sequence[Answer]) -> facts.Recorded:
    """Let the store record these answers."""
    keys = dict(engine.rows("SELECT id, key FROM ids"))
    lookups = [
        {
            "_key": keys[one.id],
            "provider": one.provider,
            "subject": one.id,
            "outcome": one.outcome,
            "fetched_at": at(day) - timedelta(hours=one.hour),
            "known_at": SINCE_CREATION if one.since_creation else None,
            "until": at(day + 3),
        }
        for one in answers
    ]
    said = [
        {
            "_key": keys[one.id],
            "provider": one.provider,
            "attribute": name,
            "value": value,
            "type": KINDS[name],
            "confidence": confidence,
        }
        for one in answers
        for name, value, confidence in one.facts
    ]
    tables = pa.Table.from_pylist(lookups, LOOKUPS), pa.Table.from_pylist(said, FACTS)
    return facts.record(engine, spec, *tables, at(day))


Used = dict[tuple[str, int], tuple[Any, ...]]


def used(engine: Engine, until: int = LAST_DAY) -> Used:
    """What is known of each id as of noon of each day."""
    found = engine.rows(
        "WITH days AS (SELECT unnest(generate_series(0, ?)) AS day) SELECT i.id, d.day, a.size, a.country, a.cms "
        "FROM ids i CROSS JOIN days d LEFT JOIN attributes a "
        "ON a.lead = i.lead AND a.known_at <= ?::TIMESTAMP + (24 * d.day + 12) * INTERVAL '1 hour' "
        "AND ?::TIMESTAMP + (24 * d.day + 12) * INTERVAL '1 hour' < a.known_until",
        [until, START, START],
    )
    return {(id_, day): tuple(values) for id_, day, *values in found}


def meant(models: Sequence[Model], until: int = LAST_DAY) -> Used:
    return {
        (id_, day): tuple(model.value(id_, name, day) for name in ("size", "country", "cms"))
        for world, model in enumerate(models)
        for id_ in ids_of(world)
        for day in range(until + 1)
    }


def worlds(seed: int) -> list[list[Day]]:
    chance = Random(seed)
    return [days_of(chance, world) for world in range(WORLDS)]


def live(engine: Engine, spec: EnrichSpec, day: int, what: Sequence[Day]) -> None:
    """Let a day pass in all worlds at once."""
    early, answers = (
        [answer for one in what for answer in part(one)] for part in (attrgetter("early"), attrgetter("answers"))
    )
    rows = [row for one in what for row in one.rows]
    if early:
        ask(engine, spec, day, early)
    if rows:
        tell(engine, spec, day, rows)
    if answers:
        ask(engine, spec, day, answers)


def lived(engine: Engine, spec: EnrichSpec, history: Sequence[Sequence[Day]]) -> None:
    for day in range(LAST_DAY + 1):
        live(engine, spec, day, [days[day] for days in history])


def models_of(spec: EnrichSpec, history: Sequence[Sequence[Day]]) -> list[Model]:
    models = [Model(spec) for _ in history]
    for model, days in zip(models, history, strict=True):
        for day, what in enumerate(days):
            model.live(day, what)
    return models


def differing(history: Sequence[Sequence[Day]], found: Used, wanted: Used) -> str:
    """Tell the first lead of which something else is used than is meant, with all that happened in its world."""
    assert found.keys() == wanted.keys()
    wrong = next((key for key in sorted(wanted) if found[key] != wanted[key]), None)
    if wrong is None:
        return ""
    happened = "\n".join(f"{day}: {what}" for day, what in enumerate(history[int(wrong[0][:2])]))
    return f"{wrong}: used {found[wrong]}, meant {wanted[wrong]}\n{happened}"


seeds = st.integers(0, 2**32)
some = settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])
few = settings(some, max_examples=1)


@some
@given(specs, seeds)
def test_what_is_used_is_what_the_model_uses_as_of_every_moment(shared: Engine, spec: EnrichSpec, seed: int) -> None:
    engine, history = emptied(shared), worlds(seed)
    lived(engine, spec, history)
    assert differing(history, used(engine), meant(models_of(spec, history))) == ""


@few
@given(specs, seeds)
def test_the_past_stays_what_it_was(shared: Engine, spec: EnrichSpec, seed: int) -> None:
    """A score of yesterday, computed tomorrow, is what it was: answers are known from the day they came."""
    engine, history = emptied(shared), worlds(seed)
    for day in range(LAST_DAY + 1):
        asked = [
            Day((), (), tuple(replace(one, since_creation=False) for one in days[day].answers)) for days in history
        ]
        apart = [Day((), tuple(replace(row, email=None) for row in days[day].rows), ()) for days in history]
        live(engine, spec, day, apart)
        before = used(engine, day - 1) if day else {}
        live(engine, spec, day, asked)
        assert used(engine, day - 1) == before or not day


@few
@given(specs, specs, seeds)
def test_another_rule_holds_for_the_past_too(shared: Engine, first: EnrichSpec, second: EnrichSpec, seed: int) -> None:
    engine, history = emptied(shared), worlds(seed)
    lived(engine, first, history)
    nothing = [Own("00a", None, None, None)]
    tell(engine, second, LAST_DAY + 1, nothing)
    models = models_of(second, history)
    models[0].live(LAST_DAY + 1, Day((), tuple(nothing), ()))
    assert differing(history, used(engine), meant(models)) == ""
    tell(engine, None, LAST_DAY + 2, nothing)  # `enrich:` was taken out of leadlight.yaml
    assert differing(history, used(engine), meant(models)) == ""


@few
@given(specs, seeds, st.sampled_from(PROVIDERS))
def test_a_forgotten_provider_has_never_spoken(shared: Engine, spec: EnrichSpec, seed: int, provider: str) -> None:
    engine, history = emptied(shared), worlds(seed)
    lived(engine, spec, history)
    facts.forget_provider(engine, spec, provider)
    without = [
        [
            replace(
                what,
                early=tuple(one for one in what.early if one.provider != provider),
                answers=tuple(one for one in what.answers if one.provider != provider),
            )
            for what in days
        ]
        for days in history
    ]
    assert differing(history, used(engine), meant(models_of(spec, without))) == ""
    for table in ("facts", "lookups"):
        assert engine.rows(f"SELECT count(*) FROM {table} WHERE provider = ?", [provider]) == [(0,)]


# --------------------------------------------------------------------------------------------------------- one by one


A, B, C = ids_of(0)
FIRST = [Own(id_, None, None, None) for id_ in (A, B, C)]


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    postgres = request.param == "postgres"
    address = request.getfixturevalue("postgres_store") if postgres else "duckdb::memory:"
    engine = open_store(address, Path(), create=True)
    add_columns(engine, LEADS, {**COLUMNS, "cms": Type.TEXT})
    names.record(engine, "attribute", "crm", COLUMNS)
    tell(engine, EnrichSpec(), 0, FIRST)
    yield engine
    engine.close()


def found(*values: tuple[str, str, float], id_: str = A, provider: str = "dns") -> Answer:
    return Answer(id_, provider, "found" if values else "nothing", values, 0)


def test_nobody_is_asked_twice_while_an_answer_holds(engine: Engine) -> None:
    ask(engine, EnrichSpec(), 1, [found(("cms", "x", 1.0)), found(provider="web"), Answer(B, "dns", "failed", (), 0)])
    keys = dict(engine.rows("SELECT id, key FROM ids"))
    holding = facts.answered(engine, [keys[A], keys[B]], at(2)).to_pylist()
    assert [(row["_key"], row["provider"], row["outcome"]) for row in holding] == [
        (keys[A], "dns", "found"),
        (keys[A], "web", "nothing"),
        (keys[B], "dns", "failed"),
    ]
    assert holding[0]["subject"] == A
    assert facts.answered(engine, [keys[A]], at(4)).num_rows == 0
    assert facts.answered(engine, [], at(2)).num_rows == 0


def test_of_merged_leads_the_answers_hold_together(engine: Engine) -> None:
    ask(engine, EnrichSpec(), 1, [found(("cms", "x", 1.0), id_=B)])
    tell(engine, EnrichSpec(), 2, [Own(id_, "a@x.de", None, None) for id_ in (A, B)])
    lead = engine.rows("SELECT lead FROM ids WHERE id = ?", [A])[0][0]
    holding = facts.answered(engine, [lead], at(2)).to_pylist()
    assert [(row["_key"], row["provider"]) for row in holding] == [(lead, "dns")]
    assert used(engine)[A, 3] == used(engine)[B, 3] == (None, None, "x")


def test_an_attribute_that_is_new_gets_a_column_of_its_type(engine: Engine) -> None:
    lookups = pa.Table.from_pylist([{"_key": 1, "provider": "dns", "outcome": "found"}], LOOKUPS)
    said = [
        {"_key": 1, "provider": "dns", "attribute": name, "value": value, "type": kind, "confidence": 1.0}
        for name, value, kind in (("hiring", "true", "bool"), ("changed_at", "2026-03-01 12:00:00", "time"))
    ]
    facts.record(engine, EnrichSpec(), lookups, pa.Table.from_pylist(said, FACTS), at(1))
    assert engine.rows("SELECT hiring, changed_at FROM attributes WHERE hiring") == [(True, datetime(2026, 3, 1, 12))]
    assert names.catalog(engine).attributes["hiring"] is Type.BOOL


def test_declared_names_are_known_and_missing(engine: Engine) -> None:
    engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
    facts.declare(engine, {"employees": Type.NUMBER, "size": Type.TEXT, "id": Type.TEXT})
    attributes = names.catalog(engine).attributes
    assert attributes["employees"] is Type.NUMBER
    assert attributes["size"] is Type.NUMBER, "the user's own values say of which type it is"
    assert "id" not in attributes, "a name with a meaning of its own"
    assert engine.columns("attributes")["employees"] == "DOUBLE"
    facts.declare(engine, {})
    assert "employees" in names.catalog(engine).attributes, "who is no longer asked leaves the column"


def test_names_that_accounts_have_are_left_to_them(engine: Engine) -> None:
    engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
    facts.declare(engine, {"employees": Type.NUMBER})
    names.record(engine, "account_attribute", "firms", {"employees": Type.NUMBER})
    facts.declare(engine, {"employees": Type.NUMBER})
    assert "employees" not in names.catalog(engine).attributes


def test_a_column_of_the_users_own_takes_over_with_its_type(engine: Engine) -> None:
    """What was looked up as a number stands beside own texts, as the text of that number."""
    lookups = pa.Table.from_pylist([{"_key": key, "provider": "dns", "outcome": "found"} for key in (1, 2)], LOOKUPS)
    said = [
        {"_key": key, "provider": "dns", "attribute": "staff", "value": "12", "type": "number", "confidence": 1.0}
        for key in (1, 2)
    ]
    facts.record(engine, EnrichSpec(), lookups, pa.Table.from_pylist(said, FACTS), at(1))
    assert engine.rows("SELECT DISTINCT staff FROM attributes WHERE staff IS NOT NULL") == [(12.0,)]
    rows = pa.table({"_id": [A], "_known_at": pa.array([at(2)], pa.timestamp("us")), "staff": ["11-50"], "_place": [0]})
    read(engine, EnrichSpec(), Staged("crm", "told", frozenset({"id", "known_at"}), {"staff": Type.TEXT}), rows, 2)
    now = "SELECT i.id, staff FROM attributes JOIN ids i USING (lead) WHERE known_until > ? AND staff IS NOT NULL"
    assert engine.rows(now + " ORDER BY 1", [at(9)]) == [(A, "11-50"), (B, "12")]
    assert names.catalog(engine).attributes["staff"] is Type.TEXT


def test_what_does_not_fit_the_column_is_kept_but_not_used(engine: Engine) -> None:
    ask(engine, EnrichSpec(), 1, [found(("size", "many", 1.0))])
    assert used(engine)[A, 2] == (None, None, None)
    assert engine.rows("SELECT value FROM facts") == [("many",)]


def test_facts_without_a_look_up_that_found_them_are_not_taken(engine: Engine) -> None:
    lookups = pa.Table.from_pylist([{"_key": 1, "provider": "dns", "outcome": "nothing"}], LOOKUPS)
    said = [
        {"_key": 1, "provider": who, "attribute": "cms", "value": "x", "type": "text", "confidence": 1.0}
        for who in ("dns", "web")
    ]
    assert facts.record(engine, EnrichSpec(), lookups, pa.Table.from_pylist(said, FACTS), at(1)).facts == 0


def test_an_erased_person_leaves_no_answer(engine: Engine) -> None:
    ask(engine, EnrichSpec(), 1, [found(("cms", "x", 1.0)), found(("cms", "y", 1.0), id_=B)])
    erased = erase(engine, A, now=at(2))
    assert (erased.rows["facts"], erased.rows["lookups"]) == (1, 1)
    assert engine.rows("SELECT subject FROM lookups") == [(B,)]
    assert engine.rows("SELECT value FROM facts") == [("y",)]


def test_nothing_looked_up_merges_leads_or_brings_them_into_being(engine: Engine) -> None:
    ask(engine, EnrichSpec(), 1, [found(("country", "de", 1.0)), found(("country", "de", 1.0), id_=B)])
    engine.execute("CREATE TEMP TABLE touched AS SELECT lead FROM leads")
    engine.execute("UPDATE observations SET email = 'same@x.de' WHERE _source = '(enrich)'")
    assert merge_duplicates(engine, {})[0] == 0
    engine.execute("DELETE FROM observations WHERE _source = 'crm' AND lead = (SELECT lead FROM ids WHERE id = ?)", [A])
    refresh_leads(engine)
    assert engine.rows("SELECT id FROM leads ORDER BY id") == [(B,), (C,)]


def test_answers_of_many_leads_are_chosen_at_once(engine: Engine) -> None:
    """A statement for all, none for each: as many statements for 300 leads as for one."""

    class Counting:
        def __init__(self) -> None:
            self.count = 0

        def __getattr__(self, name: str) -> Any:
            if name in ("execute", "rows", "arrow"):
                self.count += 1
            return getattr(engine, name)

    def cost(ids: Sequence[str], day: int) -> int:
        tell(engine, EnrichSpec(), day, [Own(id_, None, None, None) for id_ in ids])
        counting = Counting()
        ask(counting, EnrichSpec(), day, [found(("cms", "x", 1.0), id_=id_) for id_ in ids])  # type: ignore[arg-type]
        return counting.count

    cost(["z"], 1)
    assert cost([f"n{number}" for number in range(300)], 2) == cost(["z"], 3)


def test_a_blank_of_ones_own_is_no_value(engine: Engine) -> None:
    ask(engine, EnrichSpec(), 1, [found(("size", "12", 1.0))])
    tell(engine, EnrichSpec(), 2, [Own(A, None, 7.0, None)])
    tell(engine, EnrichSpec(), 4, [Own(A, None, None, None)])
    assert [used(engine)[A, day][0] for day in range(5)] == [None, 12.0, 7.0, 7.0, 12.0]


def test_one_answer_after_another_costs_the_past_nothing(engine: Engine) -> None:
    """What counts as known since the lead exists counts once: told again otherwise, it is known since then."""
    always = replace(found(("cms", "x", 1.0)), since_creation=True)
    ask(engine, EnrichSpec(), 2, [always])
    assert [used(engine)[A, day][2] for day in range(4)] == ["x"] * 4
    ask(engine, EnrichSpec(), 3, [replace(always, facts=(("cms", "y", 1.0),))])
    assert [used(engine)[A, day][2] for day in range(4)] == ["x", "x", "x", "y"]


def test_with_the_only_provider_all_that_was_looked_up_goes(engine: Engine) -> None:
    ask(engine, EnrichSpec(), 1, [found(("cms", "x", 1.0))])
    assert facts.forget_provider(engine, EnrichSpec(), "dns") == (1, (A,))
    assert used(engine)[A, 3] == (None, None, None)
    assert engine.rows("SELECT count(*) FROM observations WHERE _source LIKE '(enrich%'") == [(0,)]
