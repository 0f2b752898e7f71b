"""From a file's header to our name: snake case, plain letters, fit to stand in a condition."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

MAX_NAME = 100
_SPECIAL = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})


def snake_case(header: str) -> str:
    """Write a header as a name: accents folded, words parted by underscores; empty where no letter or digit is left.

    >>> snake_case("Lead Source"), snake_case("TotalVisits"), snake_case("Größe (m²)"), snake_case("2nd e-mail")
    ('lead_source', 'total_visits', 'grosse_m2', 'n_2nd_e_mail')
    """
    folded = unicodedata.normalize("NFKD", header.translate(_SPECIAL))
    plain = folded.encode("ascii", "ignore").decode()
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain))
    name = re.sub(r"[^A-Za-z0-9]+", "_", parted).strip("_").lower()[:MAX_NAME].rstrip("_")
    return f"n_{name}" if name[:1].isdigit() else name


def unique_names(headers: Iterable[str], reserved: Collection[str]) -> list[str]:
    """Name each header: `column_3` for one without letters, `lead_` for a reserved one, `_2` for a repeated one.

    >>> unique_names(["Name", "name", "", "Lead"], {"lead"})
    ['name', 'name_2', 'column_3', 'lead_']
    """
    names: list[str] = []
    for number, header in enumerate(headers, start=1):
        base = snake_case(header) or f"column_{number}"
        base = f"{base}_" if base in reserved else base
        name, again = base, 2
        while name in names or name in reserved:
            name, again = f"{base}_{again}", again + 1
        names.append(name)
    return names
