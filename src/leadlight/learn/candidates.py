"""Candidate features: what could tell buyers from others, made from the attributes and events that are there.

Attributes are taken as they are; times become days since then; long texts become the words that occur in them; each
common type of event becomes how often (in windows), how long ago, whether rising, and the same for its common
property values; accounts become what colleagues did. Learning keeps the few that help.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.expr.words import LETTERS, WITHOUT_SPACES, phrase_fault
from leadlight.spec import models
from leadlight.spec.catalog import RESERVED
from leadlight.spec.durations import format_duration
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.store.sql import Sql, fill, joined, literal

MOST_TYPES = 12
"""How many types of events become features, the commonest first."""
MOST_VALUES = 6
"""How many values of a property of a type."""
MOST_DOMAINS = 20
"""How many domains of addresses become features."""
MOST_WORDS = 300
"""How many words of a text become features, the commonest first; what is learned from them `words` decides."""
LEAST_SHARE = 0.01
"""The share of leads (or of a type's events) that a word or value must have."""
SELDOM = 0.02
"""A text that is missing, or there, more seldom than this says nothing by being so."""
FEW_VALUES = 40
"""A text with at most so many different values is a category as it stands; one with more may also be words."""
WINDOWS = (timedelta(days=7), timedelta(days=30))
SAMPLE = 100_000
"""How many leads or events are looked at to find words and values."""
LONGEST = 60
NAMES = r"first_?name|last_?name|surname|full_?name"
"""Names of people: where there are few different ones, they still tell who somebody is, and not who buys."""
PERSONAL = r"(^|_)(name|first_?name|last_?name|surname|full_?name|phone|mobile|fax)(_|$)"
"""Names of attributes that hold a person's name or number."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feature that may be learned from: its name, what it is (None for an attribute by its own name), its title."""

    name: str
    title: str
    spec: models.Feature | None = None
    word: bool = False
    """Whether it is one of many words of a text, of which each tells a little."""


def candidates(engine: Engine, workspace: ResolvedWorkspace) -> list[Candidate]:
    """Return everything that can be learned from: the workspace's features, attributes, and what is made of them."""
    maker = _Maker(engine, workspace)
    found = [Candidate(name, _title(name)) for name in workspace.features]
    if workspace.spec.learn.candidates:
        found += maker.of_attributes()
        found += maker.of_events()
        found += maker.of_accounts()
    barred = {*workspace.spec.learn.leave_out, *workspace.spec.learn.protected, *_treatment(workspace)}
    barred |= _beside(workspace)
    return [candidate for candidate in _once(found) if not (_rests_on(candidate, workspace) & barred)]


def _treatment(workspace: ResolvedWorkspace) -> set[str]:
    """The names that say who was treated: known of the past campaign only, and decided by the ranking next time."""
    treatment = workspace.spec.outcome.treatment if workspace.spec.outcome is not None else None
    conditions = [treatment.treated, treatment.control or ""] if treatment is not None else []
    names = set(re.findall(r"[a-z_][a-z0-9_]*", re.sub(r"'[^']*'", "", " ".join(conditions)).lower()))
    return names & {*workspace.features, *workspace.catalog.attributes, *workspace.catalog.account_attributes}


def _beside(workspace: ResolvedWorkspace) -> set[str]:
    """The attributes that people rank by today: to be held against, not learned from, unless a feature names them."""
    used: set[str] = set()
    for feature in workspace.beside.values():
        used |= feature.expression.names if feature.expression is not None else frozenset()
    named = [_rests_on(Candidate(name, name), workspace) for name in workspace.features]
    return used - set().union(*named) - set(workspace.spec.learn.keep)


def _once(found: Iterable[Candidate]) -> list[Candidate]:
    """Return one candidate of each name, the first; what was made of something else gets another name."""
    by_name: dict[str, Candidate] = {}
    for candidate in found:
        first = by_name.setdefault(candidate.name, candidate)
        if first.spec is not None and candidate.spec is not None and candidate.spec != first.spec:
            other = _told_apart(candidate.name, candidate.title)
            by_name.setdefault(other, replace(candidate, name=other))
    return list(by_name.values())


def _rests_on(candidate: Candidate, workspace: ResolvedWorkspace) -> set[str]:
    """The names a candidate is made of, itself among them."""
    names, fresh = {candidate.name}, [candidate.spec]
    own = workspace.features.get(candidate.name)
    if own is not None:
        fresh = [own.spec]
    while fresh:
        spec = fresh.pop()
        more: set[str] = set()
        if isinstance(spec, models.AttributeFeature):
            more = {spec.attribute}
        elif isinstance(spec, models.AgeFeature):
            more = {spec.age}
        elif isinstance(spec, models.UntilFeature):
            more = {spec.until}
        elif isinstance(spec, models.AfterFeature):
            more = {spec.after, *([spec.by] if spec.by else [])}
        elif isinstance(spec, models.AccountFeature) and isinstance(
            spec.account, models.LeadSumFeature | models.LeadMaxFeature
        ):
            of = spec.account
            more = {of.sum if isinstance(of, models.LeadSumFeature) else of.max}
        elif isinstance(spec, models.ExprFeature):
            more = set(re.findall(r"[a-z_][a-z0-9_]*", spec.expr.lower()))
        for name in more - names:
            names.add(name)
            fresh += [workspace.features[name].spec] if name in workspace.features else []
    return names


@dataclass(frozen=True, slots=True)
class _Maker:
    engine: Engine
    workspace: ResolvedWorkspace

    # ------------------------------------------------------------------------------------------------- attributes

    def of_attributes(self) -> Iterator[Candidate]:
        catalog = self.workspace.catalog
        yield Candidate("days_known", "Days known", models.AgeFeature(age="created_at"))
        for table, attributes in (
            ("attributes", catalog.attributes),
            ("account_attributes", catalog.account_attributes),
        ):
            texts = [name for name, kind in attributes.items() if kind is Type.TEXT]
            distinct = self._distinct(table, texts)
            for name, kind in attributes.items():
                if kind is Type.TIME:
                    yield Candidate(
                        _name("days_since", name), f"Days since {_title(name).lower()}", models.AgeFeature(age=name)
                    )
                    continue
                if distinct.get(name, 0) <= FEW_VALUES:
                    if not re.fullmatch(NAMES, name):
                        yield Candidate(name, _title(name))
                else:
                    yield from self._of_many_values(table, name)

    def _distinct(self, table: str, names: Sequence[str]) -> dict[str, int]:
        if not names:
            return {}
        counts = joined(fill("approx_count_distinct({name})", name=name) for name in names)
        row = self.engine.rows(fill("SELECT {counts} FROM {table}", counts=counts, table=table))[0]
        return {name: int(count) for name, count in zip(names, row, strict=True)}

    def _of_many_values(self, table: str, name: str) -> Iterator[Candidate]:
        """Whether a text is there, its common values, and what it is made of: the domain of an address, or words.

        Nothing is made of people's names and numbers but that they are known: they tell origin and sex, not who buys.
        """
        filled, commonest, addresses = self._text_facts(table, name)
        if SELDOM < filled < 1 - SELDOM:
            spec = models.ExprFeature(expr=f"{name} is not null")
            yield Candidate(_name(name, "is_known"), f"{_title(name)} is known", spec)
        if re.search(PERSONAL, name):
            return
        if commonest >= LEAST_SHARE:
            yield Candidate(name, _title(name))
        yield from self._domains(table, name) if addresses > 0.9 else self._words(table, name)

    def _text_facts(self, table: str, name: str) -> tuple[float, float, float]:
        """Return the share of rows with a value, with the commonest value, and the share of values with an @."""
        row = self.engine.rows(
            fill(
                "SELECT count({name}) / count(*), coalesce((SELECT max(n) FROM (SELECT count(*) AS n FROM {table} "
                "WHERE {name} IS NOT NULL GROUP BY {name})) / count(*), 0), "
                "coalesce(avg((contains({name}, '@') AND NOT contains({name}, ' '))::INT), 0) FROM {table}",
                name=name,
                table=table,
            )
        )[0]
        return float(row[0] or 0), float(row[1] or 0), float(row[2] or 0)

    def _domains(self, table: str, name: str) -> Iterator[Candidate]:
        """Domains that many addresses have."""
        found = self.engine.rows(
            fill(
                "SELECT lower(split_part({name}, '@', 2)) AS domain FROM (SELECT {name} FROM {table} WHERE {name} "
                "IS NOT NULL LIMIT {sample}) GROUP BY domain HAVING count(*) >= greatest(20, ? * (SELECT count(*) "
                "FROM {table})) ORDER BY count(*) DESC, domain LIMIT ?",
                name=name,
                table=table,
                sample=Sql(str(SAMPLE)),
            ),
            [LEAST_SHARE / 2, MOST_DOMAINS],
        )
        for (domain,) in found:
            spec = models.ExprFeature(expr=f"contains(lower({name}), {_literal('@' + domain)})")
            yield Candidate(_name(name, "at", domain), f"{_title(name)} at {domain}", spec)

    def _words(self, table: str, name: str) -> Iterator[Candidate]:
        """Words that stand in many values of a text."""
        key = "lead" if table == "attributes" else "account"
        found = self.engine.rows(
            fill(
                "WITH t AS (SELECT DISTINCT {key} AS k, lower({name}) AS text FROM (SELECT {key}, {name} FROM {table} "
                "WHERE {name} IS NOT NULL LIMIT {sample})), "
                "w AS (SELECT DISTINCT k, unnest(regexp_split_to_array(text, {between})) AS word FROM t) "
                "SELECT word FROM w WHERE length(word) >= 3 AND NOT regexp_matches(word, '^[0-9]+$') GROUP BY word "
                "HAVING count(*) >= greatest(20, ? * (SELECT count(DISTINCT k) FROM t)) "
                "AND count(*) <= 0.95 * (SELECT count(DISTINCT k) FROM t) ORDER BY count(*) DESC, word LIMIT ?",
                key=key,
                name=name,
                table=table,
                between=literal(f"[^{LETTERS}{WITHOUT_SPACES}]+"),
                sample=Sql(str(SAMPLE)),
            ),
            [LEAST_SHARE, MOST_WORDS],
        )
        for (word,) in found:
            whole = phrase_fault(word) is None  # not so in scripts without spaces, where a part is all there is to find
            found_by = f"contains_any({name}, {_literal(word)})" if whole else f"contains({name}, {_literal(word)})"
            spec = models.ExprFeature(expr=found_by)
            yield Candidate(_name(name, "says", word), f"{_title(name)} says “{word}”", spec, word=True)

    # ----------------------------------------------------------------------------------------------------- events

    def of_events(self) -> Iterator[Candidate]:
        for event in self._types():
            title = event.replace("_", " ")
            for within in WINDOWS:
                yield Candidate(
                    _name(event, format_duration(within)),
                    f"{_capital(title)} in {format_duration(within)}",
                    models.CountFeature(count=event, within=within),
                )
            yield Candidate(_name("days_since", event), f"Days since {title}", models.RecencyFeature(recency=event))
            yield Candidate(
                _name(event, "faded"),
                f"{_capital(title)}, fading",
                models.DecayedFeature(decayed=event, half_life=timedelta(days=14)),
            )
            yield from self._of_properties(event, title)

    def _types(self) -> list[str]:
        if not self.workspace.catalog.events:
            return []
        found = self.engine.rows(
            fill(
                "SELECT type::VARCHAR FROM events GROUP BY type ORDER BY count(*) DESC, 1 LIMIT {most}",
                most=Sql(str(MOST_TYPES)),
            )
        )
        return [str(name) for (name,) in found]

    def _of_properties(self, event: str, title: str) -> Iterator[Candidate]:
        for name, kind in self.workspace.catalog.properties.items():
            if kind is Type.NUMBER and self._is_filled(event, name):
                yield Candidate(
                    _name(event, name, "sum"),
                    f"{_capital(title)}: sum of {name.replace('_', ' ')}",
                    models.SumFeature(sum=event, property=name),
                )
                yield Candidate(
                    _name(event, name, "mean"),
                    f"{_capital(title)}: mean {name.replace('_', ' ')}",
                    models.AvgFeature(avg=event, property=name),
                )
            if kind is Type.TEXT:
                for value in self._values(event, name):
                    where = f"{name} = {_literal(value)}"
                    yield Candidate(
                        _name(event, value),
                        f"{_capital(title)} with {name.replace('_', ' ')} “{value}”",
                        models.CountFeature(count=event, where=where),
                    )

    def _is_filled(self, event: str, name: str) -> bool:
        found = self.engine.rows(
            fill("SELECT 1 FROM events WHERE type = ? AND {name} IS NOT NULL LIMIT 1", name=name), [event]
        )
        return bool(found)

    def _values(self, event: str, name: str) -> list[str]:
        """The commonest values of a property, where it has few enough to mean something."""
        found = self.engine.rows(
            fill(
                "WITH s AS (SELECT {name} AS value FROM events WHERE type = ? AND {name} IS NOT NULL LIMIT {sample}) "
                "SELECT value, count(*) FROM s GROUP BY value HAVING count(*) >= greatest(20, ? * (SELECT count(*) "
                "FROM s)) AND (SELECT count(DISTINCT value) FROM s) BETWEEN 2 AND ? ORDER BY count(*) DESC, value",
                name=name,
                sample=Sql(str(SAMPLE)),
            ),
            [event, LEAST_SHARE, FEW_VALUES],
        )
        return [str(value) for value, _ in found[:MOST_VALUES]]

    # --------------------------------------------------------------------------------------------------- accounts

    def of_accounts(self) -> Iterator[Candidate]:
        """What colleagues did, where leads have accounts with more than one lead."""
        shared = (
            "SELECT 1 FROM attributes WHERE account IS NOT NULL GROUP BY account "
            "HAVING count(DISTINCT lead) > 1 LIMIT 1"
        )
        if not self.engine.rows(shared):
            return
        within = WINDOWS[-1]
        for event in self._types()[: MOST_TYPES // 2]:
            spec = models.AccountFeature(account=models.DistinctLeadsFeature(distinct_leads=event, within=within))
            title = f"Colleagues with {event.replace('_', ' ')} in {format_duration(within)}"
            yield Candidate(_name("colleagues", event), title, spec)


def _name(*parts: str) -> str:
    """Make a feature's name of parts: ASCII, lower case, short enough for a column.

    Where letters have no place in it, or it is too long, a few digits tell it from others: words of other scripts than
    the Latin one are no less different.

    >>> _name("title", "says", "Prüfung"), _name("title", "says", "цена")
    ('title_says_prufung', 'title_says_7132a6')
    """
    whole = "_".join(parts)
    apart = unicodedata.normalize("NFKD", whole)
    text = apart.encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    plain = plain if plain[:1].isalpha() else f"f_{plain}".rstrip("_")
    if len(plain) > LONGEST or sum(map(str.isalnum, apart)) > sum(map(str.isalnum, text)):
        return _told_apart(plain, whole)
    return plain + ("_" if plain in RESERVED else "")


def _told_apart(name: str, whole: str) -> str:
    """Return a name with digits that tell it from others of the same beginning."""
    digits = hashlib.sha256(whole.encode()).hexdigest()[:6]
    return f"{name[: LONGEST - len(digits) - 1].rstrip('_')}_{digits}"


def _title(name: str) -> str:
    """Write a name for people.

    >>> _title("lead_source")
    'Lead source'
    """
    return _capital(name.replace("_", " ").strip())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _literal(text: str) -> str:
    """Write a text as a literal of a condition."""
    return "'" + text.replace("'", "''") + "'"


def feature_specs(found: Iterable[Candidate]) -> Mapping[str, models.Feature]:
    """Return the features that a scorecard must bring along, by name: all but attributes and the workspace's own."""
    return {candidate.name: candidate.spec for candidate in found if candidate.spec is not None}
