from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest

from leadlight.cli.app import main
from leadlight.errors import UsageError
from leadlight.simulate.draws import Draws
from leadlight.simulate.subscriptions import (
    STEP,
    _live,
    make_subscribers,
    probabilities,
    simulate_subscriptions,
)

STEPS, BEGIN = 20, 1_700_000_000
COUNT = 12_000


def test_the_truth_is_what_comes_about() -> None:
    """Stop the world three steps early, say what will happen, and let it go on: it does not know where it was."""
    draws = Draws(3)
    people = make_subscribers(draws, COUNT, begin=BEGIN, end=BEGIN + STEPS * STEP)
    since = BEGIN + (STEPS - 3) * STEP
    early, whole = (_live(draws, people, BEGIN, steps) for steps in (STEPS - 3, STEPS))
    there = early.active & (people.start <= since)
    row = np.flatnonzero(there)
    after = whole.outcomes.filter(np.array(whole.outcomes.column("at").cast("int64")) > since)
    number = np.array([int(name[1:]) - 1 for name in after.column("subscriber").to_pylist()])
    kind = np.array(after.column("outcome").to_pylist())
    for name, by_state in zip(("churned", "renewed", "expanded"), probabilities(people, since), strict=True):
        said = by_state[early.state[row], row]
        came = np.isin(row, number[kind == name])
        for low, high in ((0.0, 0.05), (0.05, 0.2), (0.2, 0.6), (0.6, 0.9), (0.9, 1.01)):
            here = (said >= low) & (said < high)
            if here.sum() < 50:
                continue
            error = np.sqrt((said[here] * (1 - said[here])).sum()) / here.sum()
            assert came[here].mean() == pytest.approx(said[here].mean(), abs=4 * error), (name, low)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world on disk."""
    place = tmp_path_factory.mktemp("subscriptions")
    simulate_subscriptions(place, subscribers=400, seed=2)
    return place


def test_files_fit_together(folder: Path) -> None:
    db = duckdb.connect()
    db.execute(f"CREATE VIEW s AS SELECT * FROM '{folder}/subscribers.csv'")
    db.execute(f"CREATE VIEW e AS SELECT * FROM '{folder}/events.parquet'")
    db.execute(f"CREATE VIEW o AS SELECT * FROM '{folder}/outcomes.csv'")
    db.execute(f"CREATE VIEW t AS SELECT * FROM '{folder}/truth.parquet'")

    def value(sql: str) -> int:
        row = db.execute(sql).fetchone()
        assert row is not None
        return int(row[0])

    assert value("SELECT count(DISTINCT subscriber) FROM s") == 400
    assert value("SELECT count(*) FROM s WHERE known_at < since OR renews_at <= known_at") == 0
    left = "(SELECT subscriber, \"at\" FROM o WHERE outcome = 'churned')"
    assert value(f"SELECT count(*) - count(DISTINCT subscriber) FROM {left}") == 0
    assert value(f"SELECT count(*) FROM e JOIN {left} l USING (subscriber) WHERE e.at >= l.at") == 0
    assert value(f"SELECT count(*) FROM o JOIN {left} l USING (subscriber) WHERE o.at > l.at") == 0
    assert value("SELECT count(*) FROM e JOIN (SELECT subscriber, min(since) AS since FROM s GROUP BY 1) s "
                 "USING (subscriber) WHERE e.at <= s.since") == 0  # fmt: skip
    assert value(f"SELECT count(*) FROM t JOIN {left} l USING (subscriber)") == 0
    assert value("SELECT count(*) FROM t") + value(f"SELECT count(*) FROM {left}") == 400
    renewals = value("SELECT count(*) FROM o WHERE outcome = 'renewed'")
    rows = "SELECT count(*) FROM s JOIN o ON o.subscriber = s.subscriber AND o.at = s.known_at AND outcome = 'renewed'"
    assert value(rows) == renewals
    low, high = "least(churn, renewal, expansion)", "greatest(churn, renewal, expansion)"
    assert value(f"SELECT count(*) FROM t WHERE {low} < 0 OR {high} > 1") == 0


def test_the_same_seed_makes_the_same_world(folder: Path, tmp_path: Path) -> None:
    report = simulate_subscriptions(tmp_path, subscribers=400, seed=2)
    for name in ("subscribers.csv", "outcomes.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert report.as_dict()["subscribers"] == 400
    assert "churned" in str(report)


def test_more_subscribers_leave_the_first_as_they_are(folder: Path, tmp_path: Path) -> None:
    simulate_subscriptions(tmp_path, subscribers=500, seed=2)
    first = "SELECT * FROM '{}/outcomes.csv' WHERE subscriber <= 'L0000400' ORDER BY ALL"
    both = [duckdb.connect().sql(first.format(place)).fetchall() for place in (folder, tmp_path)]
    assert both[0] == both[1] != []


def test_numbers_that_make_no_world(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 subscribers"):
        simulate_subscriptions(tmp_path, subscribers=0)
    with pytest.raises(UsageError, match="days is 0"):
        simulate_subscriptions(tmp_path, days=0)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        simulate_subscriptions(tmp_path / "file")


def test_the_verb_makes_this_world_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ["simulate", str(tmp_path / "data"), "--world", "subscriptions", "--leads", "30"]
    assert main([*made, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["subscribers"] == 30
    assert main([*made, "--events", "9"]) == 2
    assert "--events goes with the world of leads" in capsys.readouterr().err
