"""Bars made of block characters: how large a contribution is, and to which side."""

from __future__ import annotations

from rich.text import Text

HALF = 10
"""How many characters the largest bar has, on either side of the middle."""

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(value: float, largest: float, half: int = HALF) -> Text:
    """Draw a value as a bar that grows to the right (green) or, below zero, to the left (red).

    >>> bar(10, 10, 4).plain, bar(-5, 10, 4).plain, bar(3, 10, 4).plain
    ('    │████', '  ██│    ', '    │█▎  ')
    """
    share = min(abs(value) / largest, 1.0) if largest else 0.0
    if value < 0:
        length = max(round(share * half), 1)
        return Text.assemble(" " * (half - length), ("█" * length, "red"), "│", " " * half)
    eighths = max(round(share * half * 8), 1) if value else 0
    blocks = "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return Text.assemble(" " * half, "│", (blocks, "green"), " " * (half - len(blocks)))
