"""Which providers there are, and one made for each that `enrich:` in leadlight.yaml names.

Providers are found by the entry points of the group `leadlight.providers`; a package of anyone's may add some. Vendors
described in YAML come after them: those that ship with Leadlight by their name, the user's own by `http: FILE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from leadlight.enrich.provider import About, Offer, Provider, Settings, Surroundings
from leadlight.enrich.sound import Sound
from leadlight.errors import Fault, LeadlightError, MissingExtraError, NotFoundError, SpecError, did_you_mean
from leadlight.spec.enrich import EnrichSpec, ProviderSpec
from leadlight.spec.load import WORKSPACE_FILE
from leadlight.spec.marks import Marks
from leadlight.spec.validation import validate
from leadlight.spec.yaml import Parsed

GROUP = "leadlight.providers"
COMMON = ("http", "cost", "ttl", "per_second", "since")
"""Settings that every provider has; the rest are its own."""


@dataclass(frozen=True, slots=True)
class Made:
    """The providers that a workspace names, ready to be asked, by name in the order of `ask`; and what is wrong."""

    providers: Mapping[str, Provider] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def names() -> tuple[str, ...]:
    """Return the names of all providers that `ask` may hold without more being said, in alphabetical order.

    >>> {"email", "gleif", "hunter"} <= set(names())
    True
    """
    from leadlight.enrich.vendor import shipped

    return tuple(sorted({*_points(), *shipped()}))


def offer(name: str) -> Offer:
    """Return what a provider is and how it is made; only its own module is imported.

    Raises NotFoundError where there is none of that name, MissingExtraError where a package is needed for it.

    >>> offer("rdap").about.title
    'Domain registration (RDAP)'
    """
    from leadlight.enrich.vendor import shipped, vendor_offer

    if (point := _points().get(name)) is not None:
        return _load(point)
    if name in shipped():
        return vendor_offer(name, shipped()[name])
    raise NotFoundError(f"no provider {name!r}: {did_you_mean(name, names())}")


def abouts() -> tuple[About, ...]:
    """Return what every provider is, by its name in alphabetical order; all their modules are imported."""
    return tuple(offer(name).about for name in names())


def make_providers(
    spec: EnrichSpec, surroundings: Surroundings, *, marks: Marks | None = None, only: tuple[str, ...] = ()
) -> Made:
    """Make every provider that `enrich:` names, or those of `only`, noting all that is wrong.

    `marks` says where the values of leadlight.yaml stand. Without `surroundings.environ` keys need not be set: nobody
    is asked then.
    """
    marks = marks or Marks(WORKSPACE_FILE)
    surroundings = replace(surroundings, contact=spec.network.contact)
    made: dict[str, Provider] = {}
    faults: list[Fault] = []
    for name in only or _named(spec):
        try:
            made[name] = _make(name, spec, surroundings, marks)
        except _Wrong as wrong:
            faults += wrong.faults
    return Made(made, tuple(faults))


def open_providers(
    spec: EnrichSpec, surroundings: Surroundings, *, marks: Marks | None = None, only: tuple[str, ...] = ()
) -> Mapping[str, Provider]:
    """Make every provider that `enrich:` names, or those of `only`; raises SpecError with all that is wrong."""
    made = make_providers(spec, surroundings, marks=marks, only=only)
    if made.faults:
        raise SpecError(made.faults)
    return made.providers


class _Wrong(Exception):
    def __init__(self, *faults: Fault) -> None:
        super().__init__()
        self.faults = faults


def _named(spec: EnrichSpec) -> tuple[str, ...]:
    """Return the providers that are to be asked, in order; settings alone ask nobody, but are looked at."""
    return tuple(name for name, _ in _places(spec))


def _places(spec: EnrichSpec) -> Iterator[tuple[str, tuple[Any, ...]]]:
    seen: set[str] = set()
    for name, path in _all_places(spec):
        if name not in seen:
            seen.add(name)
            yield name, path


def _all_places(spec: EnrichSpec) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield from ((name, ("enrich", "ask", index)) for index, name in enumerate(spec.ask))
    for attribute, told in spec.attributes.items():
        place = ("enrich", "attributes", attribute)
        asked, inside = (told, place) if isinstance(told, list) else (told.ask, (*place, "ask"))
        yield from ((name, (*inside, index)) for index, name in enumerate(asked))
    yield from ((name, ("enrich", "providers", name)) for name in spec.providers)


def _make(name: str, spec: EnrichSpec, surroundings: Surroundings, marks: Marks) -> Provider:
    told = spec.providers.get(name, ProviderSpec())
    path = ("enrich", "providers", name) if name in spec.providers else dict(_places(spec)).get(name, ("enrich",))
    try:
        offered = _offer(name, told, surroundings)
        settings = _settings(name, offered.settings, told, marks)
        provider = offered.make(settings, surroundings)
    except SpecError as error:
        raise _Wrong(*error.faults) from None
    except NotFoundError as error:
        raise _Wrong(marks.fault(error.message, path, mark=marks.key(path))) from None
    except LeadlightError as error:
        message = f"{error.message}. {error.fix}" if error.fix else error.message
        raise _Wrong(marks.fault(message, path, mark=marks.key(path))) from None
    return Sound(provider, _as_told(provider.about, name, told), _secrets(settings, surroundings))


def _offer(name: str, told: ProviderSpec, surroundings: Surroundings) -> Offer:
    from leadlight.enrich.vendor import shipped, vendor_offer

    if told.http is None:
        return offer(name)
    if (point := _points().get(name)) is not None:
        raise NotFoundError(f"{point.name!r} is a provider already: give the one in {told.http} another name")
    if told.http in shipped():
        return vendor_offer(name, shipped()[told.http])
    path = surroundings.path(told.http)
    if not path.is_file():
        raise NotFoundError(f"no file {told.http}, and no vendor of that name: {did_you_mean(told.http, shipped())}")
    return vendor_offer(name, path, shown=told.http)


def _settings(name: str, model: type[Settings], told: ProviderSpec, marks: Marks) -> Settings:
    """Read the settings of a provider's own; raises SpecError with each fault at its place."""
    own = {key: value for key, value in (told.__pydantic_extra__ or {}).items() if key not in COMMON}
    inside = marks.root
    for part in ("enrich", "providers", name):
        inside = inside.children.get(part) if inside else None
    settings, faults = validate(model, Parsed(own, Marks(marks.file, inside)))
    if settings is None:
        where = f"enrich.providers.{name}"
        raise SpecError([replace(fault, path=f"{where}.{fault.path}" if fault.path else where) for fault in faults])
    return settings


