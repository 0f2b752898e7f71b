"""Leaks that were planted are found, and honest features are not refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from leadlight.errors import UsageError
from leadlight.learn.examples import Examples
from leadlight.learn.leakage import find_leaks
from leadlight.simulate.run import simulate

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def people(rows: int = 3000, seed: int = 1, *, base: float = -2.0, time: bool = True) -> Examples:
    """Leads with honest features of all sorts; a strong one, weak ones, gaps that say something."""
    draw = np.random.default_rng(seed)
    keen, size = draw.normal(size=rows), 1 + draw.lognormal(4, 1.2, rows).round()
    source = draw.choice(["ads", "organic", "referral", "fair"], rows, p=[0.4, 0.3, 0.2, 0.1])
    logit = base + 1.1 * keen + 0.7 * (source == "referral") + 0.2 * np.log(size)
    return Examples(
        features=pa.table(
            {
                "minutes": np.maximum(0, np.round(20 + 15 * keen + 8 * draw.normal(size=rows))),
                "employees": size,
                "source": source,
                "city": draw.choice([f"city {n}" for n in range(40)], rows),
                "newsletter": draw.random(rows) < 0.4,
                "phone": pa.array(
                    [f"+49 {n:07d}" for n in draw.permutation(rows)], mask=draw.random(rows) > 0.3 + 0.2 * (keen > 0)
                ),
                "budget": pa.array(np.round(size * 30, -2), mask=draw.random(rows) > 0.2 + 0.3 * (keen > 0.5)),
            }
        ),
        won=draw.random(rows) < 1 / (1 + np.exp(-logit)),
        time=np.sort(draw.integers(0, 400, rows) + draw.random(rows)) if time else None,
    )


def with_column(rows: Examples, name: str, values) -> Examples:
    return replace(rows, features=rows.features.append_column(name, [pa.array(values)]))


def only(rows: Examples, name: str, **options):
    """Return the finding on a feature; nothing else may be left out."""
    report = find_leaks(rows, **options)
    assert set(report.left_out) <= {name}, str(report)
    return report.of(name)


# ------------------------------------------------------------------------------------------------ honest features


@pytest.mark.parametrize("rows", [60, 300, 3000])
@pytest.mark.parametrize("base", [-5.0, -2.0, 0.0, 2.0])
@pytest.mark.parametrize("time", [True, False])
def test_nothing_honest_is_refused(rows: int, base: float, time: bool) -> None:
    for seed in range(3):
        report = find_leaks(people(rows, seed, base=base, time=time))
        assert report.left_out == (), str(report)


def test_noise_is_not_refused() -> None:
    draw = np.random.default_rng(0)
    for rows in (40, 120, 1000):
        columns = {f"n{j}": draw.normal(size=rows) for j in range(8)}
        columns |= {f"c{j}": draw.integers(0, 3 + 10 * j, rows).astype(str) for j in range(8)}
        columns |= {f"b{j}": draw.random(rows) < 0.02 * (j + 1) for j in range(8)}
        report = find_leaks(
            Examples(features=pa.table(columns), won=draw.random(rows) < 0.1, time=np.arange(rows) * 1.7)
        )
        assert report.left_out == (), str(report)


def test_a_strong_trait_beside_others_is_no_leak() -> None:
    """Like X Education's Reference and Welingak Website: 92 % and 98.6 % of few rows."""
    draw = np.random.default_rng(102)
    rows = people(6000, base=-1.0)
    source = np.where(np.arange(6000) % 17 == 0, "reference", np.where(np.arange(6000) % 60 == 1, "website", "web"))
    won = np.where(source == "reference", draw.random(6000) < 0.92, rows.won)
    won = np.where(source == "website", draw.random(6000) < 0.985, won)
    assert only(replace(with_column(rows, "origin", source), won=won), "origin") is None


