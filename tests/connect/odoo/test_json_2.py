"""The suite once more, in Odoo's newer way: what reads, writes, refuses and lies is told by HTTP itself there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connect.odoo.stand_in import StandIn
from connect.test_conformance import (
    test_deletions_are_told,
    test_goes_on_after_a_kill,
    test_history_is_told_in_order_and_ends_in_the_present,
    test_reads_everything_once,
    test_reads_what_has_changed_since,
)
from connect.test_conformance_trouble import (
    test_a_lie_in_answer_to_a_verb_is_an_error_or_harmless,
    test_a_wrong_secret_is_told_and_where_the_right_one_is,
    test_what_is_not_allowed_is_told,
)
from connect.test_conformance_write import (
    test_each_record_has_its_own_answer,
    test_fields_are_made_or_it_says_what_to_do,
    test_writes_and_sees_what_it_wrote,
)

__all__ = [
    "test_a_lie_in_answer_to_a_verb_is_an_error_or_harmless",
    "test_a_wrong_secret_is_told_and_where_the_right_one_is",
    "test_deletions_are_told",
    "test_each_record_has_its_own_answer",
    "test_fields_are_made_or_it_says_what_to_do",
    "test_goes_on_after_a_kill",
    "test_history_is_told_in_order_and_ends_in_the_present",
    "test_reads_everything_once",
    "test_reads_what_has_changed_since",
    "test_what_is_not_allowed_is_told",
    "test_writes_and_sees_what_it_wrote",
]


class Newer(StandIn):
    """An Odoo that is asked by JSON-2."""

    login = None


@pytest.fixture(scope="module")
def served() -> Iterator[StandIn]:
    """In the place of all systems."""
    with Newer().serving() as made:
        yield made


def test_it_is_that_way(served: StandIn) -> None:
    served.reset()
    with served.open() as opened:
        opened.session.describe(["crm.lead"])
    assert all(call.url.startswith("/json/2/") for call in served.calls)
