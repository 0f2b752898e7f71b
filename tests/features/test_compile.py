from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from tests.features.tables import Filled, T, Tables, day

from leadlight.expr import build
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.workspace import DIALECTS

NUMBER, TEXT, BOOL, TIME = Type.NUMBER, Type.TEXT, Type.BOOL, Type.TIME
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
OF_ACCOUNTS = ["views", "visitors", "heads", "busiest", "own_views", "share", "industry", "leads"]
PROPERTIES = {"path": TEXT, "worth": NUMBER, "until": TIME}


Row = dict[str, Any]


def rows(found: dict[Any, Row]) -> list[Row]:
    """Return what was found in the order of leads, or accounts."""
    return [found[key] for key in sorted(found)]


# ------------------------------------------------------------------------------------------------- one lead's events


@pytest.fixture(scope="module")
def edges() -> Filled:
    """Lead 0 has an event at each edge of a window of ten days; lead 1 has none that counts, lead 2 none at all."""
    tables = Tables(properties=PROPERTIES).lead(0).lead(1).lead(2)
    for at, path, worth in (
        (T - 20 * DAY, "a", 2),  # just outside two windows
        (T - 20 * DAY + TICK, "b", 4),  # just inside two windows
        (T - 10 * DAY, "a", 8),  # just outside one window
        (T - 10 * DAY + TICK, None, 16),  # just inside
        (T - 5 * DAY, "a", None),
        (T - 5 * DAY, "a", 32),  # at the same time
        (T, "c", 64),
        (T + TICK, "d", 128),
    ):
        tables.event(0, "view", at, path=path, worth=worth, until=at)
    tables.event(1, "view", T + DAY, path="a", worth=1).event(1, "other", T - 3 * DAY, path="a", worth=1)
    return tables.filled("""
  views:       {count: view}
  recent:      {count: view, within: 10d}
  anything:    {count: "*", within: 10d}
  never:       {count: rocket}
  on_a:        {count: view, where: "path = 'a'"}
  total:       {sum: view, property: worth}
  total_10d:   {sum: view, property: worth, within: 10d}
  least_10d:   {min: view, property: worth, within: 10d}
  most:        {max: view, property: worth}
  soonest:     {min: view, property: until, within: 10d}
  mean_10d:    {avg: view, property: worth, within: 10d}
  paths:       {distinct: view, property: path}
  share_a:     {share: view, where: "path = 'a'", within: 10d}
  since_view:  {recency: view}
  since_a:     {recency: view, where: "path = 'a'"}
  since_old:   {recency: view, where: "worth > 64"}
  trend_10d:   {trend: view, within: 10d}
  trend_a:     {trend: view, where: "path = 'a'", within: 10d}
  fading:      {decayed: view, half_life: 5d, where: "path = 'a'"}
  worth_fades: {decayed: view, half_life: 5d, property: worth, where: "path = 'a'"}
""")


@pytest.fixture(scope="module")
def edge_rows(edges: Filled) -> list[Row]:
    return rows(edges.features())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("views", [7, 0, 0]),
        ("recent", [4, 0, 0]),  # T - w is out, T is in, T + 1 µs is out
        ("anything", [4, 1, 0]),
        ("never", [0, 0, 0]),
        ("on_a", [4, 0, 0]),
        ("total", [2 + 4 + 8 + 16 + 32 + 64, 0, 0]),
        ("total_10d", [16 + 32 + 64, 0, 0]),
        ("least_10d", [16, None, None]),
        ("most", [64, None, None]),
        ("soonest", [T - 10 * DAY + TICK, None, None]),
        ("mean_10d", [(16 + 32 + 64) / 3, None, None]),  # an event without worth is no part of the mean
        ("paths", [3, 0, 0]),  # a, b, c; no path is no value
        ("share_a", [2 / 4, None, None]),  # an event without path counts among all, not among a's
        ("since_view", [0, None, None]),
        ("since_a", [5, None, None]),
        ("since_old", [None, None, None]),
        ("trend_10d", [(4 - 2) / (4 + 2), None, None]),
        ("trend_a", [(2 - 1) / (2 + 1), None, None]),
        ("fading", [2 * 2**-1 + 2**-2 + 2**-4, 0, 0]),
        ("worth_fades", [32 * 2**-1 + 8 * 2**-2 + 2 * 2**-4, 0, 0]),
    ],
)
def test_events(edge_rows: list[Row], name: str, values: list[object]) -> None:
    expected = [pytest.approx(value, rel=1e-12) if isinstance(value, float) else value for value in values]
    assert [row[name] for row in edge_rows] == expected


