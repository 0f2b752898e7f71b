"""What is wrong with `enrich:`, each fault at its place, and which attributes it can give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.enrich.catalog import make_providers, names, offer
from leadlight.enrich.clues import find_clues
from leadlight.enrich.provider import About, Clue, Provider, Surroundings
from leadlight.enrich.vocabulary import VOCABULARY
from leadlight.errors import Fault, LeadlightError, did_you_mean, shorten
from leadlight.expr.types import Type
from leadlight.spec.catalog import RESERVED, Catalog, Names
from leadlight.spec.enrich import EnrichSpec
from leadlight.spec.findings import Findings

if TYPE_CHECKING:
    from leadlight.spec.load import LoadedWorkspace

MAX_NAMED = 5
Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """The providers that `enrich:` names, the attributes they can give, and what is wrong (warnings too)."""

    providers: Mapping[str, Provider] = field(default_factory=dict)
    given: Mapping[str, Type] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    has_lost: bool = False
    """Whether a provider could not be made, so that what it gives is not known."""

    def known_in(self, catalog: Catalog) -> Catalog:
        """Return a catalog that knows what can be given too; what leads or accounts have stays as it is.

        Where a provider has a fault, nobody knows all the names.
        """
        new = {name: kind for name, kind in self.given.items() if name not in catalog.account_attributes}
        lost: frozenset[Names] = frozenset({"attributes"}) if self.has_lost else frozenset()
        return replace(catalog, attributes={**new, **catalog.attributes}, hidden=catalog.hidden | lost)


def check_enrich(loaded: LoadedWorkspace, catalog: Catalog) -> Checked:
    """Look at what `enrich:` says, without asking anybody; conditions and names of attributes are `resolve`'s.

    `catalog` has what the user's own files give.
    """
    spec, marks = loaded.workspace.spec.enrich, loaded.workspace.marks
    if spec is None:
        return Checked()
    made = make_providers(spec, Surroundings(loaded.root), marks=marks)
    findings = Findings(marks, list(made.faults))
    _check_clue_names(spec, findings)
    _check_attributes(spec, made.providers, findings, complete=not made.faults)
    given = _given(made.providers.values())
    if not made.faults:
        _check_asked(spec, made.providers, catalog, findings)
        _check_types(spec, given, catalog, findings)
    return Checked(made.providers, given, tuple(findings.faults), has_lost=bool(made.faults))


def given_attributes(spec: EnrichSpec | None, root: Path) -> Mapping[str, Type]:
    """Return the attributes that `enrich:` can give, with their types; a provider with faults gives nothing."""
    return {} if spec is None else _given(make_providers(spec, Surroundings(root)).providers.values())


def _given(providers: Iterable[Provider]) -> dict[str, Type]:
    """Return every attribute that some provider gives; where providers' own names differ in type, it is text."""
    found: dict[str, Type] = {}
    for about in (provider.about for provider in providers):
        for name in about.gives:
            meaning = about.meaning(name)
            if meaning is not None and name not in RESERVED:
                found[name] = meaning.type if found.get(name, meaning.type) is meaning.type else Type.TEXT
    return dict(sorted(found.items()))


# --------------------------------------------------------------------------------------------------- one by one


def _check_clue_names(spec: EnrichSpec, findings: Findings) -> None:
    known = [str(clue) for clue in Clue]
    for clue in spec.clues:
        if clue not in known:
            findings.error(
                f"nothing identifies a lead by {shorten(clue)}: {did_you_mean(clue, known)}",
                ("enrich", "clues", clue),
                on_key=True,
            )


def _check_attributes(
    spec: EnrichSpec, providers: Mapping[str, Provider], findings: Findings, *, complete: bool
) -> None:
    """Check that somebody gives each attribute, and that those who are named for it do."""
    for attribute in spec.attributes:
        asked = dict(_asked_for(spec, attribute))
        givers = [name for name in asked if name in providers and attribute in providers[name].about.gives]
        if not givers and complete:
            message = f"nobody of {', '.join(asked)} gives {shorten(attribute)}: {_who_gives(attribute)}"
            findings.error(message, ("enrich", "attributes", attribute), on_key=True)
            continue
        for name, place in asked.items():
            if name in providers and name not in givers:
                message = f"{name} does not give {attribute}, but {_listed(providers[name].about.gives)}"
                findings.error(message, place)


