"""What tests of providers share: a question put to a provider over the small internet."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime

import pytest

from leadlight.enrich.net.net import open_network
from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.sound import Sound, sound

NOW = datetime(2026, 11, 28, 12)


@pytest.fixture
def ask(internet, tmp_path):
    """Ask a provider with clues; returns its facts by attribute, all of which are sound as they come.

    Nothing is remembered from one question to the next, unless `cache` names a file.
    """
    caches = itertools.count()

    def asked(provider, *, attributes=None, at=NOW, times=1, cache=None, **clues):
        async def run():
            query = Query({Clue(name): value for name, value in clues.items()}, attributes or {}, at)
            async with open_network(internet.network(), cache or tmp_path / f"{next(caches)}.sqlite") as network:
                for _ in range(times):
                    facts = await Sound(provider, provider.about).ask(query, network)
                return facts

        facts = asyncio.run(run())
        assert sound(facts, provider.about) == facts
        assert not internet.errors
        return {fact.attribute: fact for fact in facts}

    internet.forget()
    return asked
