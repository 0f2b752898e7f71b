"""`notify:` against the rest of the workspace: that its scorecards, grades, destinations and names exist."""

from __future__ import annotations

from collections.abc import Mapping

from leadlight.errors import did_you_mean, shorten
from leadlight.spec import models
from leadlight.spec.catalog import Catalog
from leadlight.spec.features import TypedFeatures
from leadlight.spec.findings import Findings
from leadlight.spec.marks import Path
from leadlight.spec.notify import NotifySpec, RuleSpec
from leadlight.spec.resolved import ResolvedRule
from leadlight.spec.scopes import account_scope, lead_scope


def resolve_notify(
    notify: NotifySpec | None,
    scorecards: Mapping[str, models.ScorecardSpec],
    catalog: Catalog,
    typed: TypedFeatures,
    findings: Findings,
) -> Mapping[str, ResolvedRule]:
    """Return the rules by name, each with the scorecard it is about and its parsed condition; note all faults."""
    if notify is None:
        return {}
    told = {name for rule in notify.rules.values() for name in rule.tell}
    for name, destination in notify.destinations.items():
        place: Path = ("notify", "destinations", name)
        if name not in told:
            findings.warn(f"no rule tells {name} anything: name it under `tell:` in one", place, on_key=True)
        if destination.in_the_clear:
            findings.warn("what is sent there can be read on the way: use https://", (*place, destination.kind))
    made = {
        name: _rule(name, rule, notify, scorecards, catalog, typed, findings) for name, rule in notify.rules.items()
    }
    return {name: rule for name, rule in made.items() if rule is not None}


def usual(scorecards: Mapping[str, models.ScorecardSpec]) -> str | None:
    """Return the scorecard that is meant where none is named."""
    return "house" if "house" in scorecards else next(iter(scorecards), None)


def _rule(
    name: str,
    rule: RuleSpec,
    notify: NotifySpec,
    scorecards: Mapping[str, models.ScorecardSpec],
    catalog: Catalog,
    typed: TypedFeatures,
    findings: Findings,
) -> ResolvedRule | None:
    place: Path = ("notify", "rules", name)
    for at, destination in enumerate(rule.tell):
        if destination not in notify.destinations:
            known = did_you_mean(destination, notify.destinations)
            findings.error(f"there is no destination {shorten(destination)}: {known}", (*place, "tell", at))
    about = rule.scorecard or usual(scorecards)
    if about is None or about not in scorecards:
        if rule.scorecard is not None:
            known = did_you_mean(rule.scorecard, scorecards)
            findings.error(f"there is no scorecard {shorten(rule.scorecard)}: {known}", (*place, "scorecard"))
        return None
    card = scorecards[about]
    _check_grades(about, card, rule, place, findings)
    if rule.created_within is not None and card.of == "account":
        findings.error("accounts have no creation: leave this out", (*place, "created_within"), on_key=True)
    make_scope = account_scope if card.of == "account" else lead_scope
    scope = make_scope(catalog, typed.features, typed.broken)
    for at, included in enumerate(rule.include):
        findings.name(included, (*place, "include", at), scope, "attribute or feature")
    condition = None if rule.when is None else findings.condition(rule.when, (*place, "when"), scope)
    return ResolvedRule(name, rule, about, condition)


def _check_grades(about: str, card: models.ScorecardSpec, rule: RuleSpec, place: Path, findings: Findings) -> None:
    if card.grades is None:
        findings.error(f"the scorecard {about} has no grades, so none can change", place, on_key=True)
        return
    for key, grades in (("to", rule.to), ("from", rule.from_)):
        for at, grade in enumerate(grades):
            if grade not in card.grades.labels:
                known = did_you_mean(grade, card.grades.labels)
                findings.error(f"the scorecard {about} has no grade {shorten(grade)}: {known}", (*place, key, at))
