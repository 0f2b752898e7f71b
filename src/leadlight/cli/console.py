"""Where words go: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

from rich.console import Console, RenderableType
from rich.text import Text

PIPE_WIDTH = 100_000
"""How wide a line may be where no terminal breaks it: programs that read us want one row on one line."""

CLEAN = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
CLEAN |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029)}
"""Characters of users' data that would steer a terminal or turn its text around, and how they are shown."""


class Report(Protocol):
    """What a verb returns."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""


R = TypeVar("R", bound=Report)


def clean(text: str) -> str:
    """Make a text harmless for a terminal.

    >>> clean("Zoë \\x1b[31mred")
    'Zoë \\\\x1b[31mred'
    """
    return text.translate(CLEAN)


def words(value: object, style: str = "") -> Text:
    """Return a value as text that is shown as it is, without markup."""
    return Text(clean(str(value)), style=style)


def out() -> Console:
    """Return the console for results: as wide as the terminal, or without breaks where it is none."""
    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)


def err() -> Console:
    """Return the console for faults, questions and progress."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def write(report: R, *, as_json: bool, render: Callable[[R], RenderableType] | None = None) -> None:
    """Print a report as JSON, or as `render` draws it (its own text, without)."""
    if as_json:
        write_json(report.as_dict())
    else:
        show(render(report) if render else words(report))


def write_json(document: Any) -> None:
    """Print one JSON document."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print_raw(json.dumps(document, indent=2, ensure_ascii=not unicode, allow_nan=False) + "\n")


def print_raw(text: str) -> None:
    """Print text for programs, as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


def show(renderable: RenderableType) -> None:
    """Print something for people."""
    console = out()
    if console.is_terminal:
        console.print(renderable)
        return
    with console.capture() as captured:
        console.print(renderable)
    print_raw("\n".join(line.rstrip() for line in captured.get().split("\n")))


@contextmanager
def steps(what: str) -> Iterator[Callable[[str], None]]:
    """Say on a terminal what is being done, step by step, until it is done."""
    with err().status(what + " …", spinner="line") as status:
        yield lambda step: status.update(step + " …")


def working(what: str) -> AbstractContextManager[Any]:
    """Say on a terminal that something takes a moment, until it is done."""
    return err().status(what + " …", spinner="line")
