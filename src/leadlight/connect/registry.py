"""Which connectors there are: entry points of the group `leadlight.connectors`; a package of anyone's may add some."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, cast

from leadlight.connect.protocol import Connector
from leadlight.errors import MissingExtraError, NotFoundError, did_you_mean
from leadlight.spec.readable import Readable

GROUP = "leadlight.connectors"
NEEDED = ("dlt", "requests", "tenacity", "orjson")


@dataclass(frozen=True, slots=True)
class System:
    """A system that can be connected."""

    name: str
    title: str
    about: str
    """What is read of it and written to it, in a line."""


@dataclass(frozen=True, slots=True, repr=False)
class Systems(Readable):
    """All of them, by name."""

    systems: tuple[System, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the list as plain JSON values."""
        return {"systems": [{"name": one.name, "title": one.title, "about": one.about} for one in self.systems]}

    def __str__(self) -> str:
        width = max((len(one.name) for one in self.systems), default=0)
        return "\n".join(f"{one.name:<{width}}  {one.title}: {one.about}" for one in self.systems)


def names() -> tuple[str, ...]:
    """Return the names of all connectors, in alphabetical order.

    >>> {"hubspot", "tryton"} <= set(names())
    True
    """
    return tuple(sorted(_points()))


def connector(name: str) -> Connector:
    """Return the connector of a name; only its own module is imported.

    Raises NotFoundError where there is none, MissingExtraError where a package is needed for it.
    """
    point = _points().get(name)
    if point is None:
        fix = "`leadlight init --systems` lists them; any SQL database is `sql`, any REST API `rest`."
        raise NotFoundError(f"no connector {name!r}: {did_you_mean(name, names())}", fix=fix)
    try:
        return cast("Connector", point.load())
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("leadlight"):
            raise
        raise MissingExtraError(
            f"the connector {name} needs the package {error.name}", fix="Install it: pip install 'leadlight[connect]'"
        ) from error


def systems() -> Systems:
    """Return what every connector reads and writes; all their modules are imported.

    >>> systems().systems[0].name
    'activecampaign'
    """
    return Systems(tuple(_system(connector(name)) for name in names()))


def need_extra() -> None:
    """Raise MissingExtraError where the packages that speak with other systems are not there."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        raise MissingExtraError(
            f"connections need the package {absent[0]}", fix="Install it: pip install 'leadlight[connect]'"
        )


def _system(one: Connector) -> System:
    from leadlight.spec.models import SourceSpec

    kinds = [str(SourceSpec.model_validate({"connection": "it", **source}).role) for source in one.mapping.values()]
    read = ", ".join(dict.fromkeys(kinds)) or "what leadlight.yaml says"
    tells = "; tells of changes by webhook" if one.about.listens else ""
    writes = "writes scores back" if one.about.writes else "read only"
    return System(one.about.name, one.about.title, f"reads {read}; {writes}{tells}")


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
