"""The tracker as it is fetched; what it does is seen in tests/clients/test_tracker.py."""

from __future__ import annotations

from tests.service.shop import Inside

from leadlight.service.tracker_routes import script


def test_it_is_fetched_without_a_key_and_kept_for_a_while(service: Inside) -> None:
    answer = service.request("GET", "/v1/leadlight.js", headers={})
    assert answer.content == script()
    assert len(answer.content) < 4096
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "max-age" in answer.headers["cache-control"]
    again = service.request("GET", "/v1/leadlight.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_may_read_when_to_try_again(service: Inside) -> None:
    refused = service.request("POST", "/v1/batch", content="{", headers={"Origin": "https://shop.example"})
    assert refused.headers["access-control-expose-headers"] == "Retry-After"
