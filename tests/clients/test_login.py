"""A person logs in with Chromium; a page of somebody else tries to act in their name."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from tests.clients.browser import chromium, visitor
from tests.clients.live import pages
from tests.service.gate import Gate, gate

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FORGERY = """<!doctype html><title>Win a prize</title>
<iframe name="out"></iframe>
<form id="logout" method="post" action="{address}/logout" target="out"></form>
<form id="login" method="post" action="{address}/login" target="out">
  <input name="name" value="admin"><input name="password" value="another one entirely"></form>
<script>
  const forged = {{name: 'forged', scopes: ['manage']}}
  const how = {{method: 'POST', credentials: 'include', body: JSON.stringify(forged)}}
  document.getElementById('logout').submit()
  window.tried = fetch('{address}/v1/keys', how).then(answer => answer.status, () => 'refused')
  window.read = fetch('{address}/v1/me', {{credentials: 'include'}}).then(answer => answer.text(), () => 'refused')
</script>
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gate, str]]:
    """The part of the service that people see, over a socket."""
    with gate(tmp_path_factory.mktemp("house")) as found:
        server = uvicorn.Server(uvicorn.Config(found.app, port=0, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run)
        thread.start()
        end = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < end
            time.sleep(0.01)
        yield found, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def test_a_person_logs_in_and_nobody_acts_in_their_name(house: tuple[Gate, str], tmp_path: Path) -> None:
    found, address = house
    with chromium() as browser:
        page = visitor(browser).new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(address + found.admission.people.link())
        page.fill("input[name=password]", "a few words of mine")
        page.click("button")
        assert "You are admin, and may read, manage." in page.inner_text("body")
        page.click("text=Log out")
        assert "Nobody is logged in" in page.inner_text("body")
        page.click("text=Log in")
        page.fill("input[name=name]", "admin")
        page.fill("input[name=password]", "a few words of mine")
        page.click("button")
        assert "You are admin" in page.inner_text("body")
        assert [fault for fault in faults if "favicon" not in fault and "404" not in fault] == []

        keys = [key.name for key in found.admission.keys.all()]
        with pages({"/prize": FORGERY.format(address=address).encode()}) as elsewhere:
            page.goto(f"http://localhost:{urlsplit(elsewhere).port}/prize")
            assert page.evaluate("window.tried") in ("refused", 401, 403)
            assert page.evaluate("window.read") == "refused"
            page.wait_for_load_state("networkidle")
        page.goto(address)
        assert "You are admin" in page.inner_text("body")
        assert [key.name for key in found.admission.keys.all()] == keys
