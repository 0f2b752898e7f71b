"""A scorecard as a file for people: what belongs together on one line, with a word on where it comes from."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from leadlight.errors import UsageError
from leadlight.spec.models import ScorecardSpec

WIDTH = 1_000_000
"""Lines are not broken: a key of two words broken in two is no YAML any more."""
NULL = "tag:yaml.org,2002:null"
LEAVES = ("criteria", "features", "bands", "grades")
"""Keys whose entries stand on one line each, or that stand on one line as a whole."""
LAST = ("where", "within")
"""Keys of a feature that say more of what stands before them."""
WHOLE = 1e15


def scorecard_text(spec: ScorecardSpec, *, heading: str = "") -> str:
    """Write a scorecard as YAML, each criterion on a line; `heading` becomes a comment above.

    >>> card = {"base": -3, "groups": {"fit": {"criteria": [{"name": "Size", "feature": "size", "points": {"a": 1}}]}}}
    >>> print(scorecard_text(ScorecardSpec.model_validate(card), heading="From 10 wins."), end="")
    # From 10 wins.
    <BLANKLINE>
    base: -3
    groups:
      fit:
        criteria:
        - {name: Size, feature: size, points: {a: 1}}
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = WIDTH
    yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(NULL, "null"))
    content = spec.model_dump(mode="python", exclude_defaults=True)
    if spec.scale is not None:
        content["scale"] = spec.scale.model_dump(mode="python")  # said, although it is the default
    stream = io.StringIO()
    yaml.dump(_laid_out(content), stream)
    above = "".join(f"# {line}".rstrip() + "\n" for line in heading.splitlines())
    return above + ("\n" if above else "") + stream.getvalue()


def _laid_out(value: Any, key: str = "") -> Any:
    """Return maps and lists with those of one line marked as such."""
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda item: item[0] in LAST)  # else as the model has them
        found = CommentedMap((name, _laid_out(item, str(name))) for name, item in ordered)
        for item in found.values() if key in LEAVES else ():
            _flow(item)
        if key == "scale":
            _flow(found)
        return found
    if isinstance(value, list | tuple):
        entries = CommentedSeq(_laid_out(item) for item in value)
        if key in LEAVES:
            for item in entries:
                _flow(item)
        elif all(not isinstance(item, dict | list | tuple) for item in value):
            entries.fa.set_flow_style()
        return entries
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE else value


def _flow(value: Any) -> None:
    if isinstance(value, CommentedMap | CommentedSeq):
        value.fa.set_flow_style()


def write_whole(path: Path, text: str, *, fix: str = "Name another file or folder.") -> None:
    """Write a file, whole or not at all; its folder is made where there is none.

    Raises UsageError where it cannot be written; `fix` is what to do then.
    """
    fresh: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8", suffix=".tmp") as file:
            fresh = Path(file.name)
            file.write(text)
        fresh.chmod(0o644)
        fresh.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", fix=fix) from None
    finally:
        if fresh is not None:  # nothing is left of it where the disk was full
            fresh.unlink(missing_ok=True)
