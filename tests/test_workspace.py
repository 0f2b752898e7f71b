from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlglot

from leadlight.errors import DataError, NotFoundError, SpecError, UsageError
from leadlight.workspace import DIALECTS, Workspace, open_workspace, utc_now
from tests.scorecards.shop import HOUSE, NOW, WORKSPACE, open_shop

OTHER = "title: Other\ngroups: {g: {criteria: [{name: Size, feature: employees, bands: [[0, null, 1]]}]}}\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop that was read; tests only ask it."""
    folder = tmp_path_factory.mktemp("shop")
    open_shop(folder).ingest()
    (folder / "scorecards" / "aside.yaml").write_text(OTHER)
    return Workspace(folder, now=lambda: NOW)


@pytest.fixture(scope="module")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop of which nothing was read yet."""
    return open_shop(tmp_path_factory.mktemp("unread"))


# -------------------------------------------------------------------------------------------------------------- open


def test_the_clock_is_utc_without_a_zone() -> None:
    assert utc_now().tzinfo is None
    assert abs(datetime.now(UTC).replace(tzinfo=None) - utc_now()) < timedelta(minutes=1)


def test_open_takes_a_text_or_a_path(shop: Workspace) -> None:
    assert open_workspace(str(shop.root)).root == open_workspace(shop.root).root == shop.root


def test_there_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        open_workspace(tmp_path)
    assert str(caught.value) == (
        f"no leadlight.yaml in {tmp_path}\nMake a workspace with `leadlight init`, or go to one."
    )


def test_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        open_shop(tmp_path, house=HOUSE.replace("base: 1", "bass: 1"), workspace=WORKSPACE.replace("entity", "entty"))
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [
        ("leadlight.yaml", 2), ("scorecards/house.yaml", 3),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------- before any ingest


def test_check_looks_at_the_headers(unread: Workspace) -> None:
    report = unread.check()
    assert (report.features, list(report.scorecards), report.warnings) == (1, ["house"], ())
    assert str(report) == f"the workspace is well: 1 features, scorecards: house ({report.scorecards['house']})"
    assert report.as_dict()["scorecards"] == dict(report.scorecards)


def test_sql_and_try_work_without_a_store(unread: Workspace) -> None:
    assert unread.sql().startswith("WITH ")
    tried = unread.try_lead({"seniority": "vp", "events": [{"type": "demo", "at": "2026-02-28"}]})
    assert (tried.score, tried.grade) == (1 + 15 + 10, "A2")
    assert not (unread.root / "shop.duckdb").exists()


@pytest.mark.parametrize("verb", ["rank", "score", "diff", "report"])
def test_what_needs_a_store_says_how_to_get_one(unread: Workspace, verb: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        getattr(unread, verb)()
    assert str(caught.value) == (
        f"there is no store yet at {unread.root / 'shop.duckdb'}\nRun `leadlight ingest` to make it."
    )
    assert not (unread.root / "shop.duckdb").exists()


def test_a_source_that_is_not_there_is_told_by_check_and_ingest_alike(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    (tmp_path / "events.csv").unlink()
    for verb in (shop.check, shop.ingest):
        with pytest.raises(DataError, match=r"sources\.events: there is no file events\.csv"):
            verb()


# --------------------------------------------------------------------------------------------------------- arguments


def test_house_is_the_scorecard_unless_told_then_the_first(shop: Workspace, tmp_path: Path) -> None:
    assert list(shop.loaded.scorecards) == ["aside", "house"]
    assert shop.rank(limit=1).scorecard == "house"
    assert shop.rank("aside", limit=1).scorecard == "aside"
    other = open_shop(tmp_path)
    (tmp_path / "scorecards" / "house.yaml").rename(tmp_path / "scorecards" / "mansion.yaml")
    assert Workspace(tmp_path, now=other.now).try_lead({}).scorecard == "mansion"


@pytest.mark.parametrize(
    "ask",
    [
        lambda shop: shop.rank("hose"),
        lambda shop: shop.score("hose"),
        lambda shop: shop.explain("ann", "hose"),
        lambda shop: shop.why("ann", "hose", since="1d"),
        lambda shop: shop.try_lead({}, "hose"),
        lambda shop: shop.history("ann", "hose"),
        lambda shop: shop.sql("hose"),
        lambda shop: shop.report(None, "hose"),
        lambda shop: shop.export("x.csv", "hose"),
        lambda shop: shop.diff("hose"),
    ],
)
def test_a_scorecard_that_is_not_there_names_the_nearest(shop: Workspace, ask) -> None:
    with pytest.raises(NotFoundError, match=r"^no scorecard 'hose': did you mean 'house'\? Known: aside, house$"):
        ask(shop)


def test_a_workspace_without_scorecards_can_be_read_but_not_ranked(tmp_path: Path) -> None:
    open_shop(tmp_path)
    (tmp_path / "scorecards" / "house.yaml").unlink()
    shop = Workspace(tmp_path)
    shop.ingest()
    assert shop.score() == []
    assert "scorecards: none" in str(shop.check())
    with pytest.raises(NotFoundError, match=r"^the workspace has no scorecard\nWrite one: scorecards/NAME\.yaml\.$"):
        shop.rank()


@pytest.mark.parametrize("as_of", ["yesterday", "2026-13-01", "", "01/02/2026", "99999999d"])
def test_an_as_of_that_is_no_moment(shop: Workspace, as_of: str) -> None:
    with pytest.raises(UsageError, match=f"^{as_of!r} is not a moment\nWrite a date"):
        shop.rank(as_of=as_of)


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        (None, NOW),
        ("now", NOW),
        ("2026-02-10", datetime.fromisoformat("2026-02-10")),
        ("2026-02-10T23:00-02:00", datetime.fromisoformat("2026-02-11T01:00")),
        ("36h", NOW - timedelta(hours=36)),
        (datetime.fromisoformat("2026-02-10"), datetime.fromisoformat("2026-02-10")),
        (datetime(2026, 2, 10, tzinfo=timezone(timedelta(hours=1))), datetime.fromisoformat("2026-02-09T23:00")),
    ],
)
def test_ways_to_write_a_moment(shop: Workspace, as_of: str | datetime | None, moment: datetime) -> None:
    assert shop.explain("ann", as_of=as_of).as_of == moment


def test_a_dialect_that_is_not_there(shop: Workspace) -> None:
    with pytest.raises(NotFoundError) as caught:
        shop.sql(dialect="postgress")
    assert str(caught.value) == (
        "no dialect 'postgress': did you mean 'postgres'? Known: bigquery, clickhouse, databricks, duckdb, postgres, "
        "snowflake, spark, trino"
    )


# --------------------------------------------------------------------------------------------------------------- sql


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_parses_back(shop: Workspace, dialect: str) -> None:
    text = shop.sql(dialect=dialect)
    assert text.endswith("\n")
    found = sqlglot.parse_one(text.removesuffix("SETTINGS join_use_nulls = 1\n"), dialect=dialect)
    assert found.named_selects[:4] == ["lead", "id", "as_of", "score"]


def test_the_printed_statement_gives_the_scores(shop: Workspace) -> None:
    with shop.session(), shop.store() as engine:
        rows = {row["id"]: row for row in engine.arrow(shop.sql()).to_pylist()}
        ledgers = [shop.explain(name) for name in rows]
    assert rows.keys() == {"ann", "bob", "cy", "di"}
    for ledger in ledgers:
        row = rows[ledger.id]
        assert (row["score"], row["grade"]) == (pytest.approx(ledger.score, abs=1e-9), ledger.grade)
        assert {item.key: row[item.key] for item in ledger.contributions if item.kind == "criterion"} == pytest.approx(
            {item.key: item.points for item in ledger.contributions if item.kind == "criterion"}
        )


def test_sql_without_contributions_is_shorter(shop: Workspace) -> None:
    slim = sqlglot.parse_one(shop.sql(contributions=False), dialect="duckdb")
    assert not [
        name for name in slim.named_selects if name.startswith("fit__") and name not in ("fit__total", "fit__cap")
    ]


# ----------------------------------------------------------------------------------------------------------- session


def test_in_a_session_every_question_gets_the_same_answer(shop: Workspace) -> None:
    alone = (shop.rank(), shop.explain("ann"), shop.why("ann", since="10d"), shop.history("ann"), shop.sql())
    with shop.session() as session:
        assert session is shop
        assert (
            session.rank(), session.explain("ann"), session.why("ann", since="10d"), session.history("ann"),
            session.sql(),
        ) == alone  # fmt: skip


def test_a_session_keeps_the_store_open_and_lets_go_of_it(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    with shop.session() as session, session.store() as engine, session.store() as same:
        assert engine is same
    with pytest.raises(RuntimeError, match="asked in vain"), shop.session():
        raise RuntimeError("asked in vain")
    assert shop.score()[0].scored == 4  # writing needs the store for itself


def test_each_verb_lets_go_of_the_store(shop: Workspace, tmp_path: Path) -> None:
    for ask in (shop.rank, shop.check, lambda: shop.explain("ann"), lambda: shop.export(str(tmp_path / "r.csv"))):
        ask()
    with pytest.raises(NotFoundError):
        shop.explain("nobody")
    with shop.store(write=True) as engine:
        assert engine.rows("SELECT count(*) FROM leads") == [(6,)]


# -------------------------------------------------------------------------------------------------------------- diff


def test_diff_against_a_file_that_has_faults_or_is_not_there(shop: Workspace, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(HOUSE.replace("feature: seniority", "feature: senority"))
    with pytest.raises(SpecError, match="did you mean 'seniority'"):
        shop.diff(against=tmp_path / "old.yaml")
    with pytest.raises(NotFoundError, match=r"ald\.yaml: did you mean 'old\.yaml'"):
        shop.diff(against=tmp_path / "ald.yaml")


def test_diff_of_a_scorecard_never_used(shop: Workspace) -> None:
    with pytest.raises(NotFoundError, match=r"^aside was never used, so there is nothing to compare with\nRun `lead"):
        shop.diff("aside")


# ------------------------------------------------------------------------------------- files of a former day, as then


def test_exports_of_former_days_are_known_since_their_day(tmp_path: Path) -> None:
    (tmp_path / "leadlight.yaml").write_text("sources: {leads: {csv: leads.csv, id: id, created_at: made}}\n")
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards" / "house.yaml").write_text(
        "groups: {g: {criteria: [{name: Size, feature: size, bands: [[0, null, 1], [null, 0, 2]]}]}}\n"
    )
    shop = Workspace(tmp_path, now=lambda: NOW)
    for day, size in (("2026-01-10", 1), ("2026-02-10", -1)):
        (tmp_path / "leads.csv").write_text(f"id,made,size\nann,2026-01-01,{size}\n")
        shop.ingest(as_of=day)
    points = {day: shop.explain("ann", as_of=day).score for day in ("2026-01-20", "2026-02-09", "2026-02-10")}
    assert points == {"2026-01-20": 1, "2026-02-09": 1, "2026-02-10": 2}
    with pytest.raises(UsageError, match="2026-03-02 00:00 UTC lies ahead"):
        shop.ingest(as_of="2026-03-02")


# ----------------------------------------------------------------------------------------- in a console, in a notebook


def test_what_a_verb_returns_shows_itself(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    read, (run,) = shop.ingest(), shop.score(as_of="2026-02-20")
    returned = [
        shop.check(), read, run, shop.rank(), shop.explain("ann"), shop.why("ann", since="10d"), shop.history("ann"),
        shop.diff(), shop.try_lead({"seniority": "<b>vp</b>"}), shop.export(str(tmp_path / "r.csv")),
        shop.report(tmp_path / "r.html"), shop.erase("bob"),
    ]  # fmt: skip
    for report in returned:
        assert repr(report) == str(report)
        html = report._repr_html_()
        assert html.startswith("<")
        assert "<b>vp" not in html
    assert "<table>" in returned[3]._repr_html_()
