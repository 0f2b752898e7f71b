"""`${VARIABLE}` in addresses: kept as written in specs, filled in from the environment where an address is used."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadlight.errors import UsageError

_VARIABLE = re.compile(r"\$\{([^}]*)\}?")


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Fill in the variables of an address.

    Raises UsageError that names all variables that are not set. The values themselves are never shown.

    >>> expand("postgresql://${USER_NAME}@db/crm", {"USER_NAME": "ann"})
    'postgresql://ann@db/crm'
    """
    names = [match[1] for match in _VARIABLE.finditer(text)]
    odd = [match[0] for match in _VARIABLE.finditer(text) if not re.fullmatch(r"\$\{[A-Za-z_]\w*\}", match[0])]
    if odd:
        raise UsageError(f"{odd[0]!r} is no variable", fix="Write ${NAME}, with letters, digits and _.")
    unset = sorted({name for name in names if name not in environ})
    if unset:
        are = "is" if len(unset) == 1 else "are"
        raise UsageError(
            f"{', '.join(unset)} {are} not set in the environment, and the workspace needs {unset[0]}",
            fix=f"Set it first, as in `export {unset[0]}=…`.",
        )
    return _VARIABLE.sub(lambda match: environ[match[1]], text)
