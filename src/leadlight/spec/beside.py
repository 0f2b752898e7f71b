"""Numbers that people rank by today (`learn: beside`), to stand beside scorecards wherever these are judged."""

from __future__ import annotations

from leadlight.expr.types import Type
from leadlight.spec import models
from leadlight.spec.catalog import Catalog
from leadlight.spec.features import TypedFeatures, type_features
from leadlight.spec.findings import Findings
from leadlight.spec.resolved import ResolvedFeature

ORDERED = (Type.NUMBER, Type.BOOL)


def resolve_beside(
    beside: dict[str, str], catalog: Catalog, typed: TypedFeatures, findings: Findings
) -> dict[str, ResolvedFeature]:
    """Parse and type each number, by its label; one that is no number (nor true or false) is a fault."""
    names = {f"beside_number_{place}": label for place, label in enumerate(beside, start=1)}
    specs: dict[str, models.Feature] = {name: models.ExprFeature(expr=beside[label]) for name, label in names.items()}
    places = {name: ("learn", "beside", label) for name, label in names.items()}
    found = type_features(specs, catalog, findings, known=typed, places=places).features
    resolved = {label: found[name] for name, label in names.items() if name in found}
    for label, feature in resolved.items():
        if feature.type not in ORDERED:
            findings.error(
                f"{label} ranks by a number, the higher the sooner; {beside[label]} is {feature.type}: make one of it, "
                f"as in \"case when {beside[label]} = '…' then 2 else 1 end\"",
                ("learn", "beside", label),
            )
    return resolved
