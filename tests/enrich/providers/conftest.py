"""What tests of providers share: a question put to a provider over the small internet."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from leadlight.enrich.net.net import open_network
from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.sound import Sound, sound

NOW = datetime(2026, 11, 28, 12)


@pytest.fixture
def ask(internet):
    """Ask a provider with clues; returns its facts by attribute, all of which are sound as they come."""

    def asked(provider, *, attributes=None, at=NOW, times=1, **clues):
        async def run():
            query = Query({Clue(name): value for name, value in clues.items()}, attributes or {}, at)
            async with open_network(internet.network(), None) as network:
                for _ in range(times):
                    facts = await Sound(provider, provider.about).ask(query, network)
                return facts

        facts = asyncio.run(run())
        assert sound(facts, provider.about) == facts
        assert not internet.errors
        return {fact.attribute: fact for fact in facts}

    internet.forget()
    return asked
