from __future__ import annotations

from pathlib import Path

import pytest
from tests.scorecards.shop import HOUSE, WORKSPACE

from leadlight.scorecards.outcomes import Hindsight
from leadlight.workspace import Workspace

SCORECARD = "groups: {g: {criteria: [{name: Size, feature: size, points: {1: 1, 2: 2, 3: 3, 4: 4}}]}}\n"
SPEC = """
sources:
  leads: {csv: leads.csv, id: id, created_at: created}
  deals: {csv: deals.csv, lead: lead, OUTCOME}
outcome: {win: WIN, horizon: 30d}
"""
TIMED, WON = "at: closed, outcome: stage, value: amount", "\"stage = 'won'\""
NOW = "2026-03-01"  # so the moment looked back from is 2026-01-30
"""Twelve leads open then, by size; h left before, i was not there yet."""
LEADS = {
    "a": 4, "b": 3, "c": 3, "d": 3, "e": 2, "f": 2, "g": 1, "j": 1, "k": 1, "l": None, "m": None, "n": None,
    "h": 4, "i": 4,
}  # fmt: skip
DEALS = [
    ("b", "2026-01-30 00:00:00.000001", "won"),  # just after the moment
    ("e", "2026-03-01", "won"),  # just within the horizon
    ("g", "2026-02-10", "lost"),
    ("g", "2026-02-20", "won"),  # lost first, then won
    ("c", "2026-02-10", "lost"),
    ("a", "2026-03-01 00:00:00.000001", "won"),  # too late to count
    ("h", "2026-01-30", "lost"),  # known at the moment: no longer open
    ("h", "2026-02-15", "won"),
    ("i", "2026-02-20", "won"),
]


def write(folder: Path, *, outcome: str, win: str, card: str = SCORECARD) -> Workspace:
    """Write the specs and open the workspace."""
    (folder / "scorecards").mkdir(exist_ok=True)
    (folder / "scorecards" / "house.yaml").write_text(card)
    (folder / "leadlight.yaml").write_text(SPEC.replace("OUTCOME", outcome).replace("WIN", win))
    return Workspace(folder)


def looked_back(workspace: Workspace) -> Hindsight | None:
    """Return how the scorecard would have done, as told by `diff` of a scorecard against itself."""
    return workspace.diff(against=workspace.root / "scorecards" / "house.yaml", as_of=NOW).hindsight[1]


