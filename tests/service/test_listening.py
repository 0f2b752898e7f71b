"""Waiting to be told to stop."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest

from leadlight.errors import UsageError
from leadlight.service.listening import listen, until_stopped


def test_it_waits_for_a_signal_and_looks_around_meanwhile() -> None:
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    until_stopped(timedelta(seconds=60), look)
    assert looks == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_it_waits_no_longer_than_it_was_told() -> None:
    began = time.monotonic()
    until_stopped(timedelta(milliseconds=50))
    assert 0.04 < time.monotonic() - began < 5


def test_a_port_that_is_taken_is_said_so() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="cannot listen"):
        listen("127.0.0.1", taken.getsockname()[1])
