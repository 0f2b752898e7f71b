"""Likely duplicates are found without anybody saying which are the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from leadlight.errors import UsageError
from leadlight.resolve.find import find_alike

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def people() -> pa.Table:
    path = DATA / "er_splink" / "fake_1000.csv"
    if not path.exists():
        pytest.skip("the data set er_splink is not here")
    return duckdb.sql(
        "SELECT unique_id::INTEGER AS key, lower(first_name) AS first_name, lower(surname) AS surname, lower(email) AS "
        f"email, dob::VARCHAR AS birth, lower(city) AS city, cluster FROM read_csv('{path}')"
    ).to_arrow_table()


@pytest.mark.data
def test_precision_and_recall_on_persons_with_errors(people: pa.Table) -> None:
    clusters = dict(zip(people["key"].to_pylist(), people["cluster"].to_pylist(), strict=True))
    of = list(clusters.values())
    true = sum(of.count(cluster) * (of.count(cluster) - 1) // 2 for cluster in set(of))
    found = find_alike(people.drop_columns(["cluster"]), threshold=0.5, threads=1)
    right = sum(clusters[pair.left] == clusters[pair.right] for pair in found.pairs)
    assert true == 2031
    assert right / len(found.pairs) > 0.99
    assert right / true > 0.68
    assert found.compared == ("first name", "surname", "e-mail address", "date of birth", "city")
    first = found.pairs[0]
    assert first.probability > 0.9999
    assert any(reason.startswith(("same", "similar")) for reason in first.reasons)
    again = find_alike(people.drop_columns(["cluster"]), threshold=0.5, threads=1)
    assert [(pair.left, pair.right) for pair in again.pairs] == [(pair.left, pair.right) for pair in found.pairs]


def test_too_few_leads_or_things() -> None:
    few = pa.table({"key": [1, 2], "first_name": ["ann", "bob"], "email": ["a@x", "b@x"]})
    with pytest.raises(UsageError, match="2 leads are too few"):
        find_alike(few, threshold=0.5)
    with pytest.raises(UsageError, match="leads have first name to be compared by"):
        find_alike(few.drop_columns(["email"]), threshold=0.5)
    with pytest.raises(UsageError, match="have nothing to be compared by"):
        find_alike(few.select(["key"]), threshold=0.5)


def test_nothing_in_common() -> None:
    numbers = range(120)
    strangers = pa.table(
        {"key": list(numbers), "phone": [f"{n:09d}" for n in numbers], "email": [f"{n}@{n}.example" for n in numbers]}
    )
    with pytest.raises(UsageError, match="no two leads can be told"):
        find_alike(strangers, threshold=0.5)