def history(
    folder: Path, *, deals: list[tuple[str, str | None, str]] = DEALS, outcome: str = TIMED, win: str = WON
) -> Hindsight | None:
    """Read other deals, and look back."""
    created = {lead: "2026-02-01" if lead == "i" else "2026-01-01" for lead in LEADS}
    leads = [f"{lead},{created[lead]},{size or ''}" for lead, size in LEADS.items()]
    (folder / "leads.csv").write_text("\n".join(["id,created,size", *leads]) + "\n")
    rows = [f"{lead},{at or ''},{stage},{10 if stage == 'won' else ''}" for lead, at, stage in deals]
    (folder / "deals.csv").write_text("\n".join(["lead,closed,stage,amount", *rows]) + "\n")
    workspace = write(folder, outcome=outcome, win=win)
    workspace.ingest()
    return looked_back(workspace)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace that has read the deals above."""
    folder = tmp_path_factory.mktemp("past")
    history(folder)
    return folder


def test_auc_and_top_tenth_by_hand(past: Path) -> None:
    found = looked_back(write(past, outcome=TIMED, win=WON))
    assert found is not None
    assert (found.open, found.won) == (12, 3)
    # The winners are b (3), e (2), g (1); the others a 4, c 3, d 3, f 2, j 1, k 1, l 0, m 0, n 0.
    b = 0 + 2 / 2 + 6  # below a, ties with c and d, above six
    e = 0 + 1 / 2 + 5  # ties with f, above j k l m n
    g = 0 + 2 / 2 + 3  # ties with j and k, above l m n
    assert found.auc == pytest.approx((b + e + g) / (3 * 9), abs=1e-12)
    # The top tenth of twelve is 1.2 leads: a, and a fifth of the next place, which b, c and d share.
    assert found.top_tenth == pytest.approx(0.2 / 3 / 3, abs=1e-12)
    assert found.best_tenth == pytest.approx(1.2 / 3)  # no order has more of the three among 1.2 leads
    assert str(found) == (
        "AUC 0.611, 2% of wins in the top tenth (a coin 10%, the best order 40%; 12 open on 2026-01-30, 3 won by "
        "2026-03-01)"
    )
    assert found.as_dict() == {
        "as_of": "2026-01-30T00:00:00Z", "until": "2026-03-01T00:00:00Z", "open": 12, "won": 3,
        "auc": found.auc, "top_tenth": found.top_tenth, "top_tenth_of_a_coin": 0.1,
        "top_tenth_at_best": found.best_tenth, "learned_from": False,
    }  # fmt: skip


def test_a_winner_at_the_very_top(tmp_path: Path) -> None:
    found = history(tmp_path, deals=[("a", "2026-02-10", "won"), ("n", "2026-02-10", "won")])
    assert found is not None
    assert found.top_tenth == pytest.approx(1.3 / 2 / 2)  # 1.3 of 13 leads; a and h share the first two places
    n = 2 / 2  # ties with l and m
    assert found.auc == pytest.approx((10.5 + n) / (2 * 11))  # a is above ten, and ties with h


def test_a_scorecard_that_tells_nobody_apart_is_a_coin(past: Path) -> None:
    card = "groups: {g: {criteria: [{name: Never, event: rocket, points: 1}]}}\n"
    found = looked_back(write(past, outcome=TIMED, win=WON, card=card))
    assert found is not None
    assert (found.auc, found.top_tenth) == (pytest.approx(0.5), pytest.approx(0.1))


def test_nobody_won(tmp_path: Path) -> None:
    found = history(tmp_path, deals=[("b", "2026-02-10", "lost")])
    assert found is not None
    assert (found.open, found.won, found.auc, found.top_tenth, found.best_tenth) == (13, 0, None, None, None)
    assert str(found) == "13 open on 2026-01-30, 0 of them won by 2026-03-01"


@pytest.mark.parametrize(
    "win", ["\"outcome = 'won'\"", '"value > 5"', "\"stage like 'w%' and value = 10\"", "\"stage in ('won', 'sold')\""]
)
def test_what_a_win_is(past: Path, win: str) -> None:
    found = looked_back(write(past, outcome=TIMED, win=win))
    assert found is not None
    assert (found.open, found.won) == (12, 3)


@pytest.mark.parametrize(
    ("stages", "win"), [(("true", "false"), "stage"), (("1.0", "2"), '"stage = 1"'), (("yes", "no"), "stage")]
)
def test_outcomes_that_are_truths_or_numbers(tmp_path: Path, stages: tuple[str, str], win: str) -> None:
    deals = [(lead, at, stages[0] if stage == "won" else stages[1]) for lead, at, stage in DEALS]
    found = history(tmp_path, deals=deals, win=win)
    assert found is not None
    assert (found.open, found.won) == (12, 3)


def test_outcomes_without_a_time_cannot_be_looked_back_at(tmp_path: Path) -> None:
    assert history(tmp_path, outcome="outcome: stage") is None


def test_no_outcomes_yet(tmp_path: Path) -> None:
    assert history(tmp_path, deals=[]) is None


@pytest.mark.parametrize(("to", "seen"), [("2026-02-15", True), ("2026-01-30", False)])
def test_a_card_that_was_learned_from_these_leads_says_so(past: Path, to: str, seen: bool) -> None:
    found = looked_back(write(past, outcome=TIMED, win=WON, card=f"{SCORECARD}learned: {{to: {to}}}\n"))
    assert found is not None
    assert found.learned_from is seen
    assert ("looks better than it is" in str(found)) is seen


def test_accounts_have_no_outcomes(past: Path) -> None:
    card = "of: account\ngroups: {g: {criteria: [{name: Team, feature: leads, bands: [[1, null, 1]]}]}}\n"
    assert looked_back(write(past, outcome=TIMED, win=WON, card=card)) is None


def test_the_shop_looked_back_at(shop: Workspace) -> None:
    """Open on 30 January: ann, bob (lost later); eve is excluded, cy comes in February."""
    (shop.root / "old.yaml").write_text(HOUSE)
    assert shop.diff(against=shop.root / "old.yaml").hindsight[0] == Hindsight(
        shop.now().replace(month=1, day=30), shop.now(), 2, 0, None, None
    )


def test_a_workspace_that_names_no_outcome(tmp_path: Path, shop: Workspace) -> None:
    (tmp_path / "leadlight.yaml").write_text(
        "\n".join(line for line in WORKSPACE.splitlines() if not line.startswith("outcome"))
    )
    (tmp_path / "old.yaml").write_text(HOUSE)
    found = Workspace(tmp_path, now=shop.now).diff(against=tmp_path / "old.yaml")
    assert found.hindsight == (None, None)


REPEATED = [
    ("b", "2026-01-20", "won"),  # history
    ("b", "2026-02-20", "won"),
    ("e", "2026-01-30", "won"),  # at the moment: history, and none since
    ("g", "2026-01-25", "lost"),  # no longer a customer
    ("g", "2026-02-20", "won"),
    ("c", "2026-03-01", "won"),
]


def test_wins_that_repeat_close_nothing(tmp_path: Path) -> None:
    again = WON + ", lose: \"stage = 'lost'\", repeats: true"
    found = history(tmp_path, deals=REPEATED, win=again)
    assert found is not None
    assert (found.open, found.won) == (len(LEADS) - 2, 2)  # i is not there yet, g was lost
    once = history(tmp_path, deals=REPEATED, win=WON)
    assert once is not None
    assert (once.open, once.won) == (len(LEADS) - 4, 1)  # b and e had won before, too


def test_of_outcomes_by_name_only_its_own_wins_close(tmp_path: Path) -> None:
    history(tmp_path, deals=REPEATED)
    named = "outcomes: {buys: {win: \"stage = 'won'\", horizon: 30d}, goes: {win: \"stage = 'lost'\", horizon: 40d}}"
    (tmp_path / "leadlight.yaml").write_text(SPEC.partition("outcome: {win")[0].replace("OUTCOME", TIMED) + named)
    for name in ("buys", "goes"):
        (tmp_path / "scorecards" / "house.yaml").write_text(f"outcome: {name}\n{SCORECARD}")
        found = looked_back(Workspace(tmp_path))
        assert found is not None
        assert (found.open, found.won, found.as_of.day) == {"buys": (11, 2, 30), "goes": (13, 1, 20)}[name]
