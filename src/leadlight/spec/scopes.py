"""Which names may be used where."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadlight.expr.types import Type
from leadlight.spec import models
from leadlight.spec.catalog import Catalog
from leadlight.spec.findings import Scope
from leadlight.spec.resolved import ResolvedFeature

LEAD_NAMES = {"created_at": Type.TIME, "account": Type.TEXT, "id": Type.TEXT, "as_of": Type.TIME}
"""What every lead has."""
ACCOUNT_NAMES = {"account": Type.TEXT, "leads": Type.NUMBER}
"""What every account has; `leads` is the number of its leads."""


def attribute_scope(catalog: Catalog) -> Scope:
    """Return the attributes of leads and of their accounts."""
    both = frozenset(catalog.attributes) & frozenset(catalog.account_attributes)
    return Scope({**catalog.account_attributes, **catalog.attributes}, both, open=_is_open(catalog))


def lead_scope(catalog: Catalog, features: Mapping[str, ResolvedFeature], broken: frozenset[str]) -> Scope:
    """Return what a condition about a lead may use: attributes, features, and what every lead has."""
    attributes = attribute_scope(catalog)
    outcome = {"outcome": catalog.outcome[1]} if catalog.outcome else {}
    types = {**attributes.types, **LEAD_NAMES, **outcome, **{name: feature.type for name, feature in features.items()}}
    is_open = attributes.open or "outcome" in catalog.hidden
    return Scope(types, attributes.twice - frozenset(features), broken, open=is_open)


def _is_open(catalog: Catalog) -> bool:
    return bool(catalog.hidden & {"attributes", "account_attributes"})


def account_scope(catalog: Catalog, features: Mapping[str, ResolvedFeature], broken: frozenset[str]) -> Scope:
    """Return what a condition about an account may use: its attributes, and features over its events and leads."""
    whole = {name: feature.type for name, feature in features.items() if is_of_account(feature.spec)}
    types = {**catalog.account_attributes, **ACCOUNT_NAMES, **whole}
    return Scope(types, broken=broken, open="account_attributes" in catalog.hidden)


def is_of_account(spec: models.Feature) -> bool:
    """Say whether a feature has a meaning for an account."""
    of_leads = (
        models.AttributeFeature, models.ExprFeature, models.AgeFeature, models.UntilFeature, models.AfterFeature,
    )  # fmt: skip
    return not isinstance(spec, of_leads)


def event_scope(catalog: Catalog) -> Scope:
    """Return what `where` may use: the properties of events."""
    return Scope(catalog.properties, open="properties" in catalog.hidden)


def outcome_scope(catalog: Catalog, spec: models.WorkspaceSpec) -> Scope:
    """Return what `win` and `lose` may use: the outcome as `outcome` and as any source calls it, and `value`."""
    own, kind = catalog.outcome or (None, Type.TEXT)
    names = [_snake(source.outcome) for source in spec.sources.values() if source.outcome]
    names += [own] if own else []
    types = {**dict.fromkeys(names, kind), "outcome": kind, "value": Type.NUMBER}
    return Scope(types, open="outcome" in catalog.hidden)


def _snake(header: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")
