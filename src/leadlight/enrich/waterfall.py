"""Who is asked next about a lead: for each attribute the first provider in order that can be asked, while it is needed.

An attribute is *open* while an answer could still be used for it: the user has no value of their own (or has said that
answers are preferred), what was answered so far does not settle it, and somebody is left to ask. By the rule of its
waterfall it is settled

    order, newest  as soon as one answer is sure enough (`at_least`)
    confidence     as soon as one is wholly sure
    majority       as soon as those who are left could not outvote the value that leads

Somebody is left who has not been asked the same question about the lead while that answer holds, and who knows what to
ask (its `key`), or may know it from the clues that others who are left give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from leadlight.enrich.provider import About, Clue, Provider, Query
from leadlight.spec.enrich import EnrichSpec, WaterfallSpec


@dataclass(frozen=True, slots=True)
class Standing:
    """How a provider's last question about a lead ended, where that still holds."""

    subject: str | None
    found: bool
    facts: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Attribute → its value as text, and how sure the provider is."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A lead whose turn it is: what is known of it, and what would be asked of whom."""

    lead: int
    query: Query
    own: frozenset[str] = frozenset()
    """The attributes of which the user has a value of their own."""
    standing: Mapping[str, Standing] = field(default_factory=dict)
    keys: Mapping[str, str | None] = field(default_factory=dict)
    """Provider → what it would be asked; None where it lacks what it needs."""
    tried: frozenset[str] = frozenset()
    """Who was asked in this run, whatever came of it."""

    def is_left(self, provider: str) -> bool:
        """Return whether a provider was not asked yet, or would be asked something else than what still holds."""
        known = self.standing.get(provider)
        return provider not in self.tried and (known is None or known.subject != self.keys.get(provider))


@dataclass(frozen=True, slots=True)
class Waterfalls:
    """Every attribute with the providers that are asked for it, in order."""

    providers: Mapping[str, Provider]
    attributes: Mapping[str, WaterfallSpec]

    def about(self, name: str) -> About:
        """Return what a provider is."""
        return self.providers[name].about

    @property
    def local(self) -> list[str]:
        """The providers that ask nobody outside."""
        return [name for name in self.providers if not self.about(name).network]

    def keys(self, query: Query) -> dict[str, str | None]:
        """Return what each provider would be asked; one that fails to say has nothing to be asked."""
        return {name: _key(provider, query) for name, provider in self.providers.items()}

    # ---------------------------------------------------------------------------------------------- who is left to ask

    def ready(self, subject: Subject) -> list[str]:
        """Return the providers that are left and know what to ask."""
        return [name for name in self.providers if subject.keys.get(name) is not None and subject.is_left(name)]

    def reachable(self, subject: Subject) -> list[str]:
        """Return those, and those that may know what to ask from the clues that these give."""
        found = self.ready(subject)
        waiting = [name for name in self.providers if subject.keys.get(name) is None and name not in subject.tried]
        while waiting:
            clues = frozenset[Clue]().union(*(self.about(name).clues for name in found))
            more = [name for name in waiting if self._missing(name, subject) & clues]
            if not more:
                break
            found += more
            waiting = [name for name in waiting if name not in more]
        return found

    def _missing(self, name: str, subject: Subject) -> frozenset[Clue]:
        known = frozenset(subject.query.clues)
        return frozenset[Clue]().union(*(needs - known for needs in self.about(name).needs))

    def open(self, subject: Subject) -> dict[str, list[str]]:
        """Return each attribute that is open, with the providers outside that are left for it, in order."""
        reachable = {name for name in self.reachable(subject) if self.about(name).network}
        found = {}
        for attribute, waterfall in self.attributes.items():
            left = [name for name in waterfall.ask if name in reachable]
            if left and not self._is_closed(attribute, waterfall, subject, len(left)):
                found[attribute] = left
        return found

    def lacks_clue(self, subject: Subject) -> bool:
        """Return whether somebody outside could be asked for an attribute, if only it were known what to ask."""
        return any(
            not self._is_closed(attribute, waterfall, subject, 1)
            and any(
                self.about(name).network and subject.keys.get(name) is None and subject.is_left(name)
                for name in waterfall.ask
            )
            for attribute, waterfall in self.attributes.items()
        )

    def _is_closed(self, attribute: str, waterfall: WaterfallSpec, subject: Subject, left: int) -> bool:
        if waterfall.use == "fill" and attribute in subject.own:
            return True
        facts = [  # an answer about what the lead has no more, an address of before, settles nothing
            fact
            for name in waterfall.ask
            if (known := subject.standing.get(name)) is not None
            and subject.keys.get(name) in (None, known.subject)
            and (fact := known.facts.get(attribute)) is not None
            and fact[1] >= waterfall.at_least
        ]
        return is_settled(waterfall, facts, left)

    # ------------------------------------------------------------------------------------------------- who is asked

    def wanted(self, subject: Subject, opened: Mapping[str, Sequence[str]], matter: Iterable[str]) -> list[str]:
        """Return whom to ask now, for the attributes that matter.

        For each the first who is left; where that one lacks a clue, the first who could give it.
        """
        asked = [who for attribute in matter if (who := self._next(subject, opened[attribute])) is not None]
        return list(dict.fromkeys(asked))

    def _next(self, subject: Subject, left: Sequence[str]) -> str | None:
        ready = self.ready(subject)
        for name in left:
            if name in ready:
                return name
            giver = self._giver(name, subject, ready)
            if giver is not None:
                return giver
        return None

    def _giver(self, name: str, subject: Subject, ready: Sequence[str]) -> str | None:
        """Return the first who is ready and gives a clue that a provider lacks, at first hand or through others."""
        missing, seen = self._missing(name, subject), {name}
        while missing:
            for other in ready:
                if self.about(other).clues & missing:
                    return other
            between = [
                other
                for other in self.providers
                if other not in seen and other not in subject.tried and self.about(other).clues & missing
            ]
            if not between:
                return None
            seen |= set(between)
            missing = frozenset[Clue]().union(*(self._missing(other, subject) for other in between))
        return None

    def at_most(self, subject: Subject, opened: Mapping[str, Sequence[str]], matter: Iterable[str]) -> set[str]:
        """Return everybody outside who may come to be asked for the attributes that matter."""
        found = {name for attribute in matter for name in opened[attribute]}
        reachable = [name for name in self.reachable(subject) if self.about(name).network]
        while True:
            lacking = [name for name in found if subject.keys.get(name) is None]
            missing = frozenset[Clue]().union(*(self._missing(name, subject) for name in lacking))
            more = {name for name in reachable if name not in found and self.about(name).clues & missing}
            if not more:
                return found
            found |= more


