from __future__ import annotations

from datetime import datetime

from leadlight.service.call import Call, decode

AT = datetime(2026, 3, 1, 12, 0, 0, 250)


def test_what_is_encoded_reads_back() -> None:
    call = Call("m", AT, AT, "u", "a", "order", {"n": 1.5, "ok": True, "text": "Zoë"}, None, None, {}, "old")
    (found,) = decode([call.encode()])
    assert found == {
        "m": "m", "t": AT.isoformat(), "r": AT.isoformat(), "u": "u", "a": "a", "e": "order",
        "p": {"n": 1.5, "ok": True, "text": "Zoë"}, "v": "old",
    }  # fmt: skip


def test_an_empty_identify_is_one_still_and_a_blank_is_kept() -> None:
    found = decode([Call("m", AT, AT, "u", traits={}).encode(), Call("m", AT, AT, "u", traits={"job": None}).encode()])
    assert [call["i"] for call in found] == [{}, {"job": None}]


def test_digests_tell_message_ids_apart() -> None:
    digests = {Call(message, AT, AT, "u").digest for message in ("a", "b", "a", "")}
    assert len(digests) == 3
    assert {len(digest) for digest in digests} == {16}
