"""The list of verbs in `leadlight --help`, by what they are for."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

SECTIONS = {
    "Begin": ("init", "check", "ingest", "simulate"),
    "Where leads live": ("sync", "push"),
    "Score and understand": ("score", "rank", "explain", "why", "history", "letter"),
    "Learn from outcomes": ("learn", "uplift", "evaluate", "threshold", "backtest", "watch", "publish", "revert"),
    "Look at the past": ("profile", "similar", "next"),
    "Look leads up": ("enrich", "facts"),
    "Who is who": ("merges", "resolve", "bots"),
    "Change a scorecard": ("try", "diff", "schema"),
    "Hand on": ("allocate", "report", "export", "sql", "serve", "work", "refused", "notify", "outbox"),
    "Keep house": (
        "keys",
        "audit",
        "access",
        "erase",
        "retain",
        "backup",
        "restore",
    ),
}


class Sections(TyperGroup):
    """A group whose help lists its commands under headings."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands section by section."""
        del ctx  # the list is always the same
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(9), self.commands[name].get_short_help_str(90)) for name in names])
