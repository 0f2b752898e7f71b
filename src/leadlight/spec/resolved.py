"""What runs: the author's specs with every condition parsed, typed and put in order of dependence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from leadlight.errors import NotFoundError, did_you_mean
from leadlight.expr.parse import Expression
from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.models import Criterion, Feature, GateSpec, OutcomeSpec, ScorecardSpec, WorkspaceSpec
from leadlight.spec.notify import RuleSpec


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
class ResolvedOutcome:
    """One of several outcomes, with its parsed conditions."""

    spec: OutcomeSpec
    win: Expression | None
    lose: Expression | None = None


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """Which changes of grade of a scorecard are told, with its parsed condition."""

    name: str
    spec: RuleSpec
    scorecard: str
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class ResolvedWorkspace:
    """A workspace ready to run: features come in an order in which each uses only those before it.

    `win`, `lose` and `spec.outcome` are those of the unnamed outcome; `toward` makes them those of a named one.
    """

    spec: WorkspaceSpec
    catalog: Catalog
    features: Mapping[str, ResolvedFeature]
    scorecards: Mapping[str, ResolvedScorecard]
    exclude: Expression | None = None
    win: Expression | None = None
    lose: Expression | None = None
    outcomes: Mapping[str, ResolvedOutcome] = field(default_factory=dict)
    """The named outcomes."""
    outcome_name: str | None = None
    """Which of them `win` and `lose` are; None for the unnamed one."""
    unnamed: ResolvedOutcome | None = None
    """The unnamed outcome, where there is one."""
    beside: Mapping[str, ResolvedFeature] = field(default_factory=dict)
    """Label → a number that people rank by today."""
    never: Expression | None = None
    """Who is never looked up (`enrich: never`)."""
    rules: Mapping[str, ResolvedRule] = field(default_factory=dict)
    """Who hears of which changes of grade (`notify:`)."""

    def with_features(self, features: Mapping[str, ResolvedFeature]) -> ResolvedWorkspace:
        """Return the workspace with more features, those of a scorecard say."""
        return replace(self, features={**self.features, **features}) if features else self

    def meant(self, outcome: str | None) -> str | None:
        """Return the outcome a name stands for: where none is named, the unnamed one, or the only one there is."""
        if outcome is None and self.unnamed is None and len(self.outcomes) == 1:
            return next(iter(self.outcomes))
        return outcome

    def toward(self, outcome: str | None) -> ResolvedWorkspace:
        """Return the workspace as one outcome sees it: `win`, `lose` and `spec.outcome` are those of that outcome.

        None is the unnamed outcome, or the only one there is. Raises NotFoundError for a name that is none, and for
        None where one of several has to be named.
        """
        name = self.meant(outcome)
        if name is None and self.unnamed is None and self.outcomes:
            raise NotFoundError(
                f"the workspace has several outcomes ({', '.join(self.outcomes)}), and none is named",
                fix="Say which a scorecard is about in its file (outcome: NAME), or name one with --outcome.",
            )
        if name is not None and name not in self.outcomes:
            fix = "" if self.outcomes else "Name outcomes in leadlight.yaml: outcomes: {NAME: {win: …}}."
            raise NotFoundError(f"there is no outcome {name!r}: {did_you_mean(name, self.outcomes)}", fix=fix)
        found = self.unnamed if name is None else self.outcomes[name]
        if found is None or name == self.outcome_name:
            return self
        spec = self.spec.model_copy(update={"outcome": found.spec})
        return replace(self, spec=spec, win=found.win, lose=found.lose, outcome_name=name)
