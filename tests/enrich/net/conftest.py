"""What tests of the door share."""

from __future__ import annotations

import asyncio

import pytest

from leadlight.enrich.net.net import open_network
from leadlight.enrich.network import NetworkError


@pytest.fixture
def ask(tmp_path):
    """Run one question, or a function of the door, on a door of its own; the answer, or the NetworkError."""

    def run(spec, what, *, path=tmp_path / "lookups.sqlite", **more):
        async def go():
            async with open_network(spec, path, **more) as door:
                try:
                    return await (door.get(what) if isinstance(what, str) else what(door))
                except NetworkError as error:
                    return error

        return asyncio.run(go())

    return run
