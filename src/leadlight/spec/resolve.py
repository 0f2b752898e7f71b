"""From what was written to what can run: every condition parsed, every name and rule checked, all faults at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from leadlight.errors import Fault, did_you_mean, shorten
from leadlight.expr.parse import Expression
from leadlight.expr.types import Type
from leadlight.spec import models
from leadlight.spec.beside import resolve_beside
from leadlight.spec.catalog import Catalog
from leadlight.spec.criteria import check_scorecard, scorecard_name
from leadlight.spec.deadline import deadline_features, deadline_name
from leadlight.spec.enrich import EnrichSpec
from leadlight.spec.features import TypedFeatures, type_features
from leadlight.spec.findings import Findings, Scope, names_in
from leadlight.spec.linked import check_connections
from leadlight.spec.load import Document, LoadedWorkspace
from leadlight.spec.marks import Path
from leadlight.spec.notices import resolve_notify
from leadlight.spec.resolved import ResolvedFeature, ResolvedOutcome, ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.scopes import LEAD_NAMES, account_scope, attribute_scope, lead_scope, outcome_scope
from leadlight.spec.sources import NO_ACCOUNTS, check_accounts, check_sources, has_accounts


def resolve(
    loaded: LoadedWorkspace, catalog: Catalog, *, lost: frozenset[str] = frozenset()
) -> tuple[ResolvedWorkspace | None, list[Fault]]:
    """Resolve a workspace against what is known about its data; `lost` are features that could not be read.

    Returns the workspace, or None where there are errors, and all faults, warnings among them.
    """
    spec, findings = loaded.workspace.spec, Findings(loaded.workspace.marks)
    check_sources(spec, findings)
    check_accounts(spec, findings)
    due, places = deadline_features(spec, findings)
    typed = type_features({**due, **spec.features}, catalog, findings, known=TypedFeatures({}, lost), places=places)
    exclude = _condition(spec.exclude, ("exclude",), lead_scope(catalog, typed.features, typed.broken), findings)
    unnamed, outcomes = _outcomes(spec, catalog, findings)
    _check_treatments(spec, lead_scope(catalog, typed.features, typed.broken), findings)
    _check_protected(spec.learn.protected, lead_scope(catalog, typed.features, typed.broken), findings)
    beside = resolve_beside(spec.learn.beside, catalog, typed, findings)
    never = _enrich(spec.enrich, catalog, typed, findings)
    cards = {name: document.spec for name, document in loaded.scorecards.items()}
    rules = resolve_notify(spec.notify, cards, catalog, typed, findings)
    check_connections(spec, cards, catalog, typed, findings)
    faults = _sorted(findings.faults)
    scorecards: dict[str, ResolvedScorecard] = {}
    for name, document in loaded.scorecards.items():
        scorecard, more = _scorecard(document, catalog, typed, spec)
        faults += more
        if scorecard is not None:
            scorecards[name] = scorecard
    if any(fault.severity == "error" for fault in faults):
        return None, faults
    win, lose = (None, None) if unnamed is None else (unnamed.win, unnamed.lose)
    workspace = ResolvedWorkspace(
        spec, catalog, typed.features, scorecards, exclude, win, lose, outcomes, unnamed=unnamed, beside=beside,
        never=never, rules=rules,
    )  # fmt: skip
    unused = Findings(loaded.workspace.marks)
    _warn_of_unused(workspace, unused)
    return workspace, faults + unused.faults


def resolve_scorecard(
    document: Document[models.ScorecardSpec], workspace: ResolvedWorkspace
) -> tuple[ResolvedScorecard | None, list[Fault]]:
    """Resolve one scorecard, an edited one say, within a workspace that is sound."""
    typed = TypedFeatures(workspace.features, frozenset())
    return _scorecard(document, workspace.catalog, typed, workspace.spec)


def _scorecard(
    document: Document[models.ScorecardSpec], catalog: Catalog, typed: TypedFeatures, workspace: models.WorkspaceSpec
) -> tuple[ResolvedScorecard | None, list[Fault]]:
    findings = Findings(document.marks)
    typed = type_features(document.spec.features, catalog, findings, known=typed)
    make_scope = account_scope if document.spec.of == "account" else lead_scope
    scope = make_scope(catalog, typed.features, typed.broken)
    if document.spec.of == "account" and not has_accounts(workspace):
        findings.warn(NO_ACCOUNTS, ("of",))
    _check_outcome(document.spec.outcome, workspace, findings)
    scorecard = check_scorecard(scorecard_name(document.file), document.spec, scope, catalog, findings)
    if scorecard is not None:
        own = {name: feature for name, feature in typed.features.items() if name in document.spec.features}
        scorecard = replace(scorecard, features=own)
    return scorecard, _sorted(findings.faults)


def _check_outcome(name: str | None, workspace: models.WorkspaceSpec, findings: Findings) -> None:
    """Check that a scorecard names an outcome there is; warn where it has to name one of several and does not."""
    if name is not None and name not in workspace.outcomes:
        known = did_you_mean(name, workspace.outcomes)
        findings.error(f"there is no outcome {shorten(name)} in leadlight.yaml: {known}", ("outcome",))
    elif name is None and workspace.outcome is None and len(workspace.outcomes) > 1:
        names = ", ".join(workspace.outcomes)
        message = f"it can rank, but not be judged or learned: say which outcome it is about ({names})"
        findings.warn(message, ("groups",), on_key=True)


def _condition(text: str | None, path: Path, scope: Scope, findings: Findings) -> Expression | None:
    return None if text is None else findings.condition(text, path, scope)


def _outcomes(
    spec: models.WorkspaceSpec, catalog: Catalog, findings: Findings
) -> tuple[ResolvedOutcome | None, dict[str, ResolvedOutcome]]:
    """Parse `win` and `lose` of the unnamed outcome and of the named ones."""
    scope = outcome_scope(catalog, spec)

    def parse(outcome: models.OutcomeSpec, path: Path) -> ResolvedOutcome:
        win = _condition(outcome.win, (*path, "win"), scope, findings)
        return ResolvedOutcome(outcome, win, _condition(outcome.lose, (*path, "lose"), scope, findings))

    if catalog.outcome is None and not any(s.outcome or s.outcome_is for s in spec.sources.values()):
        for path in [("outcome",)] * (spec.outcome is not None) + [("outcomes",)] * bool(spec.outcomes):
            findings.warn("no source gives outcomes: name the column with `outcome:` in one", path)
    unnamed = None if spec.outcome is None else parse(spec.outcome, ("outcome",))
    return unnamed, {name: parse(outcome, ("outcomes", name)) for name, outcome in spec.outcomes.items()}


def _check_protected(names: Sequence[str], scope: Scope, findings: Findings) -> None:
    """Refuse a protected name that is none: a slip in it, and the attribute that was meant would be learned from."""
    for place, name in enumerate(names):
        if name not in scope.types and not scope.is_lost(name):
            known = did_you_mean(name, scope.types)
            findings.error(f"there is no attribute {shorten(name)} to protect: {known}", ("learn", "protected", place))


def _check_treatments(spec: models.WorkspaceSpec, scope: Scope, findings: Findings) -> None:
    """Parse who was treated and who was held back, so that faults come at once."""
    places: list[tuple[Path, models.OutcomeSpec | None]] = [(("outcome",), spec.outcome)]
    places += [(("outcomes", name), outcome) for name, outcome in spec.outcomes.items()]
    for path, outcome in places:
        if outcome is not None and outcome.treatment is not None:
            for key in ("treated", "control"):
                _condition(getattr(outcome.treatment, key), (*path, "treatment", key), scope, findings)


def _enrich(enrich: EnrichSpec | None, catalog: Catalog, typed: TypedFeatures, findings: Findings) -> Expression | None:
    """Parse who is never looked up, and look up the attributes that clues and the lawful basis are taken from."""
    if enrich is None:
        return None
    scope = attribute_scope(catalog)
    names = {**scope.types, **{name: kind for name, kind in LEAD_NAMES.items() if kind is Type.TEXT}}
    named = replace(scope, types=names)
    for clue, attribute in enrich.clues.items():
        findings.name(attribute, ("enrich", "clues", clue), named, "attribute")
    if enrich.basis_from is not None:
        findings.name(enrich.basis_from, ("enrich", "basis_from"), named, "attribute")
    return _condition(enrich.never, ("enrich", "never"), lead_scope(catalog, typed.features, typed.broken), findings)


def _sorted(faults: list[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))


# ------------------------------------------------------------------------------------------------- what is not used


def _warn_of_unused(workspace: ResolvedWorkspace, findings: Findings) -> None:
    """Warn of features that nothing uses, where there are scorecards that could, and all they say is known."""
    if not workspace.scorecards or workspace.catalog.hidden:
        return
    used = set(_names_used(workspace))
    for name in workspace.spec.features:
        if name not in used:
            findings.warn(f"no scorecard or condition uses the feature {name}", ("features", name), on_key=True)


def _names_used(workspace: ResolvedWorkspace) -> Iterator[str]:
    for feature in (*workspace.features.values(), *workspace.beside.values()):
        yield from feature_uses(feature)
    yield from _names_beside(workspace.spec)
    for scorecard in workspace.scorecards.values():
        yield from _names_of(scorecard)
    yield from (name for rule in workspace.rules.values() for name in rule.spec.include)
    for condition in (workspace.exclude, workspace.never, *(rule.condition for rule in workspace.rules.values())):
        yield from condition.names if condition is not None else ()


def _names_beside(spec: models.WorkspaceSpec) -> Iterator[str]:
    """Yield the names that the deadline and `allocate:` use."""
    yield from [name] if (name := deadline_name(spec)) is not None else []
    yield from (name for name in spec.allocate.need.values() if isinstance(name, str))
    yield from [spec.allocate.per] if spec.allocate.per is not None else []
    for condition in (spec.allocate.fits, spec.allocate.where):
        yield from names_in(condition) if condition is not None else ()


def feature_uses(feature: ResolvedFeature) -> frozenset[str]:
    """Return the names of attributes and features that a feature is made of."""
    match feature.spec:
        case models.ExprFeature() if feature.expression is not None:
            return feature.expression.names
        case models.UntilFeature(until=used):
            return frozenset({used})
        case models.AfterFeature(after=used, by=by):
            return frozenset({used, by} if by is not None else {used})
        case models.AccountFeature(account=models.LeadSumFeature(sum=used) | models.LeadMaxFeature(max=used)):
            return frozenset({used})
        case _:
            return frozenset()


def _names_of(scorecard: ResolvedScorecard) -> Iterator[str]:
    for feature in scorecard.features.values():
        yield from feature_uses(feature)
    if scorecard.spec.worth is not None:
        yield from (criterion.feature for criterion in scorecard.spec.worth.criteria)
    for gate in scorecard.gates:
        yield from gate.condition.names
    for criterion in scorecard.criteria:
        match criterion.spec:
            case models.WhenCriterion() if criterion.condition is not None:
                yield from criterion.condition.names
            case models.CategoryCriterion() | models.BandCriterion():
                yield criterion.spec.feature
            case models.PairCriterion():
                yield from criterion.spec.features
