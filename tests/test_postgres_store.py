"""The same workspace on DuckDB and on PostgreSQL: every verb gives the same answer."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadlight.errors import NotFoundError
from leadlight.learn.line import Wish
from leadlight.simulate.run import simulate
from leadlight.templates.init import init
from leadlight.workspace import Workspace

NOW = datetime(2026, 6, 30)
MAY = datetime(2026, 5, 31)
OWN = {"seconds", "path", "data"}
"""What is not about the answer: how long it took, where a file lies, a hash of numbers to their last bit."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Both:
    """A workspace on either store."""

    duckdb: Workspace
    postgres: Workspace

    def differences(self, ask: Callable[[Workspace], Any]) -> list[str]:
        """Ask both, and say where the answers differ."""
        return list(_differences(*(_plain(ask(workspace)) for workspace in (self.duckdb, self.postgres))))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgres_module_store: str) -> Both:
    """The demo's company, small, read and scored twice on either store."""
    folder = tmp_path_factory.mktemp("both")
    init(folder / "a", template="demo")
    simulate(folder / "a" / "data", leads=400, seed=1)
    shutil.copytree(folder / "a", folder / "b")
    spec = folder / "b" / "leadlight.yaml"
    spec.write_text(re.sub("(?m)^store:.*$", lambda _: f"store: {postgres_module_store}", spec.read_text()))
    found = Both(*(Workspace(folder / name, now=lambda: NOW) for name in "ab"))
    for ask in (lambda w: w.ingest(), lambda w: w.ingest(), lambda w: w.score(as_of=MAY), lambda w: w.score()):
        assert found.differences(ask) == []
    return found


def first(workspace: Workspace) -> str:
    return workspace.rank(limit=1).rows[0].ledger.id


def written(workspace: Workspace, name: str, write: Callable[[Path], object]) -> str:
    path = workspace.root / name
    write(path)
    return path.read_text()


VERBS: dict[str, Callable[[Workspace], Any]] = {
    "check": lambda w: w.check(),
    "rank": lambda w: w.rank(),
    "rank before": lambda w: w.rank(as_of=MAY),
    "rank per": lambda w: w.rank(per="country"),
    "explain": lambda w: w.explain(first(w)),
    "why": lambda w: w.why(first(w), since=MAY),
    "history": lambda w: w.history(first(w)),
    "diff": lambda w: w.diff(),
    "sql": lambda w: w.sql(),
    "report": lambda w: written(w, "report.html", w.report) and None,
    "csv": lambda w: written(w, "ranking.csv", lambda path: w.export(str(path))),
    "parquet": lambda w: w.export(str(w.root / "ranking.parquet")).rows,
    "table": lambda w: w.export("table:ranked").rows,
    "table again": lambda w: w.export("table:ranked").rows,
    "profile": lambda w: w.profile(),
    "similar": lambda w: w.similar(first(w)),
    "next": lambda w: w.next(first(w)),
    "evaluate": lambda w: w.evaluate(),
    "threshold": lambda w: w.threshold(Wish(per_day=5)),
    "watch": lambda w: w.watch(),
    "allocate": lambda w: w.allocate(capacity={"calls": 20}, need={"calls": 1}),
    "allocation": lambda w: written(w, "given.csv", lambda path: w.allocate(capacity={"calls": 20}, target=path)),
    "letter": lambda w: w.letter(first(w)),
    "letters": lambda w: written(w, "letters.csv", lambda path: w.letters(path, line="B1")),
    "adjust": lambda w: w.adjust(),
    "learn": lambda w: w.learn(),
    "backtest": lambda w: w.backtest(top=10, since="2026-03-10", relearn=timedelta(days=90)),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_gives_the_same_answer(both: Both, verb: str, caplog: pytest.LogCaptureFixture) -> None:
    assert both.differences(VERBS[verb]) == []
    assert caplog.records == []  # a translation that is not exact says so in the log


def test_nobody_of_that_name(both: Both) -> None:
    said = []
    for workspace in (both.duckdb, both.postgres):
        with pytest.raises(NotFoundError, match="the nearest are") as caught:
            workspace.explain("L000000x")
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_who_is_erased_is_gone_and_stays_so(both: Both) -> None:
    gone = first(both.duckdb)
    for ask in (lambda w: w.erase(gone), lambda w: w.rank(), lambda w: w.ingest()):
        assert both.differences(ask) == []
    with pytest.raises(NotFoundError):
        both.postgres.explain(gone)


def test_two_who_ingest_at_once_store_it_once(tmp_path: Path, postgres_store: str) -> None:
    init(tmp_path / "shop")
    spec = tmp_path / "shop" / "leadlight.yaml"
    spec.write_text(re.sub("(?m)^store:.*$", lambda _: f"store: {postgres_store}", spec.read_text()))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: Workspace(tmp_path / "shop").ingest(), range(2)))
    assert sorted(report.changed for report in found) == [False, True]
    with Workspace(tmp_path / "shop").store() as engine:
        assert engine.rows("SELECT count(*), count(DISTINCT id) FROM leads") == [(30, 30)]


def _plain(answer: Any) -> Any:
    if hasattr(answer, "as_dict"):
        return _plain(answer.as_dict())
    if isinstance(answer, dict):
        return {key: _plain(value) for key, value in answer.items() if key not in OWN}
    return [_plain(value) for value in answer] if isinstance(answer, list | tuple) else answer


def _differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from _differences(one.get(key, "nothing"), other.get(key, "nothing"), f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{place}: {len(one)} and {len(other)} items"
        for number, pair in enumerate(zip(one, other, strict=False)):
            yield from _differences(*pair, f"{place}[{number}]")
    elif isinstance(one, float) and isinstance(other, int | float):
        if not math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9):
            yield f"{place}: {one} and {other}"
    elif one != other:
        yield f"{place}: {one!r:.100} and {other!r:.100}"
