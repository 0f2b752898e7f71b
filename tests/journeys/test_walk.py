"""The way every user goes, from check to erase, on three real data sets, by the same code."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import sqlglot

from journeys.journey import Journey, table
from leadlight.errors import NotFoundError
from leadlight.workspace import DIALECTS

pytestmark = pytest.mark.data

EXACT = 1e-9


def parts(journey: Journey, row: dict[str, object]) -> float:
    """Add up base, criteria and caps of a row of an export."""
    return journey.base + sum(value for name, value in row.items() if "__" in name)


def edited(text: str) -> str:
    """Give everybody ten points more."""
    found = re.search(r"^base: (\d+)$", text, re.MULTILINE)
    return text.replace(found[0], f"base: {int(found[1]) + 10}") if found else f"base: 10\n{text}"


def test_check_finds_nothing(journey: Journey) -> None:
    report = journey.workspace.check()
    assert report.warnings == ()
    assert list(report.scorecards) == [journey.route.scorecard]
    assert report.scorecards[journey.route.scorecard] == journey.runs[journey.route.early].version


def test_ingest_rejects_nothing_and_again_changes_nothing(journey: Journey) -> None:
    assert [report.rejected for report in journey.ingests] == [0, 0]
    again = journey.workspace.ingest()
    assert (again.rows, again.changed) == (0, False)
    assert all(source.skipped_files == source.files for source in again.sources)


def test_rows_read_later_change_no_earlier_score(journey: Journey) -> None:
    now = {row["id"]: row["score"] for row in journey.ranking(journey.route.early)}
    assert now.keys() == journey.half.keys()
    assert max(abs(now[one] - score) for one, score in journey.half.items()) < EXACT


def test_score(journey: Journey) -> None:
    for as_of, run in journey.runs.items():
        assert run.scored == sum(run.grades.values()) == len(journey.ranking(as_of))
        assert f"{run.scored:,} {journey.route.entity}s scored as of {as_of:%Y-%m-%d}" in str(run)
    first, second = journey.runs.values()
    assert (first.published, first.silent, second.published, second.silent) == (True, True, False, False)


def test_rank(journey: Journey) -> None:
    ranking = journey.workspace.rank(as_of=journey.route.late, limit=25)
    entity, total = journey.route.entity, ranking.total
    assert str(ranking).startswith(
        f"25 of {total:,} {entity}s by {journey.route.scorecard} as of {journey.route.late:%Y-%m-%d}"
    )
    assert [row.rank for row in ranking.rows] == list(range(1, 26))
    ungated = [row.ledger.score for row in ranking.rows if row.ledger.gate is None]
    assert ungated == sorted(ungated, reverse=True)
    exported = journey.ranking(journey.route.late)[:25]
    assert [row["id"] for row in exported] == [row.ledger.id for row in ranking.rows]
    assert all(row.reasons for row in ranking.rows)


def test_explain_adds_up(journey: Journey) -> None:
    rows = journey.ranking(journey.route.late)
    with journey.workspace.session() as workspace:
        for row in rows[:: len(rows) // 8]:
            ledger = workspace.explain(row["id"], as_of=journey.route.late)
            assert abs(sum(item.points for item in ledger.contributions) - ledger.score) < EXACT
            assert abs(ledger.score - row["score"]) < EXACT
            assert str(ledger).startswith(f"{journey.route.entity} {row['id']}: {ledger.score:.1f} points")


def test_why_adds_up(journey: Journey) -> None:
    early, late = journey.route.early, journey.route.late
    after = {row["id"]: row["score"] for row in journey.ranking(late)}
    both = [one for one in journey.half if one in after]
    with journey.workspace.session() as workspace:
        for one in both[:: len(both) // 4]:
            movement = workspace.why(one, since=early, until=late)
            assert abs(movement.before.score - journey.half[one]) < EXACT
            assert abs(movement.before.score + sum(move.points for move in movement.moves) - after[one]) < EXACT
            assert str(movement).startswith(f"{journey.route.entity} {one}: ")


def test_diff_of_an_edit(journey: Journey, tmp_path: Path) -> None:
    workspace = journey.copy(tmp_path / "copy")
    file = workspace.root / "scorecards" / f"{journey.route.scorecard}.yaml"
    file.write_text(edited(file.read_text()))
    difference = type(workspace)(workspace.root, now=workspace.now).diff(as_of=journey.route.late)
    total = journey.runs[journey.route.late].scored
    assert difference.old == journey.runs[journey.route.late].version
    assert (difference.moved, difference.total) == (total, total)
    assert difference.mean_after - difference.mean_before == pytest.approx(10)
    assert all(moved.items == {"Base": pytest.approx(10)} for moved in difference.most_moved)
    assert f"{total:,} of {total:,} {journey.route.entity}s get another score" in str(difference)
    assert sum(after for _, after in difference.grades.values()) == total


def test_history(journey: Journey) -> None:
    after = {row["id"]: row for row in journey.ranking(journey.route.late)}
    one = next(one for one in journey.half if one in after)
    history = journey.workspace.history(one)
    assert [past.as_of for past in history.scores] == [journey.route.early, journey.route.late]
    assert history.scores[0].score == pytest.approx(journey.half[one], abs=EXACT)
    assert history.scores[1].score == pytest.approx(after[one]["score"], abs=EXACT)
    assert history.scores[1].grade == after[one]["grade"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_parses(journey: Journey, dialect: str) -> None:
    text = journey.workspace.sql(dialect=dialect, as_of=journey.route.late)
    assert len(sqlglot.parse(text, dialect=dialect)) == 1


def test_sql_gives_the_same_scores(journey: Journey) -> None:
    text = journey.workspace.sql(as_of=journey.route.late)
    with duckdb.connect(str(journey.root / "leadlight.duckdb"), read_only=True, config={"threads": 2}) as connection:
        scores = {row["id"]: row["score"] for row in connection.sql(text).to_arrow_table().to_pylist()}
    exported = {row["id"]: row["score"] for row in journey.ranking(journey.route.late)}
    assert scores.keys() == exported.keys()
    assert max(abs(scores[one] - score) for one, score in exported.items()) < EXACT


def test_export_adds_up(journey: Journey) -> None:
    rows = journey.ranking(journey.route.late)
    assert len(rows) == journey.runs[journey.route.late].scored
    assert max(abs(parts(journey, row) - row["score"]) for row in rows) < EXACT
    exported = journey.workspace.export(str(journey.root / "ranking.csv"), as_of=journey.route.late)
    assert (exported.format, exported.rows) == ("csv", len(rows))
    as_csv = table(journey.root / "ranking.csv")
    assert [(row["rank"], row["id"], row["grade"]) for row in as_csv] == [
        (row["rank"], row["id"], row["grade"]) for row in rows
    ]
    assert max(abs(a["score"] - b["score"]) for a, b in zip(as_csv, rows, strict=True)) < EXACT


def test_report(journey: Journey) -> None:
    report = journey.workspace.report(as_of=journey.route.late)
    html = (journey.root / "report.html").read_text()
    seen = re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)
    assert report.path == journey.root / "report.html"
    assert f"{journey.runs[journey.route.late].scored:,}" in seen
    assert re.search(rf"\b{journey.route.entity}s\b", seen)
    assert re.findall(r"\w*\bleads?\b\w*", seen) == []
    assert re.findall(r"Traceback|undefined|\bnan\b|\bNone\b", seen) == []
    assert "<script" not in html
    assert re.findall(r"https?://(?!www\.w3\.org)", html) == []


def test_erase(journey: Journey, tmp_path: Path) -> None:
    workspace = journey.copy(tmp_path / "copy")
    late = journey.route.late
    one, total = journey.ranking(late)[0]["id"], journey.runs[late].scored
    erased = workspace.erase(one)
    assert erased.ids == (one,)
    assert erased.rows["leads"] == erased.rows["ids"] == 1
    with pytest.raises(NotFoundError, match=f"there is no {journey.route.entity} '{one}'"):
        workspace.explain(one, as_of=late)
    assert workspace.rank(as_of=late).total == total - 1


def test_try_nobody_in_particular(journey: Journey) -> None:
    ledger = journey.workspace.try_lead({}, as_of=journey.route.late)
    assert abs(sum(item.points for item in ledger.contributions) - ledger.score) < EXACT
    assert ledger.entity == journey.route.entity
