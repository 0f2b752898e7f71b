"""Names that events of our own making have: a scorecard may speak of them before the first such event has come."""

from __future__ import annotations

import re
from pathlib import Path

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.service.live_tables import LIVE
from leadlight.store.history import add_column
from leadlight.store.names import known_types, record

OF_MAIL = {
    **dict.fromkeys(("provider", "message", "campaign", "url", "bounce", "reason", "bot"), Type.TEXT),
    "machine": Type.BOOL,
}
"""Properties of `email_…` events."""
OF_PAGES = {
    **dict.fromkeys(("path", "url", "title", "referrer", "text", "href", "form"), Type.TEXT),
    **dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"), Type.TEXT),
    "depth": Type.NUMBER, "seconds": Type.NUMBER,
}  # fmt: skip
"""Properties of what the tracker sends."""
OURS = OF_PAGES | OF_MAIL


def know_our_names(engine: Engine, folder: Path) -> None:
    """Let the store know those of our names that the workspace's files speak of, and that it does not know yet."""
    spoken = set(re.findall(r"[a-z_]+", _text(folder)))
    known = known_types(engine, "property")
    new = {name: type_ for name, type_ in OURS.items() if name in spoken and name not in known}
    if not new:
        return
    with engine.transaction():
        for name in new.keys() - engine.columns("events").keys():
            engine.execute(add_column(engine, "events", name, new[name]))
        record(engine, "property", LIVE, new)


def _text(folder: Path) -> str:
    files = [folder / "leadlight.yaml", *sorted((folder / "scorecards").glob("*.yaml"))]
    return "\n".join(file.read_text(encoding="utf-8", errors="ignore") for file in files if file.is_file())
