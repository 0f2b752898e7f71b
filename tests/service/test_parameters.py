"""What a value in the query may be is what its schema says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest
from starlette.requests import Request

from leadlight.service.operation import Parameter
from leadlight.service.parameters import MOMENT, asked, duration, flag, moment, number, one_of, text, whole
from leadlight.service.problems import Problem
from leadlight.spec.moments import parse_moment

PARAMETERS = (
    whole("limit", "how many", least=1, most=200), number("cost", "of a call"), flag("all", "or not"),
    one_of("order", "how", choices=("up", "down")), duration("within", "ahead"), moment("as_of", "when"),
    text("name", "whose"), text("also", "more", many=True),
)  # fmt: skip


def query(said: str, parameters: Sequence[Parameter] = PARAMETERS) -> dict[str, Any]:
    return asked(Request({"type": "http", "query_string": said.encode(), "headers": []}), parameters)


def test_values_are_read() -> None:
    said = "limit=20&cost=1.5&all=true&order=up&within=2w&as_of=7d&name=%C3%A9&also=a&also=b"
    assert query(said) == {
        "limit": 20, "cost": 1.5, "all": True, "order": "up", "within": timedelta(days=14), "as_of": "7d",
        "name": "é", "also": ["a", "b"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "said",
    ["limit=0", "limit=201", "limit=1.0", "limit=%D9%A1", "limit=" + "9" * 20, "cost=0", "cost=nan", "cost=inf",
     "cost=x", "all=yes", "all=", "order=left", "within=soon", "within=-1d", "name=", "name=a%00b", "name=" + "x" * 501,
     "name=%ff", "name=a&name=b", "colour=red"],
)  # fmt: skip
def test_values_that_are_none_are_named(said: str) -> None:
    with pytest.raises(Problem) as raised:
        query(said)
    assert raised.value.status == 400
    assert said.partition("=")[0] in raised.value.detail


def test_all_faults_come_at_once() -> None:
    needed = Parameter("since", "the earlier moment", required=True)
    with pytest.raises(Problem) as raised:
        query("limit=0&colour=red", (*PARAMETERS, needed))
    assert [fault.split()[0] for fault in raised.value.more["faults"]] == ["limit", "no", "since"]


@pytest.mark.parametrize(
    ("said", "fits"),
    [("now", True), ("7d", True), ("2026-01-31", True), ("2024-02-29", True), ("2026-02-29", False),
     ("2026-06-30", True), ("2026-06-30T14:00Z", True),
     ("2026-06-30T14:00:59.5+02:00", True), ("7", False), ("2026-13-01", False), ("yesterday", False), ("0d", False)],
)  # fmt: skip
def test_moments_that_fit_the_schema_are_read(said: str, fits: bool) -> None:
    assert jsonschema_rs.is_valid(dict(MOMENT), said) == fits
    if fits:
        assert parse_moment(said, datetime(2026, 7, 1)) <= datetime(2026, 7, 1)
