from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from leadlight.errors import NotFoundError
from leadlight.learn.candidates import candidates
from leadlight.learn.training import Training, past_rows, training
from leadlight.store import archive
from leadlight.store.names import catalog
from leadlight.workspace import Workspace

SPEC = """
sources:
  leads: {csv: leads.csv, id: id, created_at: created}
  events: {csv: events.csv, lead: lead, event: visit, at: at, columns: []}
  deals: {csv: deals.csv, lead: lead, at: closed, outcome: stage, value: amount}
outcome: {win: "stage = 'won'", lose: "stage = 'lost'", horizon: 30d}
exclude: "size = 9"
"""
START, UNTIL = datetime(2026, 1, 1), datetime(2026, 6, 1)
HORIZON = timedelta(days=30)
AGES = [timedelta(days=1), timedelta(days=7), timedelta(days=30)]
GRID = [UNTIL - HORIZON - timedelta(days=30) * number for number in range(6)]
"""A month apart, back from the last moment that is settled."""
LOOKS = {
    "": ([], GRID),
    "learn: {moments: [1d, 7d, 30d]}\n": (AGES, []),
    "learn: {moments: [7d], every: 30d}\n": (AGES[1:2], GRID),
}
"""What leadlight.yaml says → the ages beside 0, and the moments of the grid, at which leads are looked at."""


def company(folder: Path, seed: int, learn: str = "") -> tuple[Workspace, dict, list, list]:
    """Write a small company at random, with ties on every edge; return it with its rows."""
    dice = random.Random(seed)

    def moment() -> datetime:
        return START + timedelta(days=dice.choice([*range(0, 170, 5), 30, 31, 60]))

    leads = {f"l{number}": (moment(), dice.choice([None, 1, 2, 9])) for number in range(40)}
    stages = ["won", "lost", "talking"]
    deals = []
    for name, (created, _) in leads.items():
        for _ in range(dice.choice([0, 1, 1, 2])):
            at = created + dice.choice([timedelta(days=d) for d in (-3, 0, 1, 7, 30, 31, 37, 60, 61)])
            deals.append((name, at, dice.choice(stages), dice.choice([None, 10, 20])))
    events = [(dice.choice(list(leads)), moment()) for _ in range(100)]
    lines = [f"{name},{created},{'' if size is None else size}" for name, (created, size) in leads.items()]
    (folder / "leads.csv").write_text("\n".join(["id,created,size", *lines]) + "\n")
    lines = [f"{lead},{at},{stage},{'' if value is None else value}" for lead, at, stage, value in deals]
    (folder / "deals.csv").write_text("\n".join(["lead,closed,stage,amount", *lines]) + "\n")
    (folder / "events.csv").write_text("\n".join(["lead,at", *(f"{lead},{at}" for lead, at in events)]) + "\n")
    (folder / "leadlight.yaml").write_text(SPEC + learn)
    workspace = Workspace(folder, now=lambda: UNTIL)
    workspace.ingest()
    return workspace, leads, deals, events


def expected_rows(leads: dict, deals: list, events: list, learn: str = "") -> dict:
    """The same by loops: (lead, moment) → (won, worth, visits so far)."""
    rows = {}
    for name, (created, size) in leads.items():
        closing = [at for lead, at, stage, _ in deals if lead == name and stage in ("won", "lost")]
        ages, grid = LOOKS[learn]
        for as_of in {created, *(created + age for age in ages), *(at for at in grid if at >= created)}:
            if created > UNTIL or size == 9 or as_of + HORIZON > UNTIL or any(at <= as_of for at in closing):
                continue
            wins = [
                value
                for lead, at, stage, value in deals
                if lead == name and stage == "won" and as_of < at <= as_of + HORIZON
            ]
            known = [value for value in wins if value is not None]
            visits = sum(lead == name and at <= as_of and at > as_of - timedelta(days=30) for lead, at in events)
            rows[name, as_of] = (bool(wins), max(known) if known else None, visits)
    return rows


def learned_from(workspace: Workspace, until: datetime = UNTIL) -> Training:
    with workspace.store() as engine:
        resolved = workspace._ready(engine)
        return training(engine, resolved, candidates(engine, resolved), until)


def names(workspace: Workspace) -> dict[int, str]:
    with workspace.store() as engine:
        return dict(engine.rows("SELECT lead, id FROM leads"))


@pytest.mark.parametrize("learn", LOOKS)
@pytest.mark.parametrize("seed", range(4))
def test_rows_are_those_a_loop_finds(tmp_path: Path, seed: int, learn: str) -> None:
    workspace, leads, deals, events = company(tmp_path, seed, learn)
    table, name_of = learned_from(workspace), names(workspace)
    examples = table.examples
    found = {
        (name_of[lead], as_of): (bool(won), None if np.isnan(worth) else worth, visits)
        for lead, as_of, won, worth, visits in zip(
            examples.lead.tolist(), table.as_of.to_pylist(), examples.won, examples.worth,
            examples.features.column("visit_30d").to_pylist(), strict=True,
        )
    }  # fmt: skip
    assert found == expected_rows(leads, deals, events, learn)
    assert list(examples.time) == sorted(examples.time)
    assert examples.horizon == 30