def test_gaps_that_say_something_are_kept_and_told() -> None:
    rows = people()
    filled = np.random.default_rng(101).random(len(rows)) < np.where(rows.won, 0.8, 0.3)
    found = only(with_column(rows, "job", pa.array(["clerk"] * 1500 + ["boss"] * 1500, mask=~filled)), "job")
    assert (found.kind, found.level, found.left_out) == ("missingness", "note", False)
    assert found.facts["filled_won"] == pytest.approx(0.8, abs=0.05)
    assert "% of the won rows and 29" in found.evidence or "% of the others" in found.evidence


# --------------------------------------------------------------------------------------------- knows the outcome


def test_filled_for_winners_only() -> None:
    rows = people()
    draw = np.random.default_rng(101)
    seller = pa.array(draw.choice(["a", "b"], len(rows)), mask=~rows.won | (draw.random(len(rows)) < 0.01))
    found = only(with_column(rows, "seller", seller), "seller")
    assert (found.kind, found.level) == ("winners_only", "leak")
    share = (len(rows) - seller.null_count) / rows.wins
    assert found.facts == {"filled_won": pytest.approx(share), "filled_others": 0.0}
    assert re.fullmatch(r"is filled for 9\d(\.\d+)? % of the won rows and 0 % of the others", found.evidence)


def test_filled_for_a_few_winners_and_nobody_else() -> None:
    rows = people(8000)
    some = rows.won & (np.random.default_rng(101).random(len(rows)) < 0.15)
    found = only(with_column(rows, "stock", pa.array(np.ones(len(rows)), mask=~some)), "stock")
    assert found.kind == "winners_only"


def test_filled_for_losers_only() -> None:
    rows = people()
    why = pa.array(["price"] * len(rows), mask=rows.won | (np.random.default_rng(101).random(len(rows)) < 0.05))
    found = only(with_column(rows, "why_not", why), "why_not")
    assert (found.kind, found.level) == ("losers_only", "leak")


def test_filled_for_some_losers_only_is_suspect() -> None:
    rows = people()
    why = pa.array(["price"] * len(rows), mask=rows.won | (np.random.default_rng(101).random(len(rows)) < 0.5))
    found = only(with_column(rows, "why_not", why), "why_not")
    assert (found.kind, found.level) == ("losers_only", "suspect")


def test_a_value_that_only_winners_have() -> None:
    """Like Hillstrom's conversion: one in a hundred rows, all of them won."""
    rows = people(20_000)
    bought = rows.won & (np.random.default_rng(101).random(len(rows)) < 0.1)
    assert 0.01 < bought.mean() < 0.05
    found = only(with_column(rows, "bought", bought), "bought")
    assert (found.kind, found.level) == ("gives_away", "leak")
    assert f"where it is true, {bought.sum():,} of {bought.sum():,} rows were won" in found.evidence
    spent = np.where(bought, np.random.default_rng(102).lognormal(3, 1, len(rows)), 0.0)
    assert only(with_column(rows, "spent", spent), "spent").kind == "gives_away"


def test_events_that_only_winners_have() -> None:
    rows = people(3000)
    count = np.where(rows.won, np.random.default_rng(101).integers(1, 3, len(rows)), 0).astype(float)
    assert only(with_column(rows, "kick_offs", count), "kick_offs").level == "leak"


@pytest.mark.parametrize("base", [-2.0, 2.0])
def test_the_outcome_under_another_name(base: float) -> None:
    rows = people(base=base)
    copy = np.where(rows.won, "good", "bad")
    assert only(with_column(rows, "verdict_2", copy), "verdict_2").level == "leak"


def test_values_whose_words_tell_the_ending() -> None:
    rows = people(300, base=-1.0)
    draw = np.random.default_rng(101)
    text = np.where(rows.won & (draw.random(300) < 0.2), "Contract signed", draw.choice(["called", "mailed"], 300))
    assert (text == "Contract signed").sum() >= 8
    found = only(with_column(rows, "remark", text), "remark")
    assert (found.kind, found.level) == ("gives_away", "leak")
    assert "where it is 'Contract signed'" in found.evidence


