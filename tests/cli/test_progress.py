"""Progress is for people at a terminal: there it shows rows a second, elsewhere nothing."""

from __future__ import annotations

import pytest

from leadlight.cli.progress import making, reading
from leadlight.sources.read import ProgressUpdate


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with reading() as update:
        update(ProgressUpdate("leads", "leads.csv", 1000, 50, 100, 0.5))
    with making("leads") as advance:
        advance(10, 20)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_terminal_gets_a_bar_for_each_source(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    with reading() as update:
        update(ProgressUpdate("leads", "leads.csv", 1000, 50, 100, 0.5))
        update(ProgressUpdate("deals", "", 30, 0, 0, 0.0))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "1,000 rows, 2,000 rows/s" in captured.err
    assert "deals" in captured.err