def test_all_of_them_are_doubles_but_a_time_stays_a_time(edges: Filled, edge_rows: list[Row]) -> None:
    kinds = {name: type(value) for name, value in edge_rows[0].items() if name in edges.workspace.features}
    assert kinds.pop("soonest") is datetime
    assert kinds.pop("since_old") is type(None)
    assert set(kinds.values()) == {float}


# --------------------------------------------------------------------------------------------- what is known of a lead


def test_attributes_are_those_of_the_moment() -> None:
    tables = Tables(attributes={"city": TEXT, "size": NUMBER, "born": TIME}).lead(0, created="2026-02-01")
    tables.rows["attributes"].clear()
    tables.known(0, "2026-02-01", "2026-02-10", city="Rome", size=1, born=day("2000-01-01"))
    tables.known(0, "2026-02-10", city="Oslo", size=None, born=day("2027-01-01"))
    store = tables.filled("""
  town:    {attribute: city}
  double:  {expr: "size * 2"}
  big:     {expr: "size > 0"}
  days:    {age: created_at}
  years:   {age: born}
  label:   {expr: "case when big then 'big' else 'small' end"}
""")
    before, after = day("2026-02-10") - TICK, day("2026-02-10")
    assert store.features(Moment(as_of=day("2026-02-01") - TICK)) == {}
    assert store.features(Moment(as_of=before))[0] == {
        "lead": 0, "id": "L0", "as_of": before, "town": "Rome", "double": 2.0, "big": True,
        "days": pytest.approx(9 - 1 / 86_400_000_000, abs=1e-15), "years": pytest.approx(9537, abs=1e-6),
        "label": "big",
    }  # fmt: skip
    assert store.features(Moment(as_of=after))[0] == {
        "lead": 0, "id": "L0", "as_of": after, "town": "Oslo", "double": None, "big": None, "days": 9.0,
        "years": -325.0, "label": "small",
    }  # fmt: skip


def test_a_lead_of_which_nothing_is_known_yet_is_there_all_the_same() -> None:
    tables = Tables(attributes={"city": TEXT}).lead(0).lead(1, city="Rome")
    tables.rows["attributes"].pop(0)
    assert tables.filled("  town: {attribute: city}").values("town") == [None, "Rome"]


def test_features_build_on_features() -> None:
    tables = Tables(attributes={"size": NUMBER}).lead(0, size=3)
    store = tables.filled("""
  e: {expr: "d + a"}
  d: {expr: "c + b"}
  c: {expr: "b * 10"}
  b: {expr: "a + 1"}
  a: {attribute: size}
""")
    assert store.features(names=["e", "a"])[0] == {"lead": 0, "id": "L0", "as_of": T, "e": 47.0, "a": 3.0}


def test_built_in_names() -> None:
    store = (
        Tables()
        .lead(0, account="Acme")
        .filled("""
  known_days: {expr: "days_between(created_at, as_of)"}
  firm:       {expr: "account"}
  name:       {expr: "id"}
""")
    )
    assert store.features()[0] == {
        "lead": 0, "id": "L0", "as_of": T, "known_days": 59.0, "firm": "Acme", "name": "L0",
    }  # fmt: skip


def test_only_what_is_asked_for_is_computed() -> None:
    tables = Tables(attributes={"size": NUMBER, "unused": NUMBER}, properties=PROPERTIES)
    workspace = tables.resolved("  a: {attribute: size}\n  b: {count: view}")
    text = feature_statement(workspace, Moment(as_of=T), features=["a"]).sql("duckdb")
    assert '"events"' not in text
    assert '"unused"' not in text


# ----------------------------------------------------------------------------------------------- the whole account


