from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from leadlight.service.limits import Bucket, Limits, Misses


@given(
    st.floats(0.01, 1000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), min_size=1, max_size=60),
)
def test_no_more_passes_than_the_rate_allows(rate: float, asked: list[tuple[float, int]]) -> None:
    """What passes until any moment is at most what the bucket held, what flowed in, and one last request."""
    bucket, now, passed = Bucket(rate, level=max(rate, 1.0), at=0.0), 0.0, 0.0
    for pause, amount in asked:
        now += pause
        wait = bucket.take(amount, now)
        assert wait >= 0
        if wait == 0:
            assert passed <= bucket.size + rate * now + 1e-6
            passed += amount
        else:
            later = Bucket(bucket.rate, bucket.level, bucket.at)
            assert later.take(amount, now + wait + 1e-6) == 0, "it passes after the wait that was told"


def test_keys_and_kinds_have_buckets_of_their_own() -> None:
    limits = Limits(clock=lambda: 0.0)
    assert [limits.take("a", "requests", 1) for _ in range(2)] == [0.0, 1.0]
    assert limits.take("b", "requests", 1) == 0
    assert limits.take("a", "events", 1) == 0
    assert limits.take("a", "requests", 2) == 0, "another limit is another bucket"


def test_what_a_client_is_told_is_whole_numbers() -> None:
    limits = Limits(clock=lambda: 0.0)
    limits.take("a", "events", 0.5, 20)
    told = limits.headers("a", {"events": 0.5, "requests": 2.5})
    assert told == {
        "RateLimit-Policy": '"events";q=1;w=2, "requests";q=3;w=2',
        "RateLimit": '"events";r=0;t=40, "requests";r=3;t=0',
    }  # fmt: skip
    assert re.fullmatch(r'("\w+";r=\d+;t=\d+(, )?)+', told["RateLimit"])


def test_misses_are_forgotten_and_bounded() -> None:
    at = [0.0]
    misses = Misses(clock=lambda: at[0], free=2, longest=60, most=3)
    for _ in range(12):
        misses.note("a")
    assert misses.wait("a") == 60, "a minute at most"
    misses.forgive("a")
    assert misses.wait("a") == 0
    misses.note("a")
    misses.note("a")
    at[0] = 1000
    misses.note("a")
    assert misses.wait("a") == 0, "what was long ago does not count"
    for who in "bcd":
        misses.note(who)
    assert misses.wait("a") == 0
    assert len(misses._seen) == 3
