"""A marketplace's funnel of sellers: two files of leads, and deals that are all wins."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from journeys.journey import DATA, Journey, auc, moment, read_rows, write_rows
from leadlight.errors import NotFoundError

pytestmark = pytest.mark.data

EXACT = 1e-9
HORIZON = timedelta(days=60)
RAW = DATA / "olist_marketing_funnel"
PROSPECTS = "olist_marketing_qualified_leads_dataset.csv"


def contacts() -> dict[str, datetime]:
    """Prospect → first contact, from the raw file."""
    return {row["mql_id"]: datetime.fromisoformat(row["first_contact_date"]) for row in read_rows(RAW / PROSPECTS)}


def wins() -> dict[str, datetime]:
    """Prospect → when the deal was won, from the raw file."""
    rows = read_rows(RAW / "olist_closed_deals_dataset.csv")
    return {row["mql_id"]: datetime.fromisoformat(row["won_date"]) for row in rows}


def test_everything_in_the_files_is_read(olist: Journey) -> None:
    older = sum(at <= moment("2018-03-02") for at in contacts().values())
    first, second = ({source.source: source for source in report.sources} for report in olist.ingests)
    assert (first["prospects"].new, second["prospects"].new) == (older, 8_000 - older)
    assert first["deals"].new + second["deals"].new == len(wins()) == 842
    worth = sum(float(row["declared_monthly_revenue"]) for row in read_rows(RAW / "olist_closed_deals_dataset.csv"))
    with olist.workspace.store() as engine:
        assert engine.rows("SELECT count(*) FROM leads") == [(8_000,)]
        assert engine.rows("SELECT type, count(*) FROM events GROUP BY ALL ORDER BY ALL") == [
            ("first_contact", 8_000),
            ("signed", 842),
        ]
        assert engine.rows("SELECT count(*), sum(value) FROM outcomes") == [(842, pytest.approx(worth))]


@pytest.mark.parametrize("which", ["early", "late"])
def test_who_is_scored_and_how_fresh(olist: Journey, which: str) -> None:
    as_of, won = getattr(olist.route, which), wins()
    scored = {row["id"]: row for row in olist.ranking(as_of)}
    ages = {one: as_of - at for one, at in contacts().items() if at <= as_of < won.get(one, moment("9999-12-31"))}
    assert scored.keys() == ages.keys()
    assert olist.workspace.rank(as_of=as_of).excluded == sum(at <= as_of for at in won.values())
    for one, age in ages.items():
        fresh = 40 * 2 ** -(age / timedelta(days=14))
        assert scored[one]["timing__was_in_touch"] == pytest.approx(fresh, abs=EXACT)


def test_two_prospects_by_hand(olist: Journey) -> None:
    """Both came through a search to one of the best pages; on 27 February, and on 28 February."""
    first = olist.workspace.explain("04ecc73f538bcc74df709fe9281e08b8", as_of=moment("2018-03-01"))
    touch = 40 * 2 ** (-2 / 14)
    assert first.score == pytest.approx(5 + 6 + 14 + touch + 3, abs=EXACT)
    assert first.reasons()[:2] == [
        "Was in touch once, last on 27 Feb 2018: +36.2",
        "Landing page: 22c29808c4f815213303f8933030604c: +14",
    ]
    second = olist.workspace.explain("0542a734294f822ceab9fd720147c259", as_of=moment("2018-03-01"))
    taken = 40 - (40 * 2 ** (-1 / 14) + 3)
    assert second.score == pytest.approx(5 + 5 + 14 + 40, abs=EXACT)
    assert second.contributions[-1].points == pytest.approx(taken, abs=EXACT)
    assert str(second.contributions[-1]) == "timing is limited to 40 (cap): -1.1"


@pytest.mark.parametrize(
    ("as_of", "prospects_open", "won", "card", "oldest_first"),
    [
        (moment("2018-03-01"), 4021, 92, 0.799, 0.224),
        (moment("2018-05-01"), 6179, 81, 0.712, 0.310),
    ],
)
def test_the_card_beats_first_come_first_served(
    olist: Journey, as_of: datetime, prospects_open: int, won: int, card: float, oldest_first: float
) -> None:
    """Newest first is the better queue here (one minus oldest first), and the card beats that too."""
    deals, since = wins(), contacts()
    labels = {row["id"]: as_of < deals.get(row["id"], as_of) <= as_of + HORIZON for row in olist.ranking(as_of)}
    assert (len(labels), sum(labels.values())) == (prospects_open, won)
    ranked = auc([(row["score"], labels[row["id"]]) for row in olist.ranking(as_of)])
    queue = auc([(-since[one].timestamp(), label) for one, label in labels.items()])
    assert (ranked, queue) == (pytest.approx(card, abs=0.0005), pytest.approx(oldest_first, abs=0.0005))
    assert ranked > max(queue, 1 - queue) + 0.02
    told = olist.workspace.diff(as_of=as_of + HORIZON).hindsight[0]
    assert (told.as_of, told.open, told.won) == (as_of, prospects_open, won)
    assert told.auc == pytest.approx(ranked, abs=EXACT)


def test_who_was_erased_does_not_come_back(olist: Journey, tmp_path: Path) -> None:
    workspace = olist.copy(tmp_path / "copy")
    one = "04ecc73f538bcc74df709fe9281e08b8"
    assert workspace.erase(one).rows["events"] == 2  # the first contact, and the signature to come
    write_rows(RAW / PROSPECTS, workspace.root / "data" / PROSPECTS, lambda row: row["first_contact_date"] < "2018-04")
    report = {source.source: source for source in workspace.ingest().sources}
    assert (report["prospects"].erased, report["contacts"].erased) == (1, 1)
    with pytest.raises(NotFoundError, match=f"there is no prospect '{one}'"):
        workspace.explain(one)


def test_a_prospect_given_by_hand(olist: Journey) -> None:
    prospect = {
        "created_at": "2018-04-17",
        "origin": "social",
        "events": [{"type": "first_contact", "at": "2018-04-17"}],
    }
    ledger = olist.workspace.try_lead(prospect, as_of=moment("2018-05-01"))
    assert ledger.score == pytest.approx(5 - 3 + 20, abs=EXACT)
    assert (ledger.entity, ledger.grade) == ("prospect", "warm")
