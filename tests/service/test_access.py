from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.service.gate import Gate, gate
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.audit import audited

TRACK = {"userId": "u1", "event": "page"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with gate(tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A whole service, for what takes calls in."""
    folder = make_shop(tmp_path_factory.mktemp("shop") / "shop")
    with (folder / "leadlight.yaml").open("a") as file:
        file.write("service: {metrics: key}\n")
    with inside(folder) as found:
        yield found


def basic(text: bytes) -> bytes:
    return b"Basic " + base64.b64encode(text)


def keys_of(house: Gate) -> int:
    return len(house.admission.keys.all())


HOSTILE: dict[str, Any] = {
    "nothing": b"",
    "a word": b"Bearer",
    "no key": b"Bearer x",
    "no base64": b"Basic ###",
    "half of base64": b"Basic YWJ",
    "base64 of no text": basic(b"\xff\xfe:\xff"),
    "base64 of nothing": basic(b""),
    "base64 of a colon": basic(b":"),
    "a NUL": b"Bearer ll_\x00",
    "a NUL in base64": basic(b"ll_\x00:"),
    "a key and more": b"Bearer KEY x",
    "a key in capitals": b"Bearer UPPER",
    "a key cut short": b"Bearer SHORT",
    "a key with a letter more": b"Bearer KEYx",
    "the hash of a key": b"Bearer HASH",
    "the id of a key": b"Bearer ID",
    "bytes above ASCII": b"Bearer ll_\xff\xc3\xa9",
    "SQL": b"Bearer ' OR '1'='1",
    "a long one": b"Bearer " + b"a" * 60_000,
    "long base64": basic(b"a" * 40_000),
    "another kind": b"Digest username=admin",
    "three words": b"Bearer Bearer KEY",
    "an odd token": b"Bearer e30.e30.e30",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_is_no_key_lets_nobody_in_and_changes_nothing(house: Gate, name: str) -> None:
    house.admission.keys.misses.free = 10_000
    key = house.admission.keys.all()[0]
    stand_ins = {b"KEY": house.key.encode(), b"UPPER": house.key.upper().encode(), b"SHORT": house.key[:-1].encode(),
                 b"HASH": key.hash.encode(), b"ID": key.id.encode()}  # fmt: skip
    header = HOSTILE[name]
    for word, value in stand_ins.items():
        header = header.replace(word, value)
    before = keys_of(house)
    for method in ("GET", "POST"):
        answer = house.browser().ask(method, "/v1/keys", headers={b"authorization": header}, json={"name": "x"})
        assert answer.status_code == 401
        assert answer.json()["status"] == 401
        assert house.key not in answer.text
    assert keys_of(house) == before


@pytest.mark.parametrize("name", ["authorization", "cookie", "x-anything"])
def test_headers_that_are_too_large_are_not_read(house: Gate, name: str) -> None:
    answer = house.browser().get("/v1/keys", headers={name: "a" * 65_536})
    assert (answer.status_code, answer.headers["content-type"]) == (431, "application/problem+json")


def test_who_shows_many_wrong_keys_has_to_wait_and_others_do_not(house: Gate) -> None:
    house.admission.keys.misses.free = 5
    guesser, neighbour = house.browser("198.51.100.9"), house.browser("198.51.100.10")
    guesses = [
        guesser.get("/v1/keys", headers={"Authorization": f"Bearer ll_{guess}"}).status_code for guess in range(7)
    ]
    assert guesses == [401] * 5 + [429] * 2
    right = {"Authorization": f"Bearer {house.key}"}
    assert guesser.get("/v1/keys", headers=right).status_code == 200, "somebody else may be behind the same address"
    assert neighbour.get("/v1/keys", headers={"Authorization": "Bearer x"}).status_code == 401
    assert guesser.get("/v1/keys").status_code == 401, "without a key there is nothing to guess"


def test_pages_with_a_key_that_was_revoked_hear_no_more_than_that(shop: Inside) -> None:
    shop.state.keys.misses.free = 2
    wrong = {"Authorization": "Bearer ll_revoked"}
    codes = [shop.request("POST", "/v1/track", json=TRACK, headers=wrong).status_code for _ in range(5)]
    assert codes == [401] * 5, "a 429 would have them send it again and again"


def test_all_ways_to_show_a_key(shop: Inside) -> None:
    key = shop.key
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer  {key} "}, {"Authorization": key},
                    {b"authorization": basic(f"{key}:".encode())}, {b"authorization": basic(f"{key}:x:y".encode())},
                    {"X-Write-Key": f"{key}:secret"}):  # fmt: skip
        assert shop.request("POST", "/v1/track", json=TRACK, headers=headers).status_code == 200, headers
    assert shop.request("POST", "/v1/track", json={**TRACK, "writeKey": key}, headers={}).status_code == 200


# --------------------------------------------------------------------------------------------------- what a key may


def made(shop: Inside, *scopes: str, **more: Any) -> dict[str, str]:
    secret, _ = shop.state.keys.make("made", scopes, **more)
    return {"Authorization": f"Bearer {secret}"}


def test_a_key_that_anybody_can_see_joins_nobody(shop: Inside) -> None:
    page, server = made(shop, "browser"), made(shop, "ingest")
    alias = {"type": "alias", "previousId": "victim", "userId": "evil"}
    track = {"type": "track", "userId": "u1", "event": "page"}
    alone = shop.request("POST", "/v1/alias", json=alias, headers=page)
    assert (alone.status_code, "not one for browsers" in alone.json()["detail"]) == (400, True)
    batch = {"batch": [track, {"type": "track"}, alias, track]}
    mixed = shop.request("POST", "/v1/batch", json=batch, headers=page).json()
    assert (mixed["accepted"], [one["index"] for one in mixed["rejected"]]) == (2, [1, 2])
    lines = b'{"type":"track","userId":"u1","event":"page"}\n{"type":"alias","previousId":"v","userId":"e"}\n'
    assert shop.request("POST", "/v1/lines", content=lines, headers=page).json()["accepted"] == 1
    assert shop.request("POST", "/v1/alias", json=alias, headers=server).status_code == 200
    assert shop.request("POST", "/v1/identify", json={"userId": "u9", "traits": {"a": 1}}, headers=page).is_success
    for path in ("/v1/leads", "/v1/keys"):
        assert shop.request("GET", path, headers=page).status_code == 403
    secret = page["Authorization"].removeprefix("Bearer ")
    assert shop.request("GET", f"/v1/projects/{secret}/settings", headers={}).status_code == 200


def test_a_key_goes_as_fast_as_it_may(shop: Inside) -> None:
    at = [0.0]
    shop.state.keys.limits.clock = lambda: at[0]
    try:
        slow = made(shop, "ingest", requests=2)
        answers = [shop.request("POST", "/v1/track", json=TRACK, headers=slow) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"requests";q=2;w=1'
        assert answers[1].headers["ratelimit"] == '"requests";r=0;t=1'
        assert answers[2].headers["retry-after"] == "1"
        at[0] += 0.5
        assert shop.request("POST", "/v1/track", json=TRACK, headers=slow).status_code == 200
        few = made(shop, "ingest", events=10)
        batch = {"batch": [{"type": "track", "userId": "u1", "event": "page"}] * 25}
        assert shop.request("POST", "/v1/batch", json=batch, headers=few).status_code == 200
        late = shop.request("POST", "/v1/batch", json=batch, headers=few)
        assert (late.status_code, late.headers["retry-after"], "events" in late.headers["ratelimit"]) == (
            429,
            "2",
            True,
        )
        at[0] += 2
        assert shop.request("POST", "/v1/batch", json=batch, headers=few).status_code == 200
        assert "ratelimit" not in shop.request("POST", "/v1/track", json=TRACK).headers
    finally:
        shop.state.keys.limits.clock = time.monotonic


def test_calls_are_not_audited_and_changes_are(shop: Inside) -> None:
    shop.request("POST", "/v1/track", json=TRACK)
    shop.request("POST", "/v1/score", json={"job": "vp"})
    shop.request("POST", "/v1/keys", json={"name": "a", "scopes": ["read"]})
    shop.request("DELETE", "/v1/keys/none")
    shop.get("/v1/leads/crm-1")
    shop.get("/v1/leads/crm-1/access")
    shop.request("DELETE", "/v1/leads/crm-1", headers=made(shop, "read"))
    found = audited(shop.state.admission.audit).entries
    assert [(entry.what, entry.outcome) for entry in found] == [
        ("POST /v1/keys", "201"), ("DELETE /v1/keys/{id}", "404"), ("GET /v1/leads/{id:path}/access", "200"),
        ("DELETE /v1/leads/{id:path}", "403"),
    ]  # fmt: skip
    assert [entry.on for entry in found[2:]] == ["a lead", "a lead"]


def test_figures_are_behind_a_key_where_that_is_wanted(shop: Inside) -> None:
    assert shop.request("GET", "/metrics", headers={}).status_code == 401
    assert shop.request("GET", "/metrics", headers=made(shop, "ingest")).status_code == 403
    assert "leadlight_answers" in shop.request("GET", "/metrics", headers=made(shop, "read")).text
    assert shop.request("GET", "/healthz", headers={}).status_code == 200
