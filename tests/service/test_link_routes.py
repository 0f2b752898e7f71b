"""Pixels and redirects over HTTP: what counts, what does not, and no way to somewhere else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.inbox import InboxError, InboxFull


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with inside(make_shop(tmp_path_factory.mktemp("links") / "shop")) as found:
        yield found


def made(service: Inside, **wanted: Any) -> tuple[str, list[str]]:
    """The paths of a pixel and of links."""
    answer = service.post("/v1/links", wanted)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    return urlsplit(said["pixel"]).path, [urlsplit(link).path for link in said["links"]]


def hit(service: Inside, path: str, method: str = "GET", **headers: str) -> Any:
    return service.request(method, path, headers={"User-Agent": "Mozilla/5.0 Firefox/150.0", **headers})


def happened(service: Inside, lead: str) -> list[tuple[str, str | None]]:
    service.settle()
    sql = (f"SELECT e.type, e.url FROM events e JOIN ids i ON i.lead = e.lead WHERE i.id = '{lead}' "
           "AND e._source = 'live'")  # fmt: skip
    return sorted(service.state.readers.ask_long(lambda workspace: workspace.engine.rows(sql)))


def test_an_open_and_a_click(service: Inside) -> None:
    pixel, (first, second) = made(service, user_id="crm-1", campaign="spring", message="m1",
                                  urls=["https://acme.example/a?b=c#d", "https://acme.example/e"])  # fmt: skip
    opened = hit(service, pixel, **{"User-Agent": "via ggpht.com GoogleImageProxy"})
    assert (opened.status_code, opened.headers["content-type"]) == (200, "image/gif")
    assert opened.content.startswith(b"GIF89a")
    clicked = hit(service, first)
    assert (clicked.status_code, clicked.headers["location"]) == (302, "https://acme.example/a?b=c#d")
    assert hit(service, second).headers["location"] == "https://acme.example/e"
    for answer in (opened, clicked):
        assert "no-store" in answer.headers["cache-control"]
    assert happened(service, "crm-1") == [
        ("email_click", "https://acme.example/a?b=c#d"),
        ("email_click", "https://acme.example/e"),
        ("email_open", None),
    ]


def test_somebody_known_by_address(service: Inside) -> None:
    pixel, _ = made(service, email="Bob@acme.example")
    assert hit(service, pixel).status_code == 200
    assert happened(service, "crm-2") == [("email_open", None)]


def test_a_crawler_counts_for_nobody(service: Inside) -> None:
    _, (link,) = made(service, user_id="crm-3", urls=["https://acme.example"])
    assert hit(service, link, **{"User-Agent": "Googlebot/2.1"}).status_code == 302
    assert happened(service, "crm-3") == []


def test_what_only_looks_does_not_count(service: Inside) -> None:
    pixel, (link,) = made(service, user_id="crm-3", urls=["https://acme.example"])
    for path in (pixel, link):
        assert hit(service, path, "HEAD").status_code in (200, 302)
    assert hit(service, pixel, **{"Purpose": "prefetch"}).status_code == 200
    for headers in ({"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}, {"X-Purpose": "preview"}):
        refused = hit(service, link, **headers)
        assert refused.status_code == 503
        assert "no-store" in refused.headers["cache-control"]
    assert happened(service, "crm-3") == []


def test_forged_links_lead_nowhere(service: Inside) -> None:
    pixel, (link,) = made(service, user_id="crm-3", urls=["https://acme.example"])
    forged = [
        link[:-1], link + "A", "/v1/c/https://evil.example", "/v1/c/aHR0cHM6Ly9ldmlsLmV4YW1wbGU.x", "/v1/o/x.gif",
        pixel.replace("/o/", "/c/").removesuffix(".gif"), link.replace("/c/", "/o/") + ".gif",
    ]  # fmt: skip
    for path in forged:
        answer = hit(service, path)
        assert answer.status_code == 404, path
        assert "location" not in answer.headers
    assert happened(service, "crm-3") == []


def test_only_who_may_manage_makes_links(service: Inside) -> None:
    for scope, status in (("browser", 403), ("ingest", 403), ("read", 403), ("manage", 200)):
        key, _ = service.state.keys.make(scope, [scope], at=service.state.now())
        headers = {"Authorization": f"Bearer {key}"}
        answer = service.request("POST", "/v1/links", json={"user_id": "crm-1"}, headers=headers)
        assert answer.status_code == status
    assert service.request("POST", "/v1/links", json={"user_id": "crm-1"}, headers={}).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [{}, [], {"user_id": 7}, {"user_id": ""}, {"user_id": "a", "email": "a@b.example"}, {"email": "nobody"},
     {"user_id": "a", "urls": "https://a.example"}, {"user_id": "a", "urls": ["javascript:alert(1)"]},
     {"user_id": "a", "urls": ["https://a.example"] * 101}, {"user_id": "a", "url": "https://a.example"}],
    ids=range(10),
)  # fmt: skip
def test_wishes_that_make_no_sense(service: Inside, wanted: Any) -> None:
    answer = service.post("/v1/links", wanted)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_nobody_waits_for_a_click_that_cannot_be_kept(service: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    pixel, (link,) = made(service, user_id="crm-3", urls=["https://acme.example"])

    def full(_: object) -> Future[Any]:
        raise InboxFull(7)

    def broken(_: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(InboxError("disk full"))
        return future

    for append in (full, broken):
        monkeypatch.setattr(service.state.journal, "append", append)
        assert hit(service, link).headers["location"] == "https://acme.example"
        assert hit(service, pixel).status_code == 200


def test_the_address_that_people_use_is_that_of_the_workspace(tmp_path: Any) -> None:
    shop = make_shop(tmp_path / "shop")
    with (shop / "leadlight.yaml").open("a") as file:
        file.write("\nservice: {address: 'https://go.acme.example'}\n")
    with inside(shop) as service:
        said = service.post("/v1/links", {"user_id": "crm-1", "urls": ["https://acme.example"]}).json()
        assert said["pixel"].startswith("https://go.acme.example/v1/o/")
        assert said["links"][0].startswith("https://go.acme.example/v1/c/")
