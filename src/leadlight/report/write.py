"""Lay the facts out on one self-contained HTML page: no script, no network, prints well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from leadlight.charts.conversion import conversion_by_grade
from leadlight.charts.criteria import criteria_bars
from leadlight.charts.distribution import distribution
from leadlight.charts.grades import grade_bars, grade_matrix
from leadlight.charts.profile import profile_shares
from leadlight.charts.qini import qini_curve
from leadlight.charts.render import to_svg
from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.learn.write import write_whole
from leadlight.report.facts import ReportFacts, as_json, gather
from leadlight.scorecards.sentences import amount, in_points, percent, value, worth
from leadlight.spec.entity import plural
from leadlight.spec.readable import Readable
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace


@dataclass(frozen=True, slots=True, repr=False)
class Report(Readable):
    """A page that was written."""

    path: Path
    facts: ReportFacts = field(repr=False)
    html: str = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return where the page is, and all it shows, as plain JSON values."""
        return {"path": str(self.path), **as_json(self.facts)}

    def __str__(self) -> str:
        return f"report written to {self.path}"

    def _repr_html_(self) -> str:
        return self.html


def write_report(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    path: Path,
    *,
    among: Sequence[int] | None = None,
) -> Report:
    """Gather the facts, of everybody or only of the leads `among`, and write the page, whole or not at all.

    Raises UsageError where the file cannot be written.
    """
    facts = gather(engine, workspace, scorecard, as_of, among=among)
    html = render(facts, scorecard)
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no such folder", fix="Name another file.")
    write_whole(path, html, fix="Name another file.")
    return Report(path, facts, html)


def render(facts: ReportFacts, scorecard: ResolvedScorecard) -> str:
    """Return the page's HTML; every value from data is escaped."""
    charts = {name: Markup(to_svg(spec, name=name)) for name, spec in charts_of(facts, scorecard).items()}
    return _page().render(facts=facts, charts=charts, groups=list(scorecard.spec.groups), measures=_measures(facts))


def _measures(facts: ReportFacts) -> dict[str, list[str]]:
    """Return what is said of the first beside their points: heading → a cell for each row, as far as there is any."""
    said: dict[str, tuple[str, Callable[[float], str]]] = {
        "expected": ("expected", worth), "chance": ("probability", percent), "uplift": ("uplift", in_points),
    }  # fmt: skip
    found = {heading: [getattr(row.ledger, name) for row in facts.ranking.rows] for heading, (name, _) in said.items()}
    return {
        heading: ["" if value is None else said[heading][1](value) for value in values]
        for heading, values in found.items()
        if any(value is not None for value in values)
    }


def charts_of(facts: ReportFacts, scorecard: ResolvedScorecard) -> dict[str, dict[str, Any]]:
    """Return the page's charts as Vega-Lite specs, by name."""
    charts = {"distribution": distribution(facts.bins, entity=facts.entity)} if facts.bins else {}
    grades = scorecard.spec.grades
    if grades is not None:
        charts["grades"] = _grades(facts, {axis: [name for name, _ in levels] for axis, levels in grades.axes.items()})
    if facts.criteria:
        means = sorted(((item.name, item.mean) for item in facts.criteria), key=lambda item: -item[1])
        charts["criteria"] = criteria_bars(means)
    if facts.conversion is not None:
        rows = [(row.name, row.n, row.won, row.low, row.high) for row in facts.conversion.rows]
        charts["conversion"] = conversion_by_grade(rows, facts.conversion.base_rate, won=facts.words.won)
    if facts.campaign is not None and facts.campaign.figures.curve:
        charts["qini"] = qini_curve({facts.title: facts.campaign.figures.curve}, entity=facts.entity)
    if facts.profile is not None and facts.profile.ideal + facts.profile.anti:
        levels = [*facts.profile.ideal, *facts.profile.anti]
        charts["profile"] = profile_shares(
            [(x.text, x.share_won, x.share_all, x.lift.value) for x in levels], won=facts.words.won
        )
    return charts


def _grades(facts: ReportFacts, axes: dict[str, list[str]]) -> dict[str, Any]:
    if len(axes) == 1:
        return grade_bars(facts.ranking.grades, entity=facts.entity)
    (first, rows), (second, columns) = axes.items()
    counts = {(row, column): facts.ranking.grades.get(row + column, 0) for row in rows for column in columns}
    return grade_matrix(counts, axes=(first, second), levels=(rows[::-1], columns[::-1]))


@cache
def _page() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("leadlight.report", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(in_points=in_points, amount=amount, value=value, plural=plural)
    return environment.get_template("report.html.j2")
