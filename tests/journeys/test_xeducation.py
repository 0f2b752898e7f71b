"""An academy's applicants: one file without dates, the outcome in a column of it, "Select" for no answer."""

from __future__ import annotations

import re

import pytest

from journeys.journey import DATA, Journey, Row, auc, moment, read_rows

pytestmark = pytest.mark.data


def rows() -> list[Row]:
    """The raw file, the oldest lead number first."""
    return sorted(read_rows(DATA / "xeducation_leads" / "Leads.csv.gz"), key=lambda row: int(row["Lead Number"]))


def test_everything_in_the_file_is_read(xeducation: Journey) -> None:
    raw = rows()
    older = sum(int(row["Lead Number"]) < 615_000 for row in raw)
    first, second = (report.sources[0] for report in xeducation.ingests)
    assert (first.new, second.new, second.changed, second.unchanged) == (older, 9_240 - older, 0, older)
    assert (first.outcomes, second.outcomes) == ((older, 0, 0), (9_240 - older, 0, older))
    chosen = sum(row["Specialization"] not in ("", "Select") for row in raw)
    won = sum(row["Converted"] == "1" for row in raw)
    assert won == 3_561
    with xeducation.workspace.store() as engine:
        assert engine.rows("SELECT count(*) FROM leads") == [(9_240,)]
        assert engine.rows("SELECT count(specialization) FROM attributes") == [(chosen,)]
        assert engine.rows("SELECT count(*) FILTER (WHERE outcome = '1'), count(*) FROM outcomes") == [(won, 9_240)]
        assert engine.columns("attributes").keys().isdisjoint({"tags", "lead_quality", "converted", "prospect_id"})


def test_applicants_exist_since_they_were_read(xeducation: Journey) -> None:
    older = sum(int(row["Lead Number"]) < 615_000 for row in rows())
    assert [run.scored for run in xeducation.runs.values()] == [older, 9_240]
    assert xeducation.workspace.rank(as_of="2023-12-31").total == 0
    page = xeducation.workspace.report(xeducation.root / "empty.html", as_of="2023-12-31").html
    assert "0 applicants" in re.sub(r"<[^>]*>", "", page)


def test_points_of_everybody(xeducation: Journey) -> None:
    occupations = {"Working Professional": 30, "Housewife": 10, "Businessman": 10, "Student": -4, "Unemployed": 4}
    origins = {"Lead Add Form": 25, "Landing Page Submission": -4}
    scored = {row["id"]: row for row in xeducation.ranking(xeducation.route.late)}
    for row in rows():
        found, job = scored[row["Prospect ID"]], row["What is your current occupation"]
        expected = -10 if job in ("", "Select") else occupations.get(job, 4)
        assert found["person__occupation"] == expected
        assert found["channel__how_they_came"] == origins.get(row["Lead Origin"], 0)
        assert found["channel__wants_no_e_mail"] == (-14 if row["Do Not Email"] == "Yes" else 0)
        assert (found["gate"] == "Must not be called") == (row["Do Not Call"] == "Yes")


def test_one_applicant_by_hand(xeducation: Journey) -> None:
    """From Google; 6 visits of 6 pages, 771 seconds; no occupation; Marketing Management; Mumbai; no e-mail, please."""
    ledger = xeducation.workspace.explain("06b2272d-0a56-4bcf-b1a6-7ecda5bf1e15", as_of=xeducation.route.late)
    points = {item.name: item.points for item in ledger.contributions if item.points}
    assert points == {
        "Occupation": -10,
        "Told us what and where": 3,
        "Specialization": 4,
        "How they came": -4,
        "Source": 3,
        "Wants no e-mail": -14,
        "Took the free interview guide": 1,
        "Minutes on the site": 16,
        "Visits": 4,
        "Visits by pages": 3,
    }
    assert (ledger.score, ledger.grade) == (6, "C")


def test_the_card_beats_first_come_first_served(xeducation: Journey) -> None:
    """The card was written with the older 70 % in view; the newest 30 % are the test."""
    newest = rows()[6_468:]
    scores = {row["id"]: row["score"] for row in xeducation.ranking(xeducation.route.late)}
    won = [row["Converted"] == "1" for row in newest]
    assert (len(won), sum(won)) == (2_772, 1_107)
    by_card = auc([(scores[row["Prospect ID"]], y) for row, y in zip(newest, won, strict=True)])
    oldest_first = auc([(-int(row["Lead Number"]), y) for row, y in zip(newest, won, strict=True)])
    assert (by_card, oldest_first) == (pytest.approx(0.889, abs=0.0005), pytest.approx(0.563, abs=0.0005))


def test_without_times_there_is_no_hindsight_but_a_conversion(xeducation: Journey) -> None:
    assert xeducation.workspace.diff(as_of=xeducation.route.late).hindsight == (None, None)
    report = xeducation.workspace.report(xeducation.root / "again.html", as_of=xeducation.route.late)
    won = {row["Prospect ID"] for row in rows() if row["Converted"] == "1"}
    graded: dict[str, list[bool]] = {}
    for row in xeducation.ranking(xeducation.route.late):
        graded.setdefault(row["grade"], []).append(row["id"] in won)
    shown = {row.name: (row.n, row.won) for row in report.facts.conversion.rows}
    assert shown == {grade: (len(labels), sum(labels)) for grade, labels in graded.items()}
    assert "does not say when outcomes happened" in report.html


def test_an_applicant_given_by_hand(xeducation: Journey) -> None:
    applicant = {"what_is_your_current_occupation": "Working Professional", "lead_origin": "Lead Add Form",
                 "lead_source": "Reference", "total_time_spent_on_website": 1500, "total_visits": 3}  # fmt: skip
    ledger = xeducation.workspace.try_lead(applicant, as_of=moment("2024-02-15"))
    assert ledger.score == 30 - 2 + 25 + 10 + 28 + 2
    assert (ledger.entity, ledger.grade) == ("applicant", "A")
