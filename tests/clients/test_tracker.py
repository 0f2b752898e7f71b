"""Our own tracker in a real browser, on a page of another origin than the service's."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.clients import node
from tests.clients.browser import chromium, visitor
from tests.clients.live import Live, pages

from leadlight.service import tracker
from leadlight.service.tracker_routes import script

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SOURCE = Path(tracker.__file__).with_name("leadlight.js")
MINIFIED = ("--compress", "passes=3,unsafe=true,unsafe_arrows=true,ecma=2018", "--mangle", "--ecma", "2018")

PAGE = """<!doctype html><title>{title}</title>
<script>window.leadlight = function () {{ (leadlight.q = leadlight.q || []).push(arguments) }}</script>
<script async src="{address}/v1/leadlight.js" data-key="{key}" {more}></script>
<body style="height: 4000px">
<a id="out" href="#there">Read   on</a> <b id="demo" data-leadlight="Demo Requested" data-leadlight-plan="pro">Demo</b>
<form id="sign-up" action="/" onsubmit="event.preventDefault()">
<input name="who" value="Ann Secret"><input type="password" name="word" value="hunter2">
<input type="email" name="mail" data-leadlight-identify><button id="send">Send</button></form>
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def site(service: Live, key: str, more: str = "") -> dict[str, bytes]:
    return {
        path: PAGE.format(title=path, address=service.address, key=key, more=more).encode()
        for path in ("/pricing", "/docs")
    }


def until(done: Callable[[], Any], seconds: float = 15) -> Any:
    end = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def events(service: Live, device: str) -> list[tuple[str, str]]:
    """What happened on a device, by time."""
    return [
        (kind, path)
        for kind, path in service.rows(
            "SELECT type, path FROM events e JOIN ids i ON i.lead = e.lead "
            f"WHERE i.id = 'anonymous:{device}' AND e._source = 'live' ORDER BY e.at, type"
        )
    ]


def device(page: Page) -> str:
    return str(until(lambda: page.evaluate("localStorage.getItem('ll_id')")))


def sent(service: Live, page: Page, key: str) -> None:
    """Wait until nothing is left to send."""
    until(lambda: page.evaluate("Object.keys(localStorage).every(name => !name.startsWith('ll_q'))"))
    assert service.moods.asked[key][-1] == 200


def open_page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page


def test_it_is_small_and_made_of_its_source(tmp_path: Path) -> None:
    assert len(script()) < 4096
    words = [str(SOURCE), *MINIFIED, "-o", str(tmp_path / "made.js")]
    node.run_package("terser/bin/terser", *words)
    said = f"run terser on {SOURCE.name} with {' '.join(MINIFIED)}, and write {SOURCE.stem}.min.js"
    assert (tmp_path / "made.js").read_bytes().strip() == script().strip(), said


def test_a_visit(service: Live, browser: Browser) -> None:
    """Views, also of an app that changes the address; clicks, scrolling, a form, a campaign; a person who says who."""
    key, context = service.key(), visitor(browser)
    with pages(site(service, key)) as origin:
        page = open_page(context, f"{origin}/pricing?utm_source=news&utm_campaign=spring&x=1")
        who = device(page)
        page.click("#out")
        page.click("#demo")
        page.mouse.wheel(0, 2500)
        until(lambda: page.evaluate("scrollY > 1500"))
        page.evaluate("history.pushState({}, '', '/team'); history.replaceState({x: 1}, '', '/team')")
        page.fill("[type=email]", "Bob@Acme.example")
        page.click("#send")
        page.evaluate("leadlight('track', 'Called', {minutes: 3})")
        sent(service, page, key)
        page.goto(f"{origin}/docs")
        until(lambda: ("page", "/docs") in events(service, who))
        page.close()
        wanted = sorted([
            ("page", "/pricing"), ("click", "/pricing"), ("Demo Requested", "/pricing"),
            ("scroll", "/pricing?utm_source=news&utm_campaign=spring&x=1"), ("page", "/team"), ("form_submit", "/team"),
            ("Called", "/team"), ("scroll", "/team"), ("page", "/docs"), ("scroll", "/docs"),
        ])  # fmt: skip
        until(lambda: len(events(service, who)) >= len(wanted))
    assert sorted(events(service, who)) == wanted
    whose = f"JOIN ids i ON i.lead = e.lead WHERE i.id = 'anonymous:{who}' AND e._source = 'live'"
    assert service.rows(f"SELECT DISTINCT utm_source, utm_campaign FROM events e {whose}") == [("news", "spring")]
    ((depth,),) = service.rows(f"SELECT max(depth) FROM events e {whose} AND type = 'scroll' AND path LIKE '/pricing%'")
    assert depth > 50
    clicks = service.rows(f"SELECT text, href FROM events e {whose} AND type = 'click'")
    assert clicks == [("Read   on", f"{origin}/pricing?utm_source=news&utm_campaign=spring&x=1#there")]
    assert service.rows(f"SELECT plan FROM events e {whose} AND type = 'Demo Requested'") == [("pro",)]
    assert service.rows(f"SELECT form FROM events e {whose} AND type = 'form_submit'") == [("sign-up",)]
    assert service.rows(f"SELECT l.id FROM leads l JOIN ids i ON i.lead = l.lead WHERE i.id = 'anonymous:{who}'") == [
        ("crm-2",)  # the address is that of the CRM's Bob
    ]
    assert not _ever_said(service, "Ann Secret", "hunter2")
    context.close()


