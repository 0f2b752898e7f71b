from __future__ import annotations

import io
import json
import sys

import pytest

from leadlight.cli.console import clean, show, words, write_json


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\rb", "a\\x0db"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202excod.exe", "abc\\u202excod.exe"),
        ("[bold]not markup[/bold] :smile:", "[bold]not markup[/bold] :smile:"),
        ("Zoë 山田 👩‍💻", "Zoë 山田 👩‍💻"),
    ],
)
def test_data_cannot_steer_the_terminal(hostile: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean(hostile) == shown
    show(words(hostile))
    assert capsys.readouterr().out == shown + "\n"


def test_a_pipe_gets_whole_lines_without_trailing_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    show(words("word " * 400))
    assert capsys.readouterr().out == ("word " * 400).rstrip() + "\n"


def test_json_stays_json_where_the_output_knows_ascii_only(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write_json({"id": "Zoë 👩"})
    assert raw.getvalue().isascii()
    assert json.loads(raw.getvalue()) == {"id": "Zoë 👩"}


def test_numbers_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="Out of range float values"):
        write_json({"score": float("nan")})
