"""What runs: the author's specs with every condition parsed, typed and put in order of dependence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from leadlight.expr.parse import Expression
from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.models import Criterion, Feature, GateSpec, ScorecardSpec, WorkspaceSpec


@dataclass(frozen=True, slots=True)
class ResolvedFeature:
    """A feature with its type; `expression` is that of an expr feature, `where` that of an event feature."""

    name: str
    spec: Feature
    type: Type
    expression: Expression | None = None
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class ResolvedCriterion:
    """A criterion with its key (unique in the scorecard, fit for a column's name) and its parsed `when` or `where`."""

    key: str
    group: str
    spec: Criterion
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class ResolvedGate:
    """A gate with its parsed condition."""

    spec: GateSpec
    condition: Expression


@dataclass(frozen=True, slots=True)
class ResolvedScorecard:
    """A scorecard ready to be compiled; `version` is the hash of its content."""

    name: str
    spec: ScorecardSpec
    version: str
    criteria: tuple[ResolvedCriterion, ...]
    gates: tuple[ResolvedGate, ...] = ()
    features: Mapping[str, ResolvedFeature] = field(default_factory=dict)
    """The scorecard's own features, in an order in which each uses only those before it, or the workspace's."""


@dataclass(frozen=True, slots=True)
class ResolvedWorkspace:
    """A workspace ready to run: features come in an order in which each uses only those before it."""

    spec: WorkspaceSpec
    catalog: Catalog
    features: Mapping[str, ResolvedFeature]
    scorecards: Mapping[str, ResolvedScorecard]
    exclude: Expression | None = None
    win: Expression | None = None
    lose: Expression | None = None

    def with_features(self, features: Mapping[str, ResolvedFeature]) -> ResolvedWorkspace:
        """Return the workspace with more features, those of a scorecard say."""
        return replace(self, features={**self.features, **features}) if features else self