def _asked_for(spec: EnrichSpec, attribute: str) -> Iterator[tuple[str, Place]]:
    """Yield who is asked for an attribute, and where that is said."""
    told, place = spec.attributes[attribute], ("enrich", "attributes", attribute)
    asked, inside = (told, place) if isinstance(told, list) else (told.ask, (*place, "ask"))
    yield from ((name, (*inside, index)) for index, name in enumerate(asked))
    if not asked:
        yield from ((name, ("enrich", "ask", index)) for index, name in enumerate(spec.ask))


def _who_gives(attribute: str) -> str:
    """Say which providers give an attribute, or which name may have been meant."""
    givers = [name for name in names() if (about := _about(name)) and attribute in about.gives]
    if givers:
        return f"{_listed(givers)} would"
    return did_you_mean(attribute, VOCABULARY)


def _about(name: str) -> About | None:
    """Return what a provider is; None where a package is missing that it needs."""
    try:
        return offer(name).about
    except LeadlightError:
        return None


def _listed(items: Iterable[str]) -> str:
    """List names, not too many.

    >>> _listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    shown = list(items)
    rest = len(shown) - MAX_NAMED
    return ", ".join(shown[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


# ------------------------------------------------------------------------------------------------------ warnings


def _check_asked(spec: EnrichSpec, providers: Mapping[str, Provider], catalog: Catalog, findings: Findings) -> None:
    """Warn of what can never be asked, and of what sends out who a person is without a word on the lawful basis."""
    asked = {*spec.ask, *(name for attribute in spec.attributes for name, _ in _asked_for(spec, attribute))}
    if not asked:
        findings.warn("nobody is asked: name providers in `ask`", ("enrich",), on_key=True)
    for name in spec.providers:
        if name not in asked:
            findings.warn(f"{name} has settings, but is never asked", ("enrich", "providers", name), on_key=True)
    for name in [name for name in spec.ask if name in providers]:
        _check_needs(spec, providers[name], providers.values(), catalog, findings)
    personal = [name for name in spec.ask if name in providers and _sends_persons(providers[name])]
    if personal and spec.basis is None and spec.basis_from is None:
        message = f"{_listed(personal)} sends out who a person is: say by what right in `basis` or `basis_from`"
        findings.warn(message, ("enrich", "ask"), on_key=True)


def _sends_persons(provider: Provider) -> bool:
    return provider.about.network and provider.about.personal


def _check_needs(
    spec: EnrichSpec, provider: Provider, others: Iterable[Provider], catalog: Catalog, findings: Findings
) -> None:
    """Warn where no attribute and no other provider can give what a provider needs."""
    about = provider.about
    if catalog.hidden & {"attributes", "account_attributes"} or any(not needs for needs in about.needs):
        return
    own = {*catalog.attributes, *catalog.account_attributes, "account"}
    found = {clue for other in others if other.about.name != about.name for clue in other.about.clues}
    clues = find_clues(spec, own, kind=lambda _: "corporate")
    there = {clue for clue in Clue if found & {clue} or own & set(clues.sources([clue]))}
    if not any(needs <= there for needs in about.needs):
        wanted = " or ".join(" and ".join(sorted(needs)) for needs in about.needs)
        message = f"{about.name} needs {wanted}, and nothing in your data is called so: name the attribute in `clues`"
        findings.warn(message, ("enrich", "ask", spec.ask.index(about.name)))


def _check_types(spec: EnrichSpec, given: Mapping[str, Type], catalog: Catalog, findings: Findings) -> None:
    """Warn of answers that will not fit beside the user's own values."""
    for name in spec.attributes:
        path = ("enrich", "attributes", name)
        own, kind = catalog.attributes.get(name), given.get(name)
        if name in catalog.account_attributes:
            findings.warn(f"accounts have {name}: theirs is used, answers are only kept", path, on_key=True)
        elif own is not None and kind is not None and own not in (kind, Type.TEXT):
            message = f"your own {name} is {own}, what is looked up is {kind}: answers that are no {own} are not used"
            findings.warn(message, path, on_key=True)
