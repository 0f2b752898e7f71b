"""What people see: on a terminal, in a narrow one, in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Run

import leadlight
from leadlight.cli import render
from leadlight.templates.init import init

AS_OF = ("--as-of", "2026-06-30")
LONG = "lead-with-an-id-that-is-much-longer-than-any-terminal-column-would-like-0001"


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose leads are called tickets, the best of them by a very long id."""
    folder = tmp_path_factory.mktemp("tickets")
    init(folder, today=date(2026, 6, 30))
    spec = folder / "leadlight.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("entity: lead ", "entity: ticket ", 1), encoding="utf-8")
    for name in ("leads", "events", "deals"):
        path = folder / "data" / f"{name}.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("L004", LONG), encoding="utf-8")
    workspace = leadlight.open(folder)
    workspace.ingest()
    workspace.score(as_of="2026-05-31")
    workspace.score(as_of="2026-06-30")
    return folder


def on_terminal(columns: int, *words: str, **environment: str) -> str:
    """Run `leadlight …` on a terminal so wide, and return what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm-256color", **environment})
        os.environ.pop("COLUMNS", None)
        os.execv(sys.executable, [sys.executable, "-m", "leadlight", *words])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown.decode()
    return shown.decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    """Leave out what a terminal would not show."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_the_entity_is_called_by_its_name(run: Run, tickets: Path) -> None:
    assert "19 tickets by house as of 2026-06-30 UTC; 11 excluded" in run("rank", "-w", tickets, *AS_OF).out
    assert run("explain", "L001", "-w", tickets, *AS_OF).out.startswith("ticket L001: ")
    assert run("why", "L001", "-w", tickets, "--since", "2026-06-01", *AS_OF).out.startswith("ticket L001: ")
    assert "30 tickets and 163 events, last scored as of 2026-06-30 UTC." in run("-w", tickets).out


def test_a_pipe_has_one_row_a_line_and_no_colour(run: Run, tickets: Path) -> None:
    lines = run("rank", "-w", tickets, *AS_OF, "-n", "5").out.splitlines()
    assert lines[0].split() == ["#", "id", "score", "grade", "fit", "interest", "reasons"]
    assert [line.split()[0] for line in lines[1:6]] == ["1", "2", "3", "4", "5"]
    assert LONG in lines[1]
    assert "\x1b" not in "".join(lines)
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_breaks_lines_but_loses_nothing(tickets: Path, columns: int) -> None:
    shown = plain(on_terminal(columns, "rank", "-w", str(tickets), *AS_OF, "-n", "3", NO_COLOR="1"))
    table = shown[shown.index("#") :]
    assert max(len(line) for line in table.splitlines()) <= columns
    assert "…" not in table
    assert "interest" not in table.splitlines()[0]
    head = table.splitlines()[0]
    ids = slice(head.index("id"), head.index("score"))
    assert LONG in "".join(line[ids].strip() for line in table.splitlines())


def test_a_terminal_gets_colours_and_bars(tickets: Path) -> None:
    shown = on_terminal(120, "explain", LONG, "-w", str(tickets), *AS_OF)
    assert "\x1b[1;32mA1\x1b[0m" in shown
    assert "│\x1b[32m██████████" in shown


def test_no_color_is_heeded(tickets: Path) -> None:
    shown = on_terminal(120, "explain", LONG, "-w", str(tickets), *AS_OF, NO_COLOR="1")
    assert "\x1b[1;32m" not in shown
    assert "│██████████" in plain(shown)


def test_an_explanation_adds_up_as_shown(run: Run, tickets: Path) -> None:
    out = run("explain", "L001", "-w", tickets, *AS_OF).out
    score = float(re.search(r": (-?[\d.]+) points", out)[1])  # type: ignore[index]
    items = [float(number) for number in re.findall(r"^ *([+-][\d.]+) ", out, re.M)]
    groups = [float(number) for number in re.findall(r"^ *(-?[\d.]+)  +(?:fit|interest)$", out, re.M)]
    assert sum(groups) == pytest.approx(score, abs=0.11)
    assert sum(items) == pytest.approx(score, abs=0.05 * (len(items) + 1))
    assert "no points from: " in out


def test_a_gate_stands_above_the_points(run: Run, tickets: Path) -> None:
    out = run("explain", "L010", "-w", tickets, *AS_OF).out
    assert "grade D3 whatever the points: Student (job level is Student)" in out


def test_an_edit_is_shown_as_a_matrix_and_movers(run: Run, tickets: Path) -> None:
    edited = tickets / "edited.yaml"
    house = (tickets / "scorecards" / "house.yaml").read_text(encoding="utf-8")
    edited.write_text(house.replace("C-level: 20", "C-level: -20"), encoding="utf-8")
    ended = run("diff", "-w", tickets, "--against", edited, *AS_OF)
    assert ended.code == 0, ended.err
    assert "get another score" in ended.out
    assert "from (row) to (column)" in ended.out
    assert re.search(rf"{LONG} .*Job level \+40\.0", ended.out)


def test_history_shows_the_way_of_the_grade(run: Run, tickets: Path) -> None:
    lines = run("history", LONG, "-w", tickets).out.splitlines()
    assert lines[0] == f"{LONG} by house: 2 scores kept"
    assert [line.split()[0] for line in lines[2:]] == ["2026-05-31", "2026-06-30"]
    assert lines[3].split()[2:4] == ["A1", "↑"]


def test_ingesting_on_a_terminal_leaves_only_the_table(tickets: Path, tmp_path: Path) -> None:
    init(tmp_path, today=date(2026, 6, 30) - timedelta(days=1))
    shown = plain(on_terminal(120, "ingest", "-w", str(tmp_path)))
    assert shown.rstrip().splitlines()[-1].startswith("203 rows read in ")
    assert "rejected" in shown


def test_grades_are_coloured_by_their_place() -> None:
    labels = ["hot", "warm", "cool", "cold"]
    assert [render.grade(label, labels).style for label in labels] == ["bold green", "green", "yellow", "red"]
    assert render.grade(None, labels).plain == ""
    assert render.grade("only", ["only"]).style == "bold green"
