"""The version of a scorecard: the hash of its content."""

from __future__ import annotations

import hashlib
import json

from leadlight.spec.models import ScorecardSpec


def version(spec: ScorecardSpec) -> str:
    """Return the first 12 hex digits of the SHA-256 of the scorecard's content.

    Comments, blanks, the order of keys and values that are written out though they are the default change nothing.

    >>> version(ScorecardSpec.model_validate({"groups": {"fit": {}}, "base": 5}))
    '6ada624cdaa4'
    """
    content = spec.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