def make_waterfalls(spec: EnrichSpec, providers: Mapping[str, Provider], *, without: Iterable[str] = ()) -> Waterfalls:
    """Return the waterfalls of a workspace's providers; attributes `without` are none that answers are used for."""
    given = dict.fromkeys(name for provider in providers.values() for name in provider.about.gives)
    attributes = {}
    for attribute in given:
        if attribute in without:
            continue
        givers = [name for name in spec.ask if name in providers and attribute in providers[name].about.gives]
        if not givers and attribute not in spec.attributes:
            continue
        told = spec.waterfall(attribute, givers)
        ask = [name for name in told.ask if name in providers and attribute in providers[name].about.gives]
        if ask:
            attributes[attribute] = told.model_copy(update={"ask": ask})
    return Waterfalls(providers, attributes)


def is_settled(waterfall: WaterfallSpec, facts: Sequence[tuple[str, float]], left: int) -> bool:
    """Return whether those who are left to ask could not change which answer is used.

    `facts` are the values that count, each with how sure its provider is.

    >>> majority = WaterfallSpec(ask=["a", "b", "c"], rule="majority")
    >>> is_settled(majority, [("x", 0.9)], 2), is_settled(majority, [("x", 0.9), ("X", 0.4)], 1)
    (False, True)
    """
    if not facts:
        return False
    if waterfall.rule == "confidence":
        return max(sure for _, sure in facts) >= 1.0
    if waterfall.rule == "majority":
        votes = [count for _, count in Counter(value.lower() for value, _ in facts).most_common(2)]
        return votes[0] - (votes[1] if len(votes) > 1 else 0) > left
    return True


def _key(provider: Provider, query: Query) -> str | None:
    try:
        return provider.key(query)
    except Exception:  # whatever stands in a lead's values, it must not end the run
        return None
