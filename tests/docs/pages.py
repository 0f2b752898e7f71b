"""Pages of documentation, taken apart: the files they show, the commands they give, what they say comes out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMPT = "$ leadlight"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the file it is shown as the content of."""

    page: str
    line: int
    language: str
    text: str
    file: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command of a console block, and the lines said to come out."""

    place: str
    arguments: list[str]
    shown: list[str]

    def __str__(self) -> str:
        return f"{self.place} leadlight {shlex.join(self.arguments)}"


def pages() -> list[Path]:
    """All pages of the repository."""
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]


def name(page: Path) -> str:
    """Name a page by its place in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = None
    for number, line in enumerate(lines, start=1):
        if not line.startswith("```"):
            continue
        if start is None:
            start = number
            continue
        text = "\n".join(lines[start : number - 1]) + "\n"
        yield Block(name(page), start, lines[start - 1][3:].strip(), text, _file_before(lines[: start - 1]))
        start = None
    assert start is None, f"{name(page)}:{start}: a block without an end"


def _file_before(lines: list[str]) -> str | None:
    """Return the file that is named in the line before, where that ends in a colon."""
    said = next((line for line in reversed(lines) if line.strip()), "")
    found = re.findall(r"`([\w./-]+\.(?:csv|yaml|jsonl))`", said) if said.endswith(":") else []
    return found[-1] if found else None


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block."""
    at, shown = None, list[str]()
    for number, line in enumerate([*block.text.splitlines(), "$"], start=block.line + 1):
        if not line.startswith("$"):
            shown.append(line)
            continue
        if at is not None:
            yield Command(f"{block.page}:{at[0]}", shlex.split(at[1], comments=True)[2:], shown)
        at, shown = ((number, line) if line.startswith(PROMPT) else None), []


def unlike(shown: list[str], printed: str) -> list[str]:
    """Return the shown lines that were not printed, in any order of blanks; … stands for anything."""
    found = [" ".join(line.split()) for line in printed.splitlines()]
    patterns = {line: ".*".join(map(re.escape, " ".join(line.split()).split("…"))) for line in shown if line.strip()}
    return [line for line, pattern in patterns.items() if not any(re.fullmatch(pattern, text) for text in found)]
