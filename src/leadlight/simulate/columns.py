"""How values become columns of a file."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from leadlight.simulate.draws import Bools, Codes, Ints


def texts(words: Sequence[str], code: Codes | Ints, missing: Bools | None = None) -> pa.Array:
    """The word of each code, or null where missing."""
    return pa.array(words, pa.string()).take(pa.array(code, mask=missing))


def moments(at: Ints, unit: str = "s") -> pa.Array:
    """Seconds since 1970 as naive UTC timestamps."""
    return pa.array(at, pa.timestamp("s")).cast(pa.timestamp(unit))


def lead_ids(number: Ints) -> pa.Array:
    """The ids of leads: L0000001 and on."""
    digits = pc.utf8_lpad(pa.array(number + 1).cast(pa.string()), 7, padding="0")
    return pc.binary_join_element_wise("L", digits, "")
