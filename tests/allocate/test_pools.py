from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from leadlight.allocate.pools import read_pools
from leadlight.errors import DataError, NotFoundError, UsageError
from leadlight.expr.types import Type


def test_headers_become_names_and_columns_get_types(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("Node,Free cores,Model,Spare\nn1,8,V100,\nn2,3.5,,x\n")
    pools = read_pools("nodes.csv", tmp_path)
    assert pools.names == ("n1", "n2")
    assert pools.types == {"node": Type.TEXT, "free_cores": Type.NUMBER, "model": Type.TEXT, "spare": Type.TEXT}
    assert pools.numbers("free_cores") == [8.0, 3.5]
    assert pools.table.column("model").to_pylist() == ["V100", None]


def test_semicolons_gzip_and_a_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "agents.csv.gz").write_bytes(gzip.compress("hours;who;night\n6;ann;\n4;bo;\n".encode("utf-8-sig")))
    pools = read_pools("agents.csv.gz", tmp_path, name="who")
    assert (pools.names, pools.numbers("hours")) == (("ann", "bo"), [6.0, 4.0])
    assert read_pools("agents.csv.gz", tmp_path).names == ("6", "4")


def test_yaml_with_truths(tmp_path: Path) -> None:
    (tmp_path / "agents.yaml").write_text("- {agent: ann, hours: 6, night: true}\n- {agent: bo, hours: 4}\n")
    pools = read_pools("agents.yaml", tmp_path)
    assert pools.types["night"] is Type.BOOL
    assert pools.table.column("night").to_pylist() == [True, None]


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a.csv", "agent,hours\n", UsageError, "there are no pools"),
        ("a.csv", "agent,hours\nann,1\nann,2\n", UsageError, "two pools are called 'ann'"),
        ("a.csv", "agent,hours\n,1\n", UsageError, "a pool has no name"),
        ("a.yaml", "agent: ann\n", UsageError, "must be a list of maps"),
        ("a.yaml", "- {agent: ann\n", DataError, r"a\.yaml:"),
    ],
)
def test_files_that_hold_no_pools(tmp_path: Path, name: str, text: str, error: type[Exception], message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message):
        read_pools(name, tmp_path)


@pytest.mark.parametrize("amount", ["", "-1", "much", "inf", "nan"])
def test_capacities_that_are_none(amount: str) -> None:
    pools = read_pools([{"agent": "ann", "hours": amount}, {"agent": "bo", "hours": 1}], Path())
    with pytest.raises(UsageError, match="no number from 0 on"):
        pools.numbers("hours")


def test_columns_that_are_not_there() -> None:
    with pytest.raises(NotFoundError, match="no column 'hour': did you mean 'hours'"):
        read_pools([{"agent": "ann", "hours": 1}], Path()).numbers("hour")
    with pytest.raises(NotFoundError, match="no column 'name' to name them"):
        read_pools([{"agent": "ann", "hours": 1}], Path(), name="name")
