from __future__ import annotations

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.service.bodies import parsed, unpacked
from leadlight.service.problems import Problem


def test_gzip_is_seen_by_its_first_bytes() -> None:
    assert unpacked(gzip.compress(b'{"a": 1}'), 100) == b'{"a": 1}'
    assert unpacked(b'{"a": 1}', 100) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"x" * 101), 413),
        (gzip.compress(b"\0" * 50_000_000), 413),
        (gzip.compress(b"abc")[:-6], 400),
        (b"\x1f\x8bnot gzip", 400),
        (b"\x1f\x8b", 400),
    ],
    ids=["too large", "bomb", "cut off", "not gzip", "nothing"],  # gzip writes the time into its header
)
def test_bombs_and_broken_gzip_are_refused(body: bytes, status: int) -> None:
    with pytest.raises(Problem) as caught:
        unpacked(body, 100)
    assert caught.value.status == status


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\\ud800"}', b"\xff", b"[" * 50_000])
def test_what_is_no_json_is_a_400_that_says_where(body: bytes) -> None:
    with pytest.raises(Problem, match=r"no JSON: .*line 1") as caught:
        parsed(body)
    assert caught.value.status == 400


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(Problem):  # anything else would come through
        parsed(unpacked(body, 100))