def _secrets(settings: Settings, surroundings: Surroundings) -> tuple[str, ...]:
    """Return what in the settings is nobody's business: what variables stand for, and what is called a key."""
    found: set[str] = set()
    for name, text in settings.model_dump().items():
        if isinstance(text, str) and ("${" in text or name in ("key", "token", "password")):
            found.add(surroundings.expand(text))
    return tuple(sorted((text for text in found if len(text) > 3), key=len, reverse=True))


def _as_told(about: About, name: str, told: ProviderSpec) -> About:
    """Let what leadlight.yaml says of cost, age and pace stand in the place of what the provider says."""
    cost = about.cost if told.cost is None else told.cost
    ttl = about.ttl if told.ttl is None else told.ttl
    per_second = about.per_second if told.per_second is None else told.per_second
    return replace(about, name=name, cost=cost, ttl=ttl, per_second=per_second)


@cache
def _points() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(point: EntryPoint) -> Offer:
    try:
        offered = point.load()
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the provider {point.name!r} needs the package {error.name!r}",
            fix="Install what it needs: pip install 'leadlight[enrich]'",
        ) from None
    except (ImportError, AttributeError) as error:
        raise NotFoundError(f"the provider {point.name!r} ({point.value}) cannot be loaded: {error}") from None
    if not isinstance(offered, Offer):
        raise NotFoundError(f"the provider {point.name!r} ({point.value}) is no leadlight.enrich.provider.Offer")
    return offered
