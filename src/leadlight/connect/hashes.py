"""What tells two versions of a record apart, as SQL; and the lake written anew with fields that it did not have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from leadlight.connect.lake import relation, types_of
from leadlight.expr.types import Type
from leadlight.sources.lake import GONE, HASH, ID, INTO, KNOWN_AT, TYPES, LakeFile
from leadlight.sources.part import named, quoted


def hash_of(fields: Mapping[str, Type], slots: Mapping[str, str]) -> str:
    """Return the SQL of a number that differs where what a record is differs; what has no value does not count.

    `slots` are the columns that hold the fields, beside `_gone` and `_into`.
    """
    pieces = ["CASE WHEN _gone THEN 'gone' END", "'into=' || _into"]
    for name, type_ in sorted(fields.items()):
        value, label = slots[name], quoted(f"{name}=")
        if type_ is Type.TEXT:
            pieces.append(f"{label} || strlen({value}) || ':' || {value}")
        elif type_ is Type.TIME:
            pieces.append(f"{label} || epoch_us({value})")
        else:
            pieces.append(f"{label} || {value}::VARCHAR")
    return f"md5_number_lower(concat_ws('|', {', '.join(pieces)}))"


def filled(
    files: Sequence[LakeFile], fields: Mapping[str, Type], slots: Mapping[str, str], fill: Collection[str]
) -> str:
    """Return the query of the lake's rows with what `filling` has for some fields, where they have no value.

    The table `filling` has `_id`, `place` (the last one counts) and the slots of these fields.
    """
    have = types_of(files)
    others = [named(name) for name in have if name not in fields]
    inner = [ID, KNOWN_AT, f"coalesce({GONE}, false) AS _gone", f"{INTO} AS _into", *(f"l.{name}" for name in others)]
    for name, slot in slots.items():
        value = f"l.{named(name)}" if name in have else f"NULL::{TYPES[fields[name]]}"
        inner.append(f"{f'coalesce({value}, b.{slot})' if name in fill else value} AS {slot}")
    outer = [ID, KNOWN_AT, f"_gone AS {GONE}", f"_into AS {INTO}", f"{hash_of(fields, slots)} AS {HASH}", *others]
    outer += [f"{slot} AS {named(name)}" for name, slot in slots.items()]
    latest = "".join(f", arg_max_null({slots[name]}, place) AS {slots[name]}" for name in fill)
    return (
        f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {relation(files)} l "  # noqa: S608
        f"LEFT JOIN (SELECT {ID}{latest} FROM filling GROUP BY {ID}) b USING ({ID}))"
    )
