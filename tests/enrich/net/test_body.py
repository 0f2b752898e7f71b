"""Bodies: what is unpacked, and where it ends."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.net.body import MOST_PIECES, Body


def read(data, encoding, limit=10_000, *, cut=False, size=7):
    body = Body(encoding, limit, cut=cut)
    for start in range(0, len(data), size):
        body.add(data[start : start + size])
        if body.full:
            break
    return body.end()


def bare(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = {"": bytes, "identity": bytes, "gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@given(st.binary(max_size=3000), st.sampled_from(sorted(PACKERS)), st.integers(1, 500))
def test_what_was_packed_comes_out(data, encoding, size):
    assert read(PACKERS[encoding](data), encoding, size=size) == data


@given(st.binary(max_size=3000))
def test_deflate_may_be_bare(data):
    assert read(bare(data), "Deflate", size=50) == data


def test_gzip_may_have_several_parts_and_rubbish_after_them():
    assert read(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0\0", "gzip", size=1000) == b"one two"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_stopped_before_it_grows(encoding):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(50)) + packer.flush()
    body = Body(encoding, 100_000)
    with pytest.raises(OverflowError):
        body.add(bomb)
    assert sum(map(len, body._taken)) <= 100_000


def test_what_is_beyond_the_limit_can_be_left():
    assert read(b"a" * 500, "", 100, cut=True) == b"a" * 100
    assert read(gzip.compress(b"a" * 500), "gzip", 100, cut=True) == b"a" * 100
    assert read(b"a" * 100, "", 100) == b"a" * 100
    with pytest.raises(OverflowError):
        read(b"a" * 101, "", 100)


def test_what_breaks_off_is_taken_as_far_as_it_goes():
    whole = b"".join(b"<p>%d</p>" % number for number in range(2000))
    assert whole.startswith(read(gzip.compress(whole)[:-500], "gzip", 100_000))
    with pytest.raises(zlib.error):
        read(gzip.compress(b"hello")[:6], "gzip")


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08\0 not at all", b"<html>", bytes(100)])
def test_what_was_never_packed_is_an_error(data):
    with pytest.raises(zlib.error):
        read(data, "gzip", size=50)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x-unknown", "gzip;q=1"])
def test_encodings_that_were_not_asked_for_are_refused(encoding):
    with pytest.raises(LookupError):
        Body(encoding, 100)


def test_too_many_pieces_are_refused():
    body = Body("", 10 * MOST_PIECES)
    for _ in range(MOST_PIECES):
        body.add(b"a")
    with pytest.raises(OverflowError):
        body.add(b"a")