def _ever_said(service: Live, *secrets: str) -> list[str]:
    names = [name for (name,) in service.rows("SELECT name FROM names WHERE kind = 'property' AND type = 'text'")]
    texts = " || ".join(f"coalesce(\"{name}\"::VARCHAR, '')" for name in names)
    return [one for one in secrets if service.rows(f"SELECT 1 FROM events WHERE strpos({texts}, '{one}') > 0")]


@pytest.mark.parametrize("plan", [(429,), (503, 429)], ids=["too much", "broken"])
def test_each_event_arrives_once_whatever_is_answered_first(
    service: Live, browser: Browser, plan: tuple[int, ...]
) -> None:
    key, context = service.key(*plan), visitor(browser)
    with pages(site(service, key)) as origin:
        page = open_page(context, f"{origin}/pricing")
        page.click("#demo")
        who = device(page)
        sent(service, page, key)
    assert [status for status in service.moods.asked[key] if status != 200] == list(plan)
    assert sorted(events(service, who)) == [("Demo Requested", "/pricing"), ("page", "/pricing")]
    context.close()


def test_what_could_not_be_sent_is_sent_by_the_next_page(service: Live, browser: Browser) -> None:
    key, context = service.key(*[503] * 2), visitor(browser)
    with pages(site(service, key)) as origin:
        page = open_page(context, f"{origin}/pricing")
        who = device(page)
        page.goto(f"{origin}/docs")  # the view of the first, and what its leaving sent, were refused
        until(lambda: ("page", "/docs") in events(service, who))
        sent(service, page, key)
    assert events(service, who).count(("page", "/pricing")) == 1
    assert service.moods.asked[key].count(503) == 2
    context.close()


def test_nothing_before_consent(service: Live, browser: Browser) -> None:
    key, context = service.key(), visitor(browser)
    with pages(site(service, key, 'data-consent="wait"')) as origin:
        page = open_page(context, f"{origin}/pricing?utm_source=x")
        page.wait_for_function("leadlight.q === undefined")  # the script has taken over
        page.click("#demo")
        page.evaluate("leadlight('track', 'Early')")
        page.evaluate("leadlight('identify', 'u1', {email: 'x@y.example'})")
        assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
        page.evaluate("leadlight('consent', true)")
        page.click("#demo")
        who = device(page)
        sent(service, page, key)
        page.evaluate("leadlight('track', 'Last'); leadlight('consent', false)")
        assert page.evaluate("localStorage.length") == 0
        page.click("#demo")
        page.goto(f"{origin}/docs")
        page.wait_for_function("leadlight.q === undefined")
        assert page.evaluate("localStorage.length") == 0
    assert sorted(events(service, who)) == [("Demo Requested", "/pricing"), ("page", "/pricing")]
    assert service.moods.asked[key] == [200]
    context.close()


def test_a_browser_that_says_no_is_heard(service: Live, browser: Browser) -> None:
    key, other, context = service.key(), service.key(), visitor(browser)
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})")
    with pages(site(service, key)) as origin:
        page = open_page(context, f"{origin}/pricing")
        page.wait_for_function("leadlight.q === undefined")
        page.evaluate("leadlight('consent', true)")
        page.click("#demo")
        assert page.evaluate("localStorage.length") == 0
        page.close()
    with pages(site(service, other, 'data-signals="ignore"')) as origin:
        page = open_page(context, f"{origin}/pricing")
        device(page)
        sent(service, page, other)
    assert service.moods.asked[key] == []
    context.close()


def test_a_page_without_storage_is_no_worse_for_it(service: Live, browser: Browser) -> None:
    key, context = service.key(), visitor(browser)
    context.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        "Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError') }})"
    )
    with pages(site(service, key)) as origin:
        faults: list[str] = []
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{origin}/pricing")
        page.click("#demo")
        until(lambda: service.moods.asked[key])
    assert faults == []
    context.close()


def test_the_readable_source_is_beside_it() -> None:
    source = SOURCE.read_text()
    assert re.search(r"data-consent=.wait", source)
    assert len(source) > 1.5 * len(script())
