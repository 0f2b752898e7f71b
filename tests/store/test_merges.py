"""Merges can be taken back, and leave no trace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError
from leadlight.expr.types import Type
from leadlight.store.apart import keep_apart
from leadlight.store.attributes import load_leads
from leadlight.store.events import load_events
from leadlight.store.history import LEADS
from leadlight.store.leads import aliases, get_lead, refresh_leads
from leadlight.store.merge import merge_duplicates
from leadlight.store.merges import get_merge, join_leads, list_merges, part_leads, undo_merge
from leadlight.store.outcomes import load_outcomes
from leadlight.store.periods import rebuild
from leadlight.store.staged import Staged
from leadlight.store.touched import changing

Stage = Callable[..., Staged]
NOW = datetime(2026, 1, 1)
Rows = list[tuple[Any, ...]]


def leads_of(seed: int, *, count: int = 24, addresses: int = 9) -> tuple[Rows, Rows, Rows]:
    """People of whom many share an address or two (by two sources), with events and outcomes."""
    draw = random.Random(seed)
    born = datetime(2025, 1, 1)
    crm, web, events = Rows(), Rows(), Rows()
    for number in range(count):
        mail = f"a{draw.randrange(addresses)}@x.example"
        crm.append((f"l{number:02d}", born + timedelta(days=draw.randrange(90)), mail, str(number)))
        if draw.random() < 0.4:
            web.append((f"l{number:02d}", None, f"b{draw.randrange(addresses)}@x.example", None))
        events += [(f"l{number:02d}", "visit", born + timedelta(days=100 + draw.randrange(50)), f"/{draw.randrange(5)}")
                   for _ in range(draw.randrange(4))]  # fmt: skip
    return crm, web, events


def tell(store: Engine, stage: Stage, seed: int, merge_by: dict[str, str | None], apart: Iterable[Any] = ()) -> None:
    """Do as a reading does."""
    crm, web, events = leads_of(seed)
    for source, rows in (("crm", crm), ("web", web)):
        columns = {"email": Type.TEXT, "phone": Type.TEXT}
        load_leads(store, stage(source, ["id", "created_at"], columns, rows), NOW)
    for left, right in apart:
        keep_apart(store, left, right, at=NOW, who=None)
    merge_duplicates(store, merge_by, at=NOW)
    load_events(store, stage("site", ["lead", "type", "at"], {"path": Type.TEXT}, events), None)
    won = [(lead, "won", 3.0) for lead, *_ in events[::5]]
    load_outcomes(store, stage("deals", ["lead", "outcome", "value"], {}, won), name="outcome", type_=Type.TEXT)
    refresh_leads(store)
    rebuild(store, LEADS)
    store.execute("DROP TABLE touched")
    store.execute("DROP TABLE touched_accounts")


def state(store: Engine) -> dict[str, Any]:
    """All that is said, with whom it is of; numbers of leads as ids."""
    own = "(SELECT min(id) FROM ids k WHERE k.key = {}.lead)"
    tables = {
        "ids": "id", "events": 'type, "at", path, _said_of', "leads": "id, created_at",
        "outcomes": 'outcome, value, _said_of, "at"', "attributes": "known_at, known_until, email, phone",
        "observations": "_key, known_at, email, phone",
    }  # fmt: skip
    return {
        table: sorted(store.rows(f"SELECT {own.format(table)}, {columns} FROM {table}"), key=repr)
        for table, columns in tables.items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_all_undone_in_any_order_is_never_merged(
    seed: int, store: Engine, stage: Stage, fresh: Callable[[], tuple[Engine, Stage]]
) -> None:
    tell(store, stage, seed, {})
    merges = [one.merge for one in list_merges(store).merges]
    assert len(merges) > 8
    random.Random(seed).shuffle(merges)
    for merge in merges:
        if get_merge(store, merge).undone_at is None:
            with changing(store, None):
                undo_merge(store, merge, {}, at=NOW)
    while left := [one.merge for one in list_merges(store).merges if one.undone_at is None]:
        with changing(store, None):
            undo_merge(store, left[0], {}, at=NOW)
    other, stage_other = fresh()
    tell(other, stage_other, seed, {"crm": None, "web": None})
    assert state(store) == state(other)


@pytest.mark.parametrize("seed", range(4))
def test_some_undone_is_read_with_them_apart(
    seed: int, store: Engine, stage: Stage, fresh: Callable[[], tuple[Engine, Stage]]
) -> None:
    tell(store, stage, seed, {})
    for merge in random.Random(seed).sample([one.merge for one in list_merges(store).merges], 3):
        if get_merge(store, merge).undone_at is None:
            with changing(store, None):
                undo_merge(store, merge, {}, at=NOW)
    other, stage_other = fresh()
    tell(other, stage_other, seed, {}, [([a], [b]) for a, b in store.rows("SELECT a, b FROM apart")])
    assert state(store) == state(other)


def test_what_was_undone_is_not_merged_again_when_read_again(store: Engine, stage: Stage) -> None:
    tell(store, stage, 1, {})
    first = list_merges(store).merges[-1]
    with changing(store, None):
        undone = undo_merge(store, first.merge, {}, at=NOW, who="ann")
    assert undone.undone_at == NOW
    before = state(store)
    with changing(store, None):
        merge_duplicates(store, {}, at=NOW)
    assert state(store) == before
    assert get_lead(store, first.ids[0]).lead != get_lead(store, first.into).lead


def test_a_chain_parts_where_it_was_undone(store: Engine, stage: Stage) -> None:
    """b shares one address with a, another with c: without the first, b and c are one."""
    born = [datetime(2025, 1, day) for day in (1, 2, 3)]
    columns = {"email": Type.TEXT}
    roles = ["id", "created_at"]
    crm = [("a", born[0], "x@x.example"), ("b", born[1], "x@x.example"), ("c", born[2], "y@x.example")]
    load_leads(store, stage("crm", roles, columns, crm), NOW)
    load_leads(store, stage("web", roles, columns, [("b", None, "y@x.example")]), NOW)
    store.execute("DROP TABLE touched")
    store.execute("DROP TABLE touched_accounts")
    with changing(store, None):
        merge_duplicates(store, {}, at=NOW)
    assert aliases(store, get_lead(store, "c").lead) == ("a", "b", "c")
    merge = next(one.merge for one in list_merges(store).merges if one.ids == ("b",))
    with changing(store, None):
        undo_merge(store, merge, {}, at=NOW)
    assert aliases(store, get_lead(store, "c").lead) == ("b", "c")
    assert aliases(store, get_lead(store, "a").lead) == ("a",)
    assert [(one.ids, one.into) for one in list_merges(store).merges if one.undone_at is None] == [(("c",), "b")]


def test_joined_by_hand_and_undone(store: Engine, stage: Stage) -> None:
    tell(store, stage, 2, {"crm": None, "web": None})
    before = state(store)
    with changing(store, None):
        made = join_leads(store, "l03", "l01", at=NOW, who="ann")
    assert (made.rule, made.ids, made.into, made.who) == ("hand", ("l01",), "l03", "ann")
    assert aliases(store, get_lead(store, "l01").lead) == ("l03", "l01")
    with changing(store, None):
        merge_duplicates(store, {"crm": None, "web": None}, at=NOW)
    assert get_lead(store, "l01").id == "l03"
    with pytest.raises(UsageError, match="are one already"), changing(store, None):
        join_leads(store, "l01", "l03", at=NOW)
    with changing(store, None):
        undo_merge(store, made.merge, {"crm": None, "web": None}, at=NOW)
    assert state(store) == before
    with pytest.raises(UsageError, match="was undone at"), changing(store, None):
        undo_merge(store, made.merge, {}, at=NOW)


def test_parted_leads_are_joined_again_by_hand_only(store: Engine, stage: Stage) -> None:
    tell(store, stage, 1, {"crm": None, "web": None})
    crm, _, _ = leads_of(1)
    one, two = next((a[0], b[0]) for a in crm for b in crm if a[0] < b[0] and a[2] == b[2])
    with changing(store, None):
        part_leads(store, one, two, at=NOW)
        merge_duplicates(store, {"web": None}, at=NOW)
    assert get_lead(store, one).lead != get_lead(store, two).lead
    with changing(store, None):
        join_leads(store, one, two, at=NOW)
    assert get_lead(store, one).lead == get_lead(store, two).lead
    with pytest.raises(UsageError, match="are one"), changing(store, None):
        part_leads(store, one, two, at=NOW)


def test_no_such_merge(store: Engine) -> None:
    with pytest.raises(NotFoundError, match="there is no merge 7"):
        get_merge(store, 7)
    assert str(list_merges(store)) == "nobody was merged"


@pytest.mark.parametrize("seed", range(2))
def test_only_the_touched_merge_to_the_same(
    seed: int, store: Engine, stage: Stage, fresh: Callable[[], tuple[Engine, Stage]]
) -> None:
    """Row by row with `touched_only` ends where all at once does."""
    crm, web, _ = leads_of(seed, count=14)
    columns = {"email": Type.TEXT, "phone": Type.TEXT}
    for source, row in [*(("crm", row) for row in crm), *(("web", row) for row in web)]:
        load_leads(store, stage(source, ["id", "created_at"], columns, [row]), NOW)
        merge_duplicates(store, {}, at=NOW, touched_only=True)
        store.execute("DELETE FROM touched")
    other, stage_other = fresh()
    for source, rows in (("crm", crm), ("web", web)):
        load_leads(other, stage_other(source, ["id", "created_at"], columns, rows), NOW)
    merge_duplicates(other, {}, at=NOW)

    def groups(engine: Engine) -> list[Any]:
        return sorted(engine.rows("SELECT list(id ORDER BY id) FROM ids GROUP BY lead"))

    assert groups(store) == groups(other)
