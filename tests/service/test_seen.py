"""Message ids that came lately."""

from __future__ import annotations

import random

from leadlight.service.seen import Seen


def test_ids_are_found_where_they_stand() -> None:
    chance, seen = random.Random(4), Seen()
    ids = [chance.randbytes(16) for _ in range(3_000)]
    at = 0
    while at < len(ids):
        size = chance.randint(1, 90)
        seen.add(ids[at : at + size], at + 1)
        at += size
    places = chance.sample(range(len(ids)), 200)
    asked = [ids[place] for place in places] + [chance.randbytes(16) for _ in range(200)]
    assert seen.find(asked) == {number: place + 1 for number, place in enumerate(places)}
    assert len(seen) == 3_000


def test_only_so_many_are_kept() -> None:
    chance, seen = random.Random(4), Seen(recent=100)
    ids = [chance.randbytes(16) for _ in range(5_000)]
    for at in range(0, len(ids), 10):
        seen.add(ids[at : at + 10], at)
        last = ids[max(0, at - 90) : at + 10]
        assert len(seen.find(last)) == len(last)
    assert len(seen) < 500


def test_nothing_is_found_among_none() -> None:
    seen = Seen()
    assert seen.find([b"a" * 16]) == {}
    seen.add([b"a" * 16], 1)
    assert seen.find([]) == {}
