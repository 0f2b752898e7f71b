"""Lead scoring you can read: every score is a sum of points, and every point has a reason.

Three steps, here on the example that `leadlight init` makes. First a workspace: a folder with `leadlight.yaml`, which
says where your records are, and `scorecards/*.yaml`, which say what gives how many points.

>>> import leadlight
>>> from datetime import date
>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from leadlight.templates.init import init
>>> place = TemporaryDirectory()
>>> _ = init(Path(place.name), today=date(2026, 6, 30))

Then open it and read the files; reading again changes nothing.

>>> workspace = leadlight.open(place.name)
>>> report = workspace.ingest()

Then ask: who comes first as of any moment, and where each point comes from.

>>> first = workspace.rank(as_of="2026-07-01", limit=1).rows[0]
>>> print(workspace.explain(first.ledger.id, as_of="2026-07-01"))
lead L004: 86.2 points, grade A1 as of 2026-07-01 00:00 UTC
     +26.9  Asked for a demo once, last on 26 Jun 2026
       +20  Job level: C-level
       +15  Company size: 340
       +10  Industry: Software
        +5  Colleagues visit too: 3
      +3.8  Visits 7 times, last on 26 Jun 2026
      +3.5  Looks at pricing once, last on 20 Jun 2026
        +2  Opens our mails twice in 30d, last on 26 Jun 2026
>>> place.cleanup()

Every verb of the command line is a method of `Workspace` under the same name. Importing this package loads none of the
parts that are slow to load: they come on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadlight import errors
    from leadlight.file_ranking import rank_file
    from leadlight.workspace import Workspace
    from leadlight.workspace import open_workspace as open  # noqa: A004

    __version__: str

__all__ = ["Workspace", "__version__", "errors", "open", "rank_file"]

_PLACES = {
    "Workspace": ("workspace", "Workspace"),
    "open": ("workspace", "open_workspace"),
    "rank_file": ("file_ranking", "rank_file"),
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name == "errors":
        return importlib.import_module("leadlight.errors")
    if name == "__version__":
        from importlib.metadata import version

        return version("leadlight")
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, member = _PLACES[name]
    return getattr(importlib.import_module(f"leadlight.{module}"), member)


def __dir__() -> list[str]:
    return list(__all__)