@pytest.fixture(scope="module")
def firms() -> Filled:
    """Acme has leads 0 and 1 (2 left it, 3 comes later); Solo has 4, who did nothing; 5 has no account."""
    tables = Tables(
        attributes={"size": NUMBER, "born": TIME}, account_attributes={"industry": TEXT}, properties=PROPERTIES
    )
    tables.account("Acme", "2026-01-01", "2026-02-01", industry="retail").account("Acme", "2026-02-01", industry="tech")
    tables.lead(0, account="Acme", size=10, born=day("2020-01-01"))
    tables.lead(1, account="Acme", created="2026-02-01", size=None)
    tables.lead(2, account=None, size=1000)
    tables.rows["attributes"].pop()
    tables.known(2, "2026-01-01", "2026-02-15", account="Acme", size=1000)
    tables.known(2, "2026-02-15", account="Solo", size=1000)
    tables.lead(3, account="Acme", created=T + TICK, size=5000)
    tables.lead(4, account="Solo", size=7).lead(5, size=9)
    for lead, kind, at, worth in (
        (0, "view", T, 1), (0, "view", T - DAY, 2), (1, "view", T - 2 * DAY, 4), (1, "view", T - 10 * DAY, 8),
        (2, "view", T - 3 * DAY, 16), (3, "view", T - DAY, 32), (5, "view", T, 64), (0, "sale", T - DAY, 128),
    ):  # fmt: skip
        tables.event(lead, kind, at, worth=worth, path="a")
    return tables.filled("""
  field:     {attribute: industry}
  techy:     {expr: "industry = 'tech'"}
  views:     {account: {count: view}}
  views_10d: {account: {count: view, within: 10d}}
  visitors:  {account: {distinct_leads: view, within: 10d}}
  worth:     {account: {sum: view, property: worth}}
  most:      {account: {max: view, property: worth}}
  since:     {account: {recency: view}}
  share:     {account: {share: view, where: "worth > 2"}}
  buyers:    {account: {distinct_leads: sale}}
  own_views: {count: view}
  heads:     {account: {sum: size}}
  oldest:    {account: {max: born}}
  busiest:   {account: {max: own_views}}
  all_views: {account: {sum: own_views}}
  relative:  {expr: "own_views / all_views"}
""")


@pytest.fixture(scope="module")
def firm_rows(firms: Filled) -> list[Row]:
    return rows(firms.features())


@pytest.fixture(scope="module")
def account_rows(firms: Filled) -> list[Row]:
    return rows(firms.features(of="account", names=[*OF_ACCOUNTS, "oldest", "created_at"]))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("field", ["tech", "tech", None, None, None]),
        ("techy", [True, True, None, None, None]),
        ("views", [4, 4, 1, 1, None]),  # 0's and 1's; 2 belongs to Solo now, with all its events; 3 is not there yet
        ("views_10d", [3, 3, 1, 1, None]),
        ("visitors", [2, 2, 1, 1, None]),
        ("worth", [15, 15, 16, 16, None]),
        ("most", [8, 8, 16, 16, None]),
        ("since", [0, 0, 3, 3, None]),
        ("share", [2 / 4, 2 / 4, 1, 1, None]),
        ("buyers", [1, 1, 0, 0, None]),
        ("heads", [10, 10, 1007, 1007, None]),
        ("oldest", [day("2020-01-01"), day("2020-01-01"), None, None, None]),
        ("busiest", [2, 2, 1, 1, None]),
        ("all_views", [4, 4, 1, 1, None]),
        ("relative", [1 / 2, 1 / 2, 1, 0, None]),
    ],
)
def test_account_features_of_leads(firm_rows: list[Row], name: str, values: list[object]) -> None:
    assert [row[name] for row in firm_rows] == values


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("views", [4, 1]), ("visitors", [2, 1]), ("heads", [10, 1007]), ("busiest", [2, 1]), ("own_views", [4, 1]),
        ("oldest", [day("2020-01-01"), None]), ("share", [2 / 4, 1]), ("industry", ["tech", None]),
        ("leads", [2, 2]), ("created_at", [day("2026-01-01"), day("2026-01-01")]),
    ],
)  # fmt: skip
def test_account_features_of_accounts(account_rows: list[Row], name: str, values: list[object]) -> None:
    assert [row[name] for row in account_rows] == values


def test_membership_and_attributes_of_accounts_are_those_of_the_moment(firms: Filled) -> None:
    earlier = Moment(as_of=day("2026-02-01") - TICK)
    assert firms.values("heads", earlier) == [1010, 1010, 7, None]  # lead 1 is not there yet, 2 is still with Acme
    assert firms.values("field", earlier) == ["retail", "retail", None, None]
    assert firms.values("leads", earlier, of="account") == [2, 1]
    assert firms.features(Moment(as_of=day("2025-01-01")), of="account") == {}


# --------------------------------------------------------------------------------- the other ways to ask for the same


@pytest.mark.parametrize("prepared", [False, True])
def test_some_get_what_they_get_among_all(firms: Filled, prepared: bool) -> None:
    everybody = firms.features()
    some = firms.features(Moment(as_of=T, only=[4, 0, 77], prepared=prepared))
    assert some == {0: everybody[0], 4: everybody[4]}