def test_what_came_after_the_moment_changes_nothing(tmp_path: Path) -> None:
    workspace, *_ = company(tmp_path, 3)
    before = learned_from(workspace, datetime(2026, 3, 1))
    for file, more in (
        ("deals.csv", "l1,2026-03-02,won,99\nl2,2026-04-02,lost,\n"),
        ("events.csv", "l1,2026-03-01 00:00:01\n"),
    ):
        path = tmp_path / file
        path.write_text(path.read_text() + more)
    workspace.ingest()
    after = learned_from(workspace, datetime(2026, 3, 1))
    assert after.examples.features.equals(before.examples.features)
    assert (after.examples.won == before.examples.won).all()
    assert after.counts.in_future == before.counts.in_future + 2


def test_counts(tmp_path: Path) -> None:
    workspace, leads, deals, events = company(tmp_path, 4)
    counts = learned_from(workspace).counts
    rows = expected_rows({name: (created, None) for name, (created, _) in leads.items()}, deals, events)
    assert counts.rows == len(rows)
    assert counts.wins == sum(won for won, *_ in rows.values())
    assert counts.before_creation == sum(at < leads[lead][0] for lead, at, *_ in set(deals))
    assert counts.share == 1


def test_settled_rows_are_those_learned_from_and_those_excluded(tmp_path: Path) -> None:
    workspace, leads, deals, events = company(tmp_path, 5)
    with workspace.store() as engine:
        rows = past_rows(engine, workspace._ready(engine), UNTIL)
    everyone = {name: (created, None) for name, (created, _) in leads.items()}
    assert len(rows.lead) == len(expected_rows(everyone, deals, events))
    assert len(rows.take(rows.won).lead) == rows.won.sum()


def test_flat_file_without_dates(tmp_path: Path) -> None:
    rows = [f"p{n},{n % 3},{n % 2},{100 - n}" for n in range(60)]
    (tmp_path / "leads.csv").write_text("\n".join(["id,size,converted,number", *rows]) + "\n")
    spec = """
sources: {leads: {csv: leads.csv, id: id, outcome: converted}}
outcome: {win: "converted = 1", lose: "converted = 0"}
learn: {order: number}
"""
    (tmp_path / "leadlight.yaml").write_text(spec)
    workspace = Workspace(tmp_path)
    workspace.ingest()
    table = learned_from(workspace, workspace.now() + timedelta(days=1))
    assert (len(table.examples), table.examples.wins, table.examples.horizon) == (60, 30, 0.0)
    assert table.examples.time is not None
    assert list(table.examples.time) == list(range(41, 101))
    assert any("number is taken to rise with time" in sentence for sentence in table.assumptions)


@pytest.mark.parametrize(
    ("lose", "days", "young", "taken"), [("", 2, 14, 0), (', lose: "converted = 0"', 2, 0, 0), ("", 0, 0, 38)]
)
def test_without_times_who_is_not_won_may_be_yet_unless_that_is_a_loss_or_all_are_young(
    tmp_path: Path, lose: str, days: int, young: int, taken: int
) -> None:
    first = START if days else UNTIL - timedelta(days=1)
    rows = [f"p{n},{first + timedelta(days=days * n)},{n % 2}" for n in range(75)]
    (tmp_path / "leads.csv").write_text("\n".join(["id,created,converted", *rows]) + "\n")
    (tmp_path / "leadlight.yaml").write_text(
        "sources: {leads: {csv: leads.csv, id: id, created_at: created, outcome: converted}}\n"
        f'outcome: {{win: "converted = 1"{lose}, horizon: 30d}}\n'
    )
    workspace = Workspace(tmp_path)
    workspace.ingest()
    table = learned_from(workspace, UNTIL)
    assert (table.counts.too_young, table.counts.taken_as_lost) == (young, taken)
    assert len(table.examples) == 75 - young


def test_no_outcomes_is_said(tmp_path: Path) -> None:
    company(tmp_path, 0)
    (tmp_path / "leadlight.yaml").write_text(SPEC.replace("outcome: {win", "#"))
    with pytest.raises(NotFoundError, match="does not say what a win is"):
        learned_from(Workspace(tmp_path))


def test_of_many_rows_whole_leads_are_drawn(tmp_path: Path) -> None:
    workspace, *_ = company(tmp_path, 2)
    with workspace.store() as engine:
        resolved = workspace._ready(engine)
        everyone = training(engine, resolved, candidates(engine, resolved), UNTIL)
        some = training(engine, resolved, candidates(engine, resolved), UNTIL, most_rows=40)
    assert 0 < some.counts.rows < everyone.counts.rows
    assert some.counts.share == pytest.approx(40 / everyone.counts.rows)
    for lead in np.unique(some.examples.lead):
        assert (some.examples.lead == lead).sum() == (everyone.examples.lead == lead).sum()


def test_no_moment_before_events_were_taken_out(tmp_path: Path) -> None:
    floor = datetime(2026, 3, 1)
    workspace, *_ = company(tmp_path, 3)
    with workspace.store(write=True) as engine:
        resolved = workspace._resolved(catalog(engine))[0]
        before = past_rows(engine, resolved, UNTIL).as_of.to_pylist()
        with engine.transaction():
            engine.execute(archive.TABLE)
            engine.execute("INSERT INTO retained VALUES (?, ?, 1, NULL)", [UNTIL, floor])
        after = past_rows(engine, resolved, UNTIL).as_of.to_pylist()
    assert min(before) < floor
    assert after == [as_of for as_of in before if as_of >= floor]
