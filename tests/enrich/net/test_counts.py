"""Counts, and the budget."""

from __future__ import annotations

import pytest

from leadlight.enrich.net import counts
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.network import NetworkError, Why


def test_a_budget_is_spent_once():
    found = Counts(limit=2)
    found.spend("a.example")
    assert found.left == 1
    found.spend("b.example")
    with pytest.raises(NetworkError, match="the budget of 2 requests is spent") as caught:
        found.spend("a.example")
    assert caught.value.why is Why.BUDGET
    assert (found.requests, found.left) == (2, 0)


def test_without_a_budget_there_is_no_end():
    found = Counts()
    for _ in range(100):
        found.spend("a.example")
    assert found.left is None


def test_hosts_beyond_the_first_are_counted_together(monkeypatch):
    monkeypatch.setattr(counts, "HOSTS_COUNTED", 3)
    found = Counts()
    for host in "abcdeab":
        found.spend(host)
    assert found.hosts == {"a": 2, "b": 2, "c": 1, counts.OTHERS: 2}


def test_counts_are_plain_values():
    found = Counts(limit=10)
    found.spend("a.example")
    found.failed[Why.BROKEN] += 1
    assert found.as_dict() == {
        "requests": 1, "dns": 0, "bytes": 0, "cached": 0, "unchanged": 0, "unkept": 0, "unforeseen": 0,
        "retries": 0, "waited": 0.0,
        "left": 9, "failed": {"broken": 1}, "hosts": {"a.example": 1},
    }  # fmt: skip
