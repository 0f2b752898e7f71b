"""Features: their types, and an order in which each uses only those before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from leadlight.expr.types import Type
from leadlight.spec import models
from leadlight.spec.bands import describe, key_flaws
from leadlight.spec.catalog import RESERVED, Catalog
from leadlight.spec.findings import Findings, Scope, names_in
from leadlight.spec.marks import Path
from leadlight.spec.resolved import ResolvedFeature
from leadlight.spec.scopes import attribute_scope, event_scope, lead_scope

MAX_NAME = 60
"""How long a name may be that becomes a column: PostgreSQL cuts them off at 63."""
ORDERED = (Type.NUMBER, Type.TIME)
_NOT_EVENTS = ("where", "within", "property", "half_life", "gap")
"""The keys of an event feature that do not name its event."""

AccountPart = models.EventFeature | models.DistinctLeadsFeature | models.LeadSumFeature | models.LeadMaxFeature


@dataclass(frozen=True, slots=True)
class TypedFeatures:
    """The features that are sound, in order of dependence, and the names of those that are not."""

    features: Mapping[str, ResolvedFeature]
    broken: frozenset[str]


NOTHING = TypedFeatures({}, frozenset())


def type_features(
    specs: Mapping[str, models.Feature],
    catalog: Catalog,
    findings: Findings,
    *,
    known: TypedFeatures = NOTHING,
    places: Mapping[str, Path] | None = None,
) -> TypedFeatures:
    """Check and type every feature of a file; faults go to the findings.

    `known` are the features of the workspace, which those of a scorecard may use; the result holds both. `places` says
    where in the file those stand that are not under `features`.
    """
    typing = _Typing(specs, catalog, findings, dict(known.features), set(known.broken), places=places or {})
    typing.look_at_known()
    typing.check_names()
    for name in typing.order():
        if name in specs:
            typing.add(name)
    return TypedFeatures(typing.done, frozenset(typing.broken))


@dataclass(slots=True)
class _Typing:
    specs: Mapping[str, models.Feature]
    catalog: Catalog
    findings: Findings
    done: dict[str, ResolvedFeature] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    over_accounts: set[str] = field(default_factory=set)
    """Features that look at the whole account, themselves or by way of another."""
    places: Mapping[str, Path] = field(default_factory=dict)

    # ----------------------------------------------------------------------------------------------- names, order

    def look_at_known(self) -> None:
        """Note which features of the workspace look at the whole account."""
        for name, feature in self.done.items():
            uses = feature.expression.names if feature.expression is not None else frozenset()
            if isinstance(feature.spec, models.AccountFeature) or uses & self.over_accounts:
                self.over_accounts.add(name)

    def check_names(self) -> None:
        for name, spec in self.specs.items():
            message = self._name_fault(name, spec)
            if message is not None:
                self.findings.error(message, self._place(name), on_key=True)

    def _place(self, name: str) -> Path:
        return self.places.get(name, ("features", name))

    def _name_fault(self, name: str, spec: models.Feature) -> str | None:
        if name != name.lower():
            return f"names of features are in lower case: write {name.lower()!r}"
        if name in RESERVED:
            return f"{name!r} has a meaning of its own: choose another name"
        if name in self.done or name in self.broken:
            return f"the workspace has a feature {name!r} already: use that, or choose another name"
        if len(name) > MAX_NAME:
            return f"a feature's name has at most {MAX_NAME} characters; this one has {len(name)}"
        is_attribute = name in self.catalog.attributes or name in self.catalog.account_attributes
        if is_attribute and not (isinstance(spec, models.AttributeFeature) and spec.attribute == name):
            return f"{name!r} is the name of an attribute already: choose another for this feature"
        return None

    def order(self) -> Iterator[str]:
        """Yield the features, each behind those it uses; cycles are noted and left out."""
        uses = {name: self._uses(name) for name in self.specs}
        while True:
            try:
                yield from TopologicalSorter(uses).static_order()
            except CycleError as error:
                cycle: list[str] = error.args[1][::-1]
                self._note_cycle(cycle[:-1])
                uses = {name: used - set(cycle) for name, used in uses.items() if name not in cycle}
            else:
                return

    def _uses(self, name: str) -> set[str]:
        match self.specs[name]:
            case models.ExprFeature(expr=text):
                return set(names_in(text) & (self.specs.keys() | self.done.keys()))
            case models.AccountFeature(account=models.LeadSumFeature(sum=used) | models.LeadMaxFeature(max=used)):
                return {used} & (self.specs.keys() | self.done.keys())
            case models.UntilFeature(until=used):
                return {used} & (self.specs.keys() | self.done.keys())
            case models.AfterFeature(after=used, by=by):
                return {name for name in (used, by) if name} & (self.specs.keys() | self.done.keys())
            case _:
                return set()

    def _note_cycle(self, names: list[str]) -> None:
        first = min(range(len(names)), key=lambda index: list(self.specs).index(names[index]))
        ring = names[first:] + names[:first]
        chain = " → ".join([*ring, ring[0]])
        self.findings.error(f"features use each other in a circle: {chain}", ("features", ring[0]), on_key=True)
        self.broken.update(names)

    # ------------------------------------------------------------------------------------------------------ types

    def add(self, name: str) -> None:
        """Type one feature, all that it uses being typed."""
        spec = self.specs[name]
        if self._uses(name) & self.over_accounts or isinstance(spec, models.AccountFeature):
            self.over_accounts.add(name)
        resolved = self._resolve(name, spec, self._place(name))
        if resolved is None:
            self.broken.add(name)
        else:
            self.done[name] = resolved

    def _resolve(self, name: str, spec: models.Feature, path: Path) -> ResolvedFeature | None:
        match spec:
            case models.AttributeFeature():
                scope = attribute_scope(self.catalog)
                kind = self.findings.name(spec.attribute, (*path, "attribute"), scope, "attribute")
                return None if kind is None else ResolvedFeature(name, spec, kind)
            case models.ExprFeature():
                return self._expression(name, spec, (*path, "expr"))
            case models.AgeFeature():
                return ResolvedFeature(name, spec, Type.NUMBER) if self._is_time(spec.age, (*path, "age")) else None
            case models.UntilFeature():
                at, what = (path, "a deadline") if name in self.places else ((*path, "until"), "until")
                return ResolvedFeature(name, spec, Type.NUMBER) if self._is_moment(spec.until, at, what) else None
            case models.AfterFeature():
                return self._after(name, spec, path)
            case models.AccountFeature():
                return self._of_events(name, spec, spec.account, (*path, "account"))
            case _:
                return self._of_events(name, spec, spec, path)

    def _expression(self, name: str, spec: models.ExprFeature, path: Path) -> ResolvedFeature | None:
        scope = lead_scope(self.catalog, self.done, frozenset(self.broken))
        expression = self.findings.expression(spec.expr, path, scope)
        if expression is None:
            return None
        if expression.type is None:
            self.findings.error("this is always missing", path)
            return None
        return ResolvedFeature(name, spec, expression.type, expression)

    def _is_time(self, name: str, path: Path) -> bool:
        if name == "created_at":
            return True
        kind = self.findings.name(name, path, attribute_scope(self.catalog), "attribute")
        if kind not in (Type.TIME, None):
            self.findings.error(f"age needs a time, such as created_at; {name} is {describe(kind)}", path)
        return kind is Type.TIME

    def _is_moment(self, name: str, path: Path, what: str) -> bool:
        """Say whether a name is a time that every lead may have: an attribute, a feature, or `created_at`."""
        if name == "created_at":
            return True
        kind = self.findings.name(name, path, self._of_each_lead(), "attribute or feature")
        if kind not in (Type.TIME, None):
            self.findings.error(f"{what} needs a time, such as created_at; {name} is {describe(kind)}", path)
        return kind is Type.TIME

    def _after(self, name: str, spec: models.AfterFeature, path: Path) -> ResolvedFeature | None:
        sound = self._is_moment(spec.after, (*path, "after"), "after")
        if spec.by is None or not isinstance(spec.plus, dict):
            return ResolvedFeature(name, spec, Type.TIME) if sound else None
        kind = self.findings.name(spec.by, (*path, "by"), self._of_each_lead(), "attribute or feature")
        if kind is None:
            return None
        if kind is Type.TIME:
            self.findings.error(f"{spec.by} is a time: name an attribute with few values", (*path, "by"))
            return None
        flaws = [flaw for key in spec.plus for flaw in key_flaws(key, (*path, "plus", key), spec.by, kind)]
        for flaw in flaws:
            self.findings.error(flaw.message, flaw.path, on_key=True)
        sound = sound and not flaws
        return ResolvedFeature(name, spec, Type.TIME) if sound else None

    def _of_events(self, name: str, spec: models.Feature, part: AccountPart, path: Path) -> ResolvedFeature | None:
        if isinstance(part, models.LeadSumFeature | models.LeadMaxFeature):
            kind = self._of_leads(part, path)
            return None if kind is None else ResolvedFeature(name, spec, kind)
        before = len(self.findings.faults)
        key = next(key for key in type(part).model_fields if key not in _NOT_EVENTS)
        self.findings.event(getattr(part, key), (*path, key), self.catalog.events)
        scope = event_scope(self.catalog)
        where = None if part.where is None else self.findings.condition(part.where, (*path, "where"), scope)
        kind = self._property_type(part, path)
        sound = all(fault.severity == "warning" for fault in self.findings.faults[before:])
        return ResolvedFeature(name, spec, kind, where=where) if sound and kind is not None else None

    def _property_type(self, part: AccountPart, path: Path) -> Type | None:
        """Return the type of what is made of the events, having looked at the property it is made of."""
        named = getattr(part, "property", None)
        if named is None:
            return Type.NUMBER
        path = (*path, "property")
        kind = self.findings.name(named, path, event_scope(self.catalog), "property")
        if kind is None or isinstance(part, models.DistinctFeature):
            return kind and Type.NUMBER
        if isinstance(part, models.MinFeature | models.MaxFeature):
            return self._held(kind, ORDERED, f"min and max need a number or a time; {named}", path)
        return self._held(kind, (Type.NUMBER,), f"must be a number to add it up; {named}", path)

    def _of_leads(self, part: models.LeadSumFeature | models.LeadMaxFeature, path: Path) -> Type | None:
        key, named = ("sum", part.sum) if isinstance(part, models.LeadSumFeature) else ("max", part.max)
        path = (*path, key)
        kind = self.findings.name(named, path, self._of_each_lead(), "attribute or feature")
        if kind is None:
            return None
        if named in self.over_accounts:
            self.findings.error(f"{named} is itself over the account: name what each lead has of its own", path)
            return None
        if key == "max":
            return self._held(kind, ORDERED, f"max needs a number or a time; {named}", path)
        return self._held(kind, (Type.NUMBER,), f"sum needs a number; {named}", path)

    def _of_each_lead(self) -> Scope:
        attributes = attribute_scope(self.catalog)
        types = {**attributes.types, **{name: feature.type for name, feature in self.done.items()}}
        return Scope(types, attributes.twice - frozenset(self.done), frozenset(self.broken), attributes.open)

    def _held(self, kind: Type, allowed: tuple[Type, ...], message: str, path: Path) -> Type | None:
        if kind in allowed:
            return kind
        self.findings.error(f"{message} is {describe(kind)}", path)
        return None
