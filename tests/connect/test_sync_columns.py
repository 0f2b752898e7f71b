"""Every value is of its field's type, whatever came; what is none of it is counted."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from leadlight.connect.columns import Columns, fitting
from leadlight.connect.protocol import Row
from leadlight.expr.types import Type

NOON = datetime(2026, 3, 1, 12)


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("12", Type.NUMBER, 12.0),
        (True, Type.NUMBER, 1.0),
        (float("inf"), Type.NUMBER, None),
        ("twelve", Type.NUMBER, None),
        (12.0, Type.TEXT, "12"),
        (NOON, Type.TEXT, "2026-03-01T12:00:00"),
        ("a\ud800b\x00", Type.TEXT, "a?b"),
        ("", Type.TEXT, None),
        ("yes", Type.BOOL, True),
        ("maybe", Type.BOOL, None),
        ("2026-03-01T14:00:00+02:00", Type.TIME, NOON),
        (NOON.replace(tzinfo=timezone(timedelta(hours=2))), Type.TIME, NOON - timedelta(hours=2)),
        (datetime(1601, 1, 1), Type.TIME, None),
        (5.0, Type.TIME, None),
        (None, Type.TEXT, None),
    ],
)
def test_a_value_is_of_its_type_or_none(value: Any, type_: Type, expected: Any) -> None:
    assert fitting(value, type_) == expected


def test_what_does_not_fit_is_counted_by_field() -> None:
    columns = Columns({"size": Type.NUMBER, "name": Type.TEXT})
    rows = [Row("1", {"size": "big", "name": "A"}), Row("2", {"size": "", "name": None}), Row("", {"size": 1.0})]
    table = columns.table(rows)
    assert table.column("_id").to_pylist() == ["1", "2"]
    assert table.column("size").to_pylist() == [None, None]
    assert columns.misfits == {"size": 1}


def test_a_row_tells_when_it_came_to_be_so_and_whether_it_has_values() -> None:
    columns = Columns({"name": Type.TEXT}, created_at="born", modified_at="touched")
    rows = [Row("1", {"name": "A", "born": NOON, "touched": "2026-03-02"}, NOON), Row("2", {}, gone=True, into="1")]
    found = columns.table(rows).to_pylist()
    assert found[0] == {"_id": "1", "_at": NOON, "_gone": False, "_into": None, "_own": True, "_created": NOON,
                        "_modified": datetime(2026, 3, 2), "name": "A"}  # fmt: skip
    assert (found[1]["_gone"], found[1]["_into"], found[1]["_own"]) == (True, "1", False)
