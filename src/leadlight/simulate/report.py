"""What a simulation made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, repr=False)
class SimulationReport:
    """What was made, and where it lies.

    `base_rate` is the share of people won within 90 days of arrival, among those who arrived at least that long before
    `until`; None when nobody did. `won` and `lost` are people, not ids; `seconds` is wall time.
    """

    out: Path
    seed: int
    start: datetime
    until: datetime
    leads: int
    accounts: int
    events: int
    won: int
    lost: int
    duplicates: int
    bots: int
    base_rate: float | None
    files: tuple[Path, ...]
    seconds: float

    @property
    def open(self) -> int:
        """People who were neither won nor lost by `until`."""
        return self.leads - self.duplicates - self.won - self.lost

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            **asdict(self),
            "out": str(self.out),
            "start": self.start.isoformat(),
            "until": self.until.isoformat(),
            "open": self.open,
            "files": [str(path) for path in self.files],
        }

    def __repr__(self) -> str:
        return "\n".join(f"{name:<10}  {value}" for name, value in self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self._lines())
        return f"<table>{rows}</table>"

    def _lines(self) -> list[tuple[str, str]]:
        rate = "not known: nobody arrived 90 days before the end" if self.base_rate is None else f"{self.base_rate:.1%}"
        people = f"{self.leads:,} ({self.duplicates:,} duplicates, {self.bots:,} bots) of {self.accounts:,} accounts"
        return [
            ("World", f"seed {self.seed}, from {self.start:%Y-%m-%d} to {self.until:%Y-%m-%d}"),
            ("Leads", people),
            ("Events", f"{self.events:,}"),
            ("Outcomes", f"{self.won:,} won, {self.lost:,} lost, {self.open:,} open"),
            ("Base rate", rate),
            ("Files", ", ".join(path.name for path in self.files) + f" in {self.out}"),
            ("Took", f"{self.seconds:.1f} s"),
        ]
