"""A workspace's own words: on every surface instead of leads, wins, worth and calls; keys of JSON stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from tests.learn.company import make_company

from leadlight.cli import render, render_insight, render_learn
from leadlight.learn.line import Wish
from leadlight.learn.run import LearnRun
from leadlight.workspace import Workspace

SPEC_WORDS = "called: exploited, worth: impact, "
OURS = re.compile(r"\b(leads?|won|wins?|deals?|worth|buyers?|call(ed|s)?)\b", re.IGNORECASE)
ALLOWED = re.compile(r"lead_quality|Lead quality")
"""What the data call their columns."""


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, LearnRun]:
    """The test company's files, where leads are vulnerabilities and the won are exploited."""
    made = make_company(tmp_path_factory.mktemp("scanner"), leads=900)
    path = made.root / "leadlight.yaml"
    text = path.read_text(encoding="utf-8").replace("outcome: {", "outcome: {" + SPEC_WORDS)
    text = text.replace("stage = 'won'", "stage = 'hit'").replace("  leads: {", "  findings: {")
    path.write_text(f"entity: vulnerability\naction: patched\n{text}", encoding="utf-8")
    deals = (made.root / "deals.csv").read_text(encoding="utf-8")
    (made.root / "deals.csv").write_text(deals.replace("won", "hit"), encoding="utf-8")
    (made.root / "leadlight.duckdb").unlink()
    workspace = Workspace(made.root, now=made.now)
    workspace.ingest()
    run = workspace.learn(force=True)
    assert isinstance(run, LearnRun)
    workspace.score()
    return workspace, run


def first(workspace: Workspace) -> str:
    return workspace.rank("learned", limit=1).rows[0].ledger.id


def drawn(found: object) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(found)
    return captured.get()


REPORTS: dict[str, Callable[[Workspace], list[object]]] = {
    "evaluate": lambda w: [w.evaluate("house"), drawn(render_learn.evaluation(w.evaluate("learned")))],
    "threshold": lambda w: [
        found
        for wish in (Wish(per_day=0.2), Wish(cost=5, gain=100), Wish(cost=1e9, gain=1), Wish(precision=0.4))
        for found in (w.threshold(wish, "house"), drawn(render_learn.line(w.threshold(wish, "house"))))
    ],
    "backtest": lambda w: [
        found := w.backtest("house", top=20, since="2026-02-01"),
        drawn(render_learn.replay(found)),
    ],
    "watch": lambda w: [w.watch("learned", since="2026-01-01"), drawn(render_learn.watched(w.watch("learned")))],
    "profile": lambda w: [w.profile("house"), drawn(render_insight.profile(w.profile("house")))],
    "similar": lambda w: [
        w.similar(first(w), "house"),
        drawn(render_insight.similar(w.similar(first(w), "house"))),
    ],
    "next": lambda w: [w.next(first(w), "house"), drawn(render_insight.next_step(w.next(first(w), "house")))],
    "adjust": lambda w: [w.adjust("house"), drawn(render_learn.adjusted(w.adjust("house")))],
    "explain": lambda w: [drawn(render.ledger(w.explain(first(w), "learned")))],
    "rank": lambda w: [w.rank("learned"), drawn(render.ranking(w.rank("learned")))],
    "diff": lambda w: [w.diff("house"), drawn(render.difference(w.diff("house")))],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REPORTS)
def test_no_surface_speaks_of_sales(scanner: tuple[Workspace, LearnRun], name: str) -> None:
    text = "\n".join(map(str, REPORTS[name](scanner[0])))
    found = OURS.findall(ALLOWED.sub("", text))
    assert not found, [line for line in text.splitlines() if OURS.search(ALLOWED.sub("", line))]


def test_learn_does_not_either(scanner: tuple[Workspace, LearnRun]) -> None:
    text = ALLOWED.sub("", f"{scanner[1].learned}\n{drawn(render_learn.learned(scanner[1]))}")
    assert not [line for line in text.splitlines() if OURS.search(line) and "leadlight " not in line]


def test_the_words_are_said(scanner: tuple[Workspace, LearnRun]) -> None:
    workspace, run = scanner
    wins = run.learned.counts.wins
    assert f"{wins:,} of them exploited within the horizon" in str(run.learned)
    assert "exploited, none of them learned from" in str(run.learned.verdict)
    assert re.search(r"\d patched, .* exploited \(\d+% of all\), .* of those patched, impact \d", str(
        workspace.threshold(Wish(per_day=0.2), "house")))  # fmt: skip
    assert "The exploited are more often" in str(workspace.profile("house"))
    assert run.as_dict()["verdict"]["wins"] == run.learned.verdict.wins


def test_the_report_speaks_them(scanner: tuple[Workspace, LearnRun], tmp_path: Path) -> None:
    html = scanner[0].report(tmp_path / "report.html", "learned").html
    text = re.sub(r"<(style|svg)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    assert not OURS.findall(ALLOWED.sub("", text)), OURS.findall(ALLOWED.sub("", text))
    for words in ("exploited by", "of later exploited stood in the top tenth", "of them exploited; judged by"):
        assert words in text