def test_alone_better_than_all_others_together() -> None:
    rows = people()
    told = rows.won * 1.6 + np.random.default_rng(101).normal(size=len(rows))
    found = only(with_column(rows, "duration", told), "duration")
    assert (found.kind, found.level) == ("too_good", "suspect")
    assert find_leaks(with_column(rows, "duration", told), honest=["duration"]).left_out == ()
    assert find_leaks(with_column(rows, "duration", rows.won * 1.0), honest=["duration"]).left_out == ()
    assert found.facts["auc"] > found.facts["others"] + 0.02
    assert "than the 7 other features together" in found.evidence


def test_two_that_hide_each_other() -> None:
    rows = people()
    draw = np.random.default_rng(101)
    for name in ("x1", "x2"):
        lost, won = (draw.choice(["cold", "warm", "hot"], len(rows), p=p) for p in ([0.6, 0.3, 0.1], [0.05, 0.15, 0.8]))
        rows = with_column(rows, name, np.where(rows.won, won, lost))
    report = find_leaks(rows)
    assert set(report.left_out) == {"x1", "x2"}
    assert "than the 7 features other than 'x2' together" in report.of("x1").evidence


def test_an_easy_outcome_is_given_away_by_nothing() -> None:
    """As in NSL-KDD: a dozen columns tell it, so none is too good."""
    draw = np.random.default_rng(101)
    won = draw.random(4000) < 0.45
    columns = {f"f{j}": won * (5.0 if j < 3 else 2.0) + draw.normal(size=4000) for j in range(12)}
    report = find_leaks(Examples(features=pa.table(columns), won=won))
    assert report.left_out == ()
    assert {"f0", "f1", "f2"} <= {finding.feature for finding in report.findings if finding.kind == "easy"}
    assert "the other features tell it too" in report.findings[0].evidence


def test_names_of_fields_written_later() -> None:
    rows = people(9000)
    judged = np.round(rows.won * 0.3 + np.random.default_rng(101).normal(size=len(rows)))
    found = only(with_column(rows, "Lead Quality", judged), "Lead Quality")
    assert (found.kind, found.level) == ("hindsight", "suspect")
    assert only(with_column(rows, "Lead Quality", judged), "Lead Quality", current=["minutes"]) is None
    assert only(with_column(rows, "last_email", np.random.default_rng(102).normal(size=9000)), "last_email") is None


def test_values_known_after_the_moment() -> None:
    rows = people()
    later = rows.time + np.where(np.arange(len(rows)) % 10 == 0, 5.0, -5.0)
    found = only(rows, "budget", filled_at={"budget": later})
    assert (found.kind, found.level, found.facts["later"]) == ("filled_later", "leak", 0.1)
    assert only(rows, "budget", filled_at={"budget": rows.time - 1}) is None


# ------------------------------------------------------------------------------------------- time, ids and copies


