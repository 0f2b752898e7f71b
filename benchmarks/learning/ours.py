"""Leadlight's learner as one of the systems, and what changes when its code does."""

from __future__ import annotations

import hashlib
import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

from peers import Predict

from leadlight.learn.examples import Examples


def available() -> bool:
    """Whether the fitter is there."""
    return find_spec("leadlight.learn.fit") is not None


def fit(examples: Examples) -> Predict:
    """Leadlight as it comes: it is told the rows, their time and horizon, and chooses everything itself."""
    from leadlight.learn.fit import fit as learn

    return learn(examples).probability


def code_version() -> str:
    """Return a hash of the sources that the fitter imports of Leadlight."""
    importlib.import_module("leadlight.learn.fit")
    loaded = [module for name, module in sorted(sys.modules.items()) if name.split(".")[0] == "leadlight"]
    files = {module.__file__ for module in loaded if module.__file__}
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in sorted(files))).hexdigest()[:12]
