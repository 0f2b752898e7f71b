"""Vendors described in YAML: the files that ship with Leadlight, and a user's own, read with all their faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from leadlight.enrich.network import MONTH
from leadlight.enrich.provider import About, Clue, Offer, Settings, Surroundings
from leadlight.enrich.template import clues_in, host_problem, problems, texts_in
from leadlight.enrich.vocabulary import VOCABULARY, Meaning
from leadlight.errors import Fault, MissingExtraError, SpecError, did_you_mean
from leadlight.expr.types import Type
from leadlight.spec.load import Document, load_file
from leadlight.spec.vendor import AttributeSpec, ScaleSpec, VendorSpec

FOLDER = Path(__file__).parent / "vendors"


class VendorSettings(Settings):
    """A vendor has no settings of its own: its file says all."""


@cache
def shipped() -> Mapping[str, Path]:
    """Return the files of the vendors that ship with Leadlight, by name.

    >>> "hunter" in shipped()
    True
    """
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def load_vendor(path: Path, shown: str | None = None) -> VendorSpec:
    """Read a vendor's file; `shown` is what faults call it. Raises SpecError with all faults, each with its line."""
    document = load_file(path, shown or path.name, VendorSpec)
    faults = tuple(_faults(document))
    if faults:
        raise SpecError(faults)
    return document.spec


def vendor_offer(name: str, path: Path, *, shown: str | None = None) -> Offer:
    """Return the provider that a vendor's file describes."""
    spec = load_vendor(path, shown)
    about = about_vendor(name, spec)

    def make(settings: VendorSettings, surroundings: Surroundings) -> Any:
        from leadlight.enrich.providers.http import Vendor

        return Vendor(about, settings, spec, surroundings)

    return Offer(about, VendorSettings, make)


def about_vendor(name: str, spec: VendorSpec) -> About:
    """Say what a vendor is, as its file does."""
    default = About(name, "", (), ())
    return About(
        name=name,
        title=spec.title,
        needs=tuple(frozenset(Clue(clue) for clue in each) for each in spec.needs),
        gives=tuple(spec.attributes),
        clues=frozenset(Clue(clue) for clue in spec.clues),
        personal=spec.personal,
        cost=spec.cost,
        ttl=spec.ttl or MONTH,
        nothing_ttl=spec.nothing_ttl or default.nothing_ttl,
        licence=spec.licence,
        per_second=spec.per_second,
        own=tuple((name, meaning) for name, meaning in _own(spec)),
    )


def attribute_of(told: str | AttributeSpec) -> AttributeSpec:
    """Return where an attribute stands; a text alone is its path."""
    return AttributeSpec(path=told) if isinstance(told, str) else told


def _own(spec: VendorSpec) -> Iterator[tuple[str, Meaning]]:
    for name, told in spec.attributes.items():
        place = attribute_of(told)
        if name not in VOCABULARY and place.type is not None:
            yield name, Meaning(Type(place.type), place.means or name.replace("_", " "), "")


# ---------------------------------------------------------------------------------------------------------- faults


def _faults(document: Document[VendorSpec]) -> Iterator[Fault]:
    """Look for what the model alone cannot see: texts, paths, and names of attributes."""
    spec, fault = document.spec, document.marks.fault
    for text, path in _templates(spec):
        yield from (fault(problem, path) for problem in problems(text))
    for text, path in _secrets(spec):
        yield from (fault(problem, path) for problem in problems(text, variables=True))
        if clues_in(text):
            yield fault("no clue may stand here: what is known of a lead goes into url, query or body", path)
    if problem := host_problem(spec.request.url):
        yield fault(problem, ("request", "url"))
    for text, path in _paths(spec):
        if problem := _path_problem(text):
            yield fault(problem, path)
    for name, told in spec.attributes.items():
        yield from (fault(problem, ("attributes", name)) for problem in _attribute_problems(name, attribute_of(told)))
    asked = clues_in([spec.request.url, spec.request.query, spec.request.body])
    for index, each in enumerate(spec.needs):
        if not any(Clue(clue) in asked for clue in each):
            yield fault("none of these clues stands in the request, so it would ask the same of everybody",
                        ("needs", index))  # fmt: skip


def _templates(spec: VendorSpec) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield spec.request.url, ("request", "url")
    for key, value in spec.request.query.items():
        if isinstance(value, str):
            yield value, ("request", "query", key)
    yield from ((text, ("request", "body")) for text in texts_in(spec.request.body))


def _secrets(spec: VendorSpec) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield from ((text, ("request", "headers", key)) for key, text in spec.request.headers.items())
    if spec.auth is not None:
        yield from ((text, ("auth",)) for text in texts_in(spec.auth.model_dump(exclude_none=True)))


def _paths(spec: VendorSpec) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, told in spec.attributes.items():
        place: tuple[Any, ...] = ("attributes", name) if isinstance(told, str) else ("attributes", name, "path")
        yield attribute_of(told).path, place
    if spec.nothing.when:
        yield spec.nothing.when, ("nothing", "when")
    for index, error in enumerate(spec.errors):
        yield error.when, ("errors", index, "when")
        if error.message:
            yield error.message, ("errors", index, "message")
    if isinstance(spec.confidence, ScaleSpec):
        yield spec.confidence.path, ("confidence", "path")
    if spec.pages:
        yield spec.pages.next, ("pages", "next")
        yield spec.pages.items, ("pages", "items")


def _path_problem(text: str) -> str | None:
    try:
        import jmespath
    except ModuleNotFoundError:
        raise MissingExtraError(
            "vendors described in YAML need the package 'jmespath'",
            fix="Install what they need: pip install 'leadlight[enrich]'",
        ) from None
    try:
        jmespath.compile(text)
    except jmespath.exceptions.JMESPathError as error:
        return f"this is no JMESPath: {str(error).splitlines()[0]}"
    return None


def _attribute_problems(name: str, told: AttributeSpec) -> Iterator[str]:
    if name not in VOCABULARY and told.type is None:
        near = did_you_mean(name, VOCABULARY)
        yield f"{name!r} is none of the attributes of the vocabulary ({near}); give it a `type` to make it your own"
    if name in VOCABULARY and told.type not in (None, VOCABULARY[name].type.value):
        yield f"{name!r} is {VOCABULARY[name].type.value} for everybody; leave `type` out"
    if told.code and name not in ("industry", "industry_code"):
        yield "`code` goes with the attributes industry and industry_code"