def test_calendar_features() -> None:
    rows = people()
    day = np.floor(rows.time)
    rates = np.random.default_rng(101).normal(size=500)[day.astype(int)]
    for values in (day // 30, day % 7, rates, np.where(day > 200, "new", "old")):
        found = only(with_column(rows, "when", values), "when")
        assert (found.kind, found.level) == ("calendar", "calendar")
        assert found.evidence.startswith("says when, not who")


def test_calendar_features_where_time_is_only_an_order() -> None:
    rows = people()
    rows = replace(rows, time=np.arange(len(rows), dtype=float))
    found = only(with_column(rows, "month", np.arange(len(rows)) // 100 % 12), "month")
    assert found.evidence.startswith("says when, not who: it changes 29 times along time; in a random order it would")


def test_identifiers() -> None:
    rows = people()
    n = len(rows)
    draw = np.random.default_rng(101)
    for name, values in {
        "hash": [f"{draw.integers(1 << 60):x}" for _ in range(n)],
        "number": 600_000.0 + 9 * np.arange(n),
        "row": draw.permutation(n).astype(float),
        "mail": [f"anna.meyer{k}@firm{k % 90}.example" for k in range(n)],
    }.items():
        found = only(with_column(rows, name, values), name)
        assert (found.kind, found.level) == ("identifier", "identifier"), name
        assert f"{n:,} of {n:,} values differ" in found.evidence


def test_what_never_repeats_but_is_no_identifier() -> None:
    rows = people()
    n = len(rows)
    words = ["we", "would", "like", "to", "see", "your", "offer", "for", "many", "seats", "in", "our", "new", "office"]
    draw = np.random.default_rng(101)
    prose = [" ".join(draw.permutation(words)) for _ in range(n)]
    assert only(with_column(rows, "message", prose), "message").kind == "unique"
    assert find_leaks(rows).of("phone").kind == "unique"  # whether it was given counts
    assert only(with_column(rows, "ratio", draw.normal(size=n)), "ratio") is None


def test_copies() -> None:
    rows = people()
    values = rows.features.column("employees").to_numpy()
    found = only(with_column(rows, "staff", values * 12.5 - 3), "staff")
    assert (found.kind, found.level, found.evidence) == (
        "duplicate",
        "duplicate",
        "says the same as 'employees' in every row",
    )
    flag = np.where(rows.features.column("newsletter").to_numpy(zero_copy_only=False), "no", "yes")
    assert only(with_column(rows, "unsubscribed", flag), "unsubscribed").level == "duplicate"


# ------------------------------------------------------------------------------------------------------ the report


def test_put_back_by_name() -> None:
    rows = with_column(people(), "seller", pa.array(["a"] * 3000, mask=~people().won))
    report = find_leaks(rows, keep=["seller"])
    assert report.left_out == ()
    assert "seller" in report.kept
    assert report.of("seller").put_back
    assert str(report.of("seller")).startswith("seller (put back): is filled for")
    with pytest.raises(UsageError, match="there is no feature 'seler' to keep: did you mean 'seller'"):
        find_leaks(rows, keep=["seler"])


def test_the_worst_comes_first_and_all_is_plain() -> None:
    rows = with_column(people(), "seller", pa.array(["a"] * 3000, mask=~people().won))
    rows = with_column(rows, "row", np.arange(3000.0))
    rows = with_column(rows, "blank", pa.nulls(3000, pa.float64()))
    report = find_leaks(rows)
    assert [finding.level for finding in report.findings][:2] == ["leak", "identifier"]
    assert json.loads(json.dumps(report.as_dict()))["left_out"] == ["seller", "row"]
    assert report.of("blank").evidence == "has no value in any row"
    assert str(report).startswith("Left out, 2 of 10 features:\n  seller (leak): is filled for")
    assert find_leaks(rows) == report


@pytest.mark.parametrize("wins", [0, 3, 300])
def test_too_few_outcomes_say_nothing_of_leaks(wins: int) -> None:
    rows = people(300)
    won = np.arange(300) < wins
    report = find_leaks(replace(with_column(rows, "copy", won.astype(float)), won=won))
    assert all(finding.level in ("note", "calendar", "identifier") for finding in report.findings)


def test_no_rows() -> None:
    assert find_leaks(people().take(np.empty(0, np.int64))).left_out == ()


def test_rows_of_a_lead_count_once() -> None:
    """Nine rows of a lead are one piece of evidence: 14 pure leads are no proof, 126 would be."""
    draw = np.random.default_rng(101)
    won = np.repeat(draw.random(400) < 0.2, 9)
    lead = np.repeat(np.arange(400), 9)
    mark = np.repeat((np.arange(400) % 6 == 0) & won[::9], 9)
    rows = people(3600)
    many = replace(with_column(rows, "mark", mark), won=won, time=None)
    assert find_leaks(many).of("mark").level == "leak"
    few = find_leaks(replace(many, lead=lead)).of("mark")
    assert few is None or few.kind != "gives_away"


# ---------------------------------------------------------------------------------------------------- known worlds

PLANTED = {"lead_quality", "last_activity_result", "record_no", "onboardings"}
NAMES = {"lead_id", "email"}


def flat_world(folder: Path, seed: int) -> Examples:
    """A simulated world as one flat file of today's values, with counts of events, and the outcomes."""
    simulate(folder, leads=1500, seed=seed)
    kinds = ("page_view", "email_open", "form_submit", "call", "webinar", "demo_request", "meeting")
    counts = ", ".join(f"count(*) FILTER (event = '{kind}')::DOUBLE AS {kind}s" for kind in (*kinds, "onboarding"))
    table = (
        duckdb.connect()
        .sql(
            f"""WITH e AS (SELECT lead_id, {counts} FROM '{folder}/events.parquet' GROUP BY ALL)
        SELECT l.* EXCLUDE (created, record_no), l.record_no::DOUBLE AS record_no, e.* EXCLUDE (lead_id),
            a.employees::DOUBLE AS employees, a.industry, a.crm, epoch(l.created) / 86400 AS time,
            coalesce(d.stage = 'won', false) AS won
        FROM '{folder}/leads.csv' l LEFT JOIN e USING (lead_id) LEFT JOIN '{folder}/deals.csv' d USING (lead_id)
            LEFT JOIN '{folder}/accounts.csv' a USING (company) ORDER BY l.lead_id"""
        )
        .to_arrow_table()
    )
    columns = {name: table.column(name) for name in table.column_names if name not in ("time", "won")}
    columns["budget"] = columns["budget"].cast(pa.float64())
    won = table.column("won").to_numpy(zero_copy_only=False)
    return Examples(features=pa.table(columns), won=won, time=table.column("time").to_numpy())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_in_twenty_worlds_all_planted_leaks_and_nothing_honest(tmp_path: Path, seed: int) -> None:
    rows = flat_world(tmp_path, seed)
    report = find_leaks(rows)
    assert set(report.left_out) == PLANTED | NAMES, str(report)


# -------------------------------------------------------------------------------------------------------- real data


def real(name: str, outcome: str, *, drop: str, order: bool = False) -> Examples:
    path = DATA / name
    if not path.exists():
        pytest.skip("the shared data are not here")
    table = duckdb.connect().sql(f"SELECT *, ({outcome}) AS __won FROM read_csv('{path}')").to_arrow_table()
    columns = {}
    for header in table.column_names:
        column = table.column(header)
        if pa.types.is_integer(column.type):
            column = column.cast(pa.float64(), safe=False)
        if header not in (drop, "__won"):
            columns[header] = column
    won = table.column("__won").to_numpy(zero_copy_only=False).astype(bool)
    return Examples(features=pa.table(columns), won=won, time=np.arange(len(won), dtype=float) if order else None)


@pytest.mark.data
def test_x_education_with_all_columns() -> None:
    report = find_leaks(real("xeducation_leads/Leads.csv.gz", "Converted = 1", drop="Converted"))
    told = {"Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Last Activity"}
    told |= {f"Asymmetrique {what} {kind}" for what in ("Activity", "Profile") for kind in ("Index", "Score")}
    assert {finding.feature for finding in report.findings if finding.level in ("leak", "suspect")} == told
    assert set(report.left_out) == told | {"Prospect ID", "Lead Number"}


@pytest.mark.data
def test_bank_telemarketing_in_its_order() -> None:
    report = find_leaks(real("uci_bank_marketing/bank-additional-full.csv.gz", "y", drop="y", order=True))
    assert report.of("duration").kind == "too_good"
    calendar = {"month", "day_of_week", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed"}
    assert set(report.left_out) == calendar | {"duration"}


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "outcome", "drop", "expected"),
    [
        ("email_hillstrom/hillstrom.csv.gz", "visit = 1", "visit", {"conversion", "spend"}),
        ("fin_german_credit/germancredit.csv", "creditability = 'bad'", "creditability", set()),
        ("realestate_hmda_boston/HMDA.csv", "deny", "deny", set()),
        ("ecom_online_shoppers_intention/online_shoppers_intention.csv", "Revenue", "Revenue", {"PageValues"}),
    ],
)
def test_other_real_files(name: str, outcome: str, drop: str, expected: set[str]) -> None:
    assert set(find_leaks(real(name, outcome, drop=drop)).left_out) == expected
