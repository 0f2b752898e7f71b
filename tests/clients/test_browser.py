"""Segment's client for browsers (analytics-next, its standalone bundle) in Chromium, on a page of another origin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.clients import node
from tests.clients.browser import chromium, visitor
from tests.clients.live import Live, pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = """<!doctype html><title>Pricing</title>
<script>
  var analytics = window.analytics = []
  analytics._writeKey = '{key}'
  analytics._cdn = '{address}'
  analytics.invoked = true
  analytics.methods = ['track', 'page', 'identify']
  analytics._loadOptions = {{integrations: {{'Segment.io': {{
    protocol: 'http', apiHost: '{host}/v1', deliveryStrategy: {strategy}}}}}}}
  for (const name of analytics.methods) analytics[name] = (...words) => analytics.push([name, ...words])
  analytics.page()
</script>
<script async src="/standalone.js"></script>
<p>Hello
"""
BATCHING = "{strategy: 'batching', config: {size: 10, timeout: 300}}"
SINGLE = "{strategy: 'standard', config: {}}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def until(done: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def site(service: Live, key: str, strategy: str) -> dict[str, bytes]:
    bundle = node.packages() / "node_modules/@segment/analytics-next/dist/umd/standalone.js"
    host = service.address.removeprefix("http://")
    page = PAGE.format(key=key, address=service.address, host=host, strategy=strategy)
    return {"/pricing": page.encode(), "/standalone.js": bundle.read_bytes()}


def found(service: Live, user: str) -> list[tuple[str, int]]:
    return sorted(
        service.rows(
            "SELECT e.type, count(*) FROM events e JOIN ids i ON i.lead = e.lead "
            f"WHERE i.id = '{user}' AND e._source = 'live' GROUP BY ALL"
        )
    )


@pytest.mark.parametrize(
    ("strategy", "plan"),
    [(BATCHING, ()), (BATCHING, (429,)), (BATCHING, (503,)), (SINGLE, (503,))],
    ids=["batches", "batches too much", "batches broken", "single broken"],
)
def test_each_event_arrives_once(service: Live, browser: Browser, strategy: str, plan: tuple[int, ...]) -> None:
    key, context = service.key(*plan), visitor(browser)
    user = f"next-{key[-6:]}"
    with pages(site(service, key, strategy)) as origin:
        page = context.new_page()
        page.goto(f"{origin}/pricing?utm_campaign=spring")
        page.evaluate(f"analytics.identify('{user}', {{email: '{user}@x.example', job: 'vp'}})")
        page.evaluate("analytics.track('Demo Requested', {source: 'web'})")
        until(lambda: found(service, user) == [("Demo Requested", 1), ("page", 1)])
        page.wait_for_timeout(400)  # whatever would be sent once more would come now
    assert found(service, user) == [("Demo Requested", 1), ("page", 1)]
    assert [status for status in service.moods.asked[key] if status != 200] == list(plan)
    told = service.rows(
        f"SELECT DISTINCT e.path, e.utm_campaign FROM events e JOIN ids i ON i.lead = e.lead WHERE i.id = '{user}'"
    )
    assert told == [("/pricing", "spring")]
    context.close()


def test_what_waits_is_sent_when_the_page_is_left(service: Live, browser: Browser) -> None:
    key, context = service.key(), visitor(browser)
    user = f"next-{key[-6:]}"
    with pages(site(service, key, "{strategy: 'batching', config: {size: 50, timeout: 60000}}")) as origin:
        page = context.new_page()
        page.goto(f"{origin}/pricing")
        page.wait_for_function("analytics.initialized")
        page.evaluate(f"analytics.identify('{user}'); analytics.track('Demo Requested')")
        page.wait_for_timeout(200)
        page.goto("about:blank")
        until(lambda: found(service, user) == [("Demo Requested", 1), ("page", 1)])
    context.close()
