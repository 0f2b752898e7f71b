"""OData that is put together, and the stand-in that understands it strictly."""

from __future__ import annotations

from datetime import datetime

import pytest

from connect.dynamics.odata_engine import RefusedError, condition
from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.values import audited, plain
from leadlight.errors import RemoteError
from leadlight.expr.types import Type


def test_what_is_quoted_is_understood_as_it_was_meant() -> None:
    evil = "x' or leadid ne null or 'a' eq '"
    holds = condition(f"subject eq {odata.text(evil)}", {"subject": "text", "leadid": "guid"})
    assert holds({"subject": evil})
    assert not holds({"subject": "x", "leadid": "1"})


@pytest.mark.parametrize(
    "question",
    ["a eq", "a eq 'x", "b eq 'x'", "a like 'x'", "a eq 5", "(a eq 'x'", "a eq 'x' or", "a eq 'x'; drop"],
)
def test_the_stand_in_refuses_what_it_does_not_understand(question: str) -> None:
    with pytest.raises(RefusedError):
        condition(question, {"a": "text"})


@pytest.mark.parametrize("name", ["a b", "a'", "", "1a", "ä"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(RemoteError, match="cannot be the logical name"):
        odata.name(name)


def test_values_of_the_log_and_values_that_are_written() -> None:
    assert audited("1,3", "MultiSelectPicklistType", Type.TEXT, {"1": "Cloud", "3": "Data"}) == "Cloud;Data"
    assert audited("5/12/2022", "DateTime", Type.TIME, {}) == datetime(2022, 5, 12)
    assert audited(None, "String", Type.TEXT, {}) is None
    assert audited("soon", "DateTime", Type.TIME, {}) is None
    assert plain(datetime(2026, 3, 1, 12, 0, 0, 9), "DateTime") == "2026-03-01T12:00:00Z"
    assert plain(0.12345678, "Decimal") == 0.123457
