"""Tokens count once: in one process, after a start again, and not for what failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from leadlight.errors import StoreError
from leadlight.service.mail.signatures import Stale, Tokens

NOW, DAY = datetime(2026, 1, 31), timedelta(days=1)


def test_a_token_counts_once_also_after_a_start_again(tmp_path: Path) -> None:
    with Tokens(tmp_path / "a" / "tokens.sqlite").used("t", NOW, DAY):
        pass
    again = Tokens(tmp_path / "a" / "tokens.sqlite")
    with pytest.raises(Stale), again.used("t", NOW, DAY):
        raise AssertionError
    with again.used("t2", NOW, DAY):
        pass


def test_a_token_in_use_is_used(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.sqlite")
    with tokens.used("t", NOW, DAY), pytest.raises(Stale), tokens.used("t", NOW, DAY):
        raise AssertionError


def test_a_token_of_what_could_not_be_kept_may_be_used_again(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.sqlite")
    with pytest.raises(RuntimeError), tokens.used("t", NOW, DAY):
        raise RuntimeError
    with tokens.used("t", NOW, DAY):
        pass


def test_tokens_are_forgotten_when_their_signatures_hold_no_more(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.sqlite")
    with tokens.used("t", NOW, DAY):
        pass
    with tokens.used("other", NOW + 2 * DAY, DAY):
        pass
    with tokens.used("t", NOW + 2 * DAY, DAY):
        pass


def test_a_disk_that_takes_nothing_is_the_stores_fault(tmp_path: Path) -> None:
    (tmp_path / "tokens.sqlite").mkdir()
    with pytest.raises(StoreError, match="cannot be kept"), Tokens(tmp_path / "tokens.sqlite").used("t", NOW, DAY):
        pass
