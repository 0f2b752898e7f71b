"""A scorecard's content as text that the store keeps, so that any version can be read and run again."""

from __future__ import annotations

import io

from ruamel.yaml import YAML

from leadlight.errors import SpecError
from leadlight.spec.load import Document
from leadlight.spec.models import ScorecardSpec
from leadlight.spec.validation import validate
from leadlight.spec.yaml import read_yaml


def content(spec: ScorecardSpec) -> str:
    """Write a scorecard as YAML, which unlike JSON keeps the types of keys (the category 1 is not the category "1").

    >>> print(content(ScorecardSpec.model_validate({"groups": {"fit": {}}, "base": 5})), end="")
    base: 5.0
    groups:
      fit: {}
    """
    yaml = YAML(typ="rt", pure=True)
    stream = io.StringIO()
    yaml.dump(spec.model_dump(mode="python", exclude_defaults=True), stream)
    return stream.getvalue()


def document(name: str, text: str) -> Document[ScorecardSpec]:
    """Read a scorecard back from the text the store kept.

    Raises SpecError where a newer or older Leadlight wrote what this one does not know.
    """
    parsed = read_yaml(text, f"scorecards/{name}.yaml (as stored)")
    spec, faults = validate(ScorecardSpec, parsed)
    if spec is None or parsed.faults:
        raise SpecError([*parsed.faults, *faults])
    return Document(spec, f"scorecards/{name}.yaml", parsed.marks)
