"""Questions that look at the whole past hold nobody up."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.service.shop import Inside

from leadlight.errors import StoreError
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.readers import LONG_WAITING


def test_a_short_question_waits_for_no_long_one_and_there_is_an_end_to_waiting(past: Inside) -> None:
    hold, begun, readers = threading.Event(), threading.Event(), past.state.readers

    def long(_: LiveWorkspace) -> str:
        begun.set()
        hold.wait(30)
        return "long"

    with ThreadPoolExecutor(LONG_WAITING) as threads:
        asked = [threads.submit(readers.ask_long, long) for _ in range(LONG_WAITING)]
        try:
            assert begun.wait(20)
            assert past.get("/v1/leads/crm-1").status_code == 200
            while readers._room.acquire(blocking=False):  # all of them wait
                readers._room.release()
            with pytest.raises(StoreError, match="many long questions"):
                readers.ask_long(long)
            answer = past.get("/v1/profile")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        finally:
            hold.set()
        assert [one.result(30) for one in asked] == ["long"] * LONG_WAITING