@pytest.mark.parametrize("prepared", [False, True])
def test_some_accounts_get_what_they_get_among_all(firms: Filled, prepared: bool) -> None:
    everybody = firms.features(of="account", names=OF_ACCOUNTS)
    some = firms.features(Moment(as_of=T, only=["Solo"], prepared=prepared), of="account", names=OF_ACCOUNTS)
    assert some == {"Solo": everybody["Solo"]}


def test_nobody_is_asked_for(firms: Filled) -> None:
    assert firms.features(Moment(as_of=T, only=[])) == {}


@pytest.mark.parametrize("prepared", [False, True])
def test_events_can_be_hidden_while_time_passes(edges: Filled, prepared: bool) -> None:
    moment = Moment(as_of=T, only=[0, 1], events_until=T - 5 * DAY, prepared=prepared)
    row = edges.features(moment)[0]
    assert (row["views"], row["recent"], row["since_view"]) == (6, 3, 5)
    assert row["trend_10d"] == (3 - 2) / (3 + 2)
    assert edges.features(moment)[1]["anything"] == 0


def test_a_moment_for_each_lead() -> None:
    tables = Tables(attributes={"size": NUMBER}, account_attributes={"industry": TEXT}, properties=PROPERTIES)
    tables.account("Acme", industry="tech").lead(0, account="Acme", size=1)
    tables.lead(1, account="Acme", created="2026-02-01", size=2).lead(2, size=4)
    for n in (5, 10, 15, 20, 25):
        tables.event(0, "view", f"2026-02-{n:02}", worth=n).event(1, "view", f"2026-02-{n:02}", worth=1)
    early, late = day("2026-02-10"), day("2026-02-20")
    tables.pair(0, early).pair(0, late).pair(1, early).pair(2, late).pair(1, "2026-01-31").pair(9, late)
    store = tables.filled("""
  views:    {count: view, within: 10d}
  fading:   {decayed: view, half_life: 5d}
  together: {account: {count: view}}
  heads:    {account: {sum: size}}
  busiest:  {account: {max: views}}
  field:    {attribute: industry}
""")
    both = store.features(Moment(table="pairs"))
    assert both.keys() == {(0, early), (0, late), (1, early), (2, late)}  # 1 did not exist in January, 9 never did
    for moment in (early, late):
        single = store.features(Moment(as_of=moment))
        assert {lead: row for (lead, at), row in both.items() if at == moment} == {
            lead: single[lead] for lead, at in both if at == moment
        }
    assert (both[0, early]["views"], both[0, late]["views"]) == (2, 2)
    assert (both[0, early]["together"], both[0, late]["together"], both[2, late]["together"]) == (4, 8, None)
    assert both[0, late]["fading"] == 1 + 2**-1 + 2**-2 + 2**-3


def test_a_moment_for_each_account() -> None:
    tables = Tables(attributes={"size": NUMBER}).lead(0, account="Acme", size=1)
    tables.lead(1, account="Acme", created="2026-02-01", size=2).event(0, "view", "2026-02-05")
    early, late = day("2026-01-15"), day("2026-02-15")
    tables.pair("Acme", early).pair("Acme", late).pair("Nobody", late)
    store = tables.filled("""
  views: {count: view}
  heads: {account: {sum: size}}
""")
    assert store.features(Moment(table="pairs"), of="account", names=["views", "heads", "leads"]) == {
        ("Acme", early): {"account": "Acme", "as_of": early, "views": 0, "heads": 1, "leads": 1},
        ("Acme", late): {"account": "Acme", "as_of": late, "views": 1, "heads": 3, "leads": 2},
    }


# ------------------------------------------------------------------------------------------------------ the text of it


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("moment", "of"),
    [(Moment(as_of=T), "account"), (Moment(table="pairs"), "lead"), (Moment(as_of=T, only=[1, 2]), "lead")],
)
def test_the_statement_parses_back_with_every_name_quoted(firms: Filled, dialect: str, moment: Moment, of: str) -> None:
    names = OF_ACCOUNTS if of == "account" else None
    text = build.to_text(feature_statement(firms.workspace, moment, of=of, features=names), dialect)
    tree = sqlglot.parse_one(text.removesuffix("\nSETTINGS join_use_nulls = 1"), dialect=dialect)
    assert isinstance(tree, exp.Select)
    assert [node.name for node in tree.find_all(exp.Identifier) if not node.args["quoted"]] == []
