"""Pages are read the same way in a child as here; children end, and one that dies costs its page."""

from __future__ import annotations

import asyncio

import pytest

from leadlight.enrich.extract import readers as module
from leadlight.enrich.extract.page import read_page
from leadlight.enrich.extract.readers import Readers
from leadlight.enrich.network import NetworkError

MARKUP = "<title>Acme {n}</title><p>Call 212-555-01{n:02d} or write to info@acme{n}.com"


def pages(count):
    return [(MARKUP.format(n=n), f"https://acme{n}.com/") for n in range(count)]


async def read_all(readers, some):
    return await asyncio.gather(*(readers.read(markup, url) for markup, url in some))


def test_a_child_reads_as_we_do():
    readers = Readers(few=1, most=1)
    some = pages(12)
    assert asyncio.run(read_all(readers, some)) == [read_page(markup, url) for markup, url in some]
    children = list(readers._children)
    assert children
    del readers
    assert all(child.poll() is not None for child in children)


def test_few_pages_start_no_child():
    readers = Readers(few=5)
    asyncio.run(read_all(readers, pages(5)))
    assert not readers._children


def test_a_child_that_dies_costs_its_page_and_in_the_end_we_read_ourselves(monkeypatch):
    monkeypatch.setattr(module, "DEATHS", 1)
    readers = Readers(few=0, most=1)
    (page,) = pages(1)

    async def killed():
        first = await readers.read(*page)
        for child in readers._children:
            child.kill()
            child.wait()
        with pytest.raises(NetworkError):
            await readers.read(*page)
        return first, await readers.read(*page)

    first, last = asyncio.run(killed())
    assert first == last
