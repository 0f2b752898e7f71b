"""The system's Chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
"""What a person's browser calls itself: a headless one says that it is one, and would be taken for a bot."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it once; tests are skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this system")
    with sync_playwright() as playwright:
        # For the whole browser: what is sent while a page is left goes without a context's own name.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", f"--user-agent={PERSON}"])
        yield browser
        browser.close()


def visitor(browser: Browser) -> BrowserContext:
    """A person with a profile of their own."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    return context
