"""Values in the query of a request: what each may be, said once for those who read the API and those who check it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from leadlight.errors import shorten
from leadlight.service.operation import Parameter
from leadlight.service.problems import Problem
from leadlight.spec.durations import parse_duration

LONGEST = 500
"""Characters of a value at most; of a condition, four times as many."""
PLAIN: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[^\x00]+$"}
_DAY = (
    r"((19|20)[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"
    r"02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)"
)
_TIME = r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])?)?"
MOMENT_PATTERN = rf"^(now|[1-9][0-9]{{0,3}}[mhdw]|{_DAY}{_TIME})$"
MOMENT: Mapping[str, Any] = {"type": "string", "pattern": MOMENT_PATTERN}


def text(name: str, about: str, **more: Any) -> Parameter:
    """Return a parameter that is any text, within bounds."""
    return Parameter(name, about, **{"schema": PLAIN, **more})


def moment(name: str, about: str, **more: Any) -> Parameter:
    """Return a parameter that is a time, or a duration back from now; the workspace reads it."""
    return Parameter(name, about, MOMENT, **more)


def whole(name: str, about: str, *, least: int, most: int, **more: Any) -> Parameter:
    """Return a parameter that is a whole number."""

    def read(said: str) -> int:
        if not (said.isascii() and said.isdecimal()) or len(said) > 12 or not least <= int(said) <= most:
            raise ValueError(f"a whole number from {least} to {most} is wanted")
        return int(said)

    return Parameter(name, about, {"type": "integer", "minimum": least, "maximum": most}, read=read, **more)


def number(name: str, about: str, *, least: float = 0.0, most: float = 1e12, **more: Any) -> Parameter:
    """Return a parameter that is a number above `least`, up to `most`."""

    def read(said: str) -> float:
        try:
            value = float(said)
        except ValueError:
            value = math.nan
        if not least < value <= most:
            raise ValueError(f"a number above {least:g}, up to {most:g} is wanted")
        return value

    return Parameter(name, about, {"type": "number", "exclusiveMinimum": least, "maximum": most}, read=read, **more)


def flag(name: str, about: str, **more: Any) -> Parameter:
    """Return a parameter that is true or false."""

    def read(said: str) -> bool:
        if said not in ("true", "false"):
            raise ValueError("true or false is wanted")
        return said == "true"

    return Parameter(name, about, {"type": "boolean"}, read=read, **more)


def one_of(name: str, about: str, *, choices: Sequence[str], **more: Any) -> Parameter:
    """Return a parameter that is one of some words."""

    def read(said: str) -> str:
        if said not in choices:
            raise ValueError(f"one of {', '.join(choices)} is wanted")
        return said

    return Parameter(name, about, {"type": "string", "enum": list(choices)}, read=read, **more)


def duration(name: str, about: str, **more: Any) -> Parameter:
    """Return a parameter that is a duration, as 14d."""
    schema = {"type": "string", "pattern": "^[1-9][0-9]{0,2}[hdw]$"}
    return Parameter(name, about, schema, read=parse_duration, **more)


SCORECARD = text("scorecard", "which scorecard; the usual one unless told", example="house")
AS_OF = moment(
    "as_of", "the moment of knowledge: a time (2026-06-30T14:00Z), or a duration back from now (7d); now unless told",
    example="1d",
)  # fmt: skip
SINCE = moment("since", "the earlier moment: a time, or a duration back from the later", example="7d")
UNTIL = moment("until", "the later moment; now unless told")
FIELDS = text(
    "fields", "only these fields of the answer, separated by commas; a dot goes inside, and through lists",
    example="id,score,grade",
)  # fmt: skip
CURSOR = text("cursor", "where the page before ended: its `next`", schema={**PLAIN, "maxLength": 4 * LONGEST})


def asked(request: Request, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values of a query by name, those that are told.

    Raises Problem 400, with all faults, for a name that is unknown or told twice, and for a value that is none.
    """
    known = {parameter.name: parameter for parameter in parameters if parameter.where == "query"}
    faults, found = list[str](), dict[str, Any]()
    for name in dict.fromkeys(request.query_params):
        said = request.query_params.getlist(name)
        if name not in known:
            faults.append(f"no parameter {shorten(name)}: known are {', '.join(known) or 'none'}")
            continue
        try:
            found[name] = _value(known[name], said)
        except ValueError as fault:
            faults.append(f"{name} is {shorten(said[-1])}: {fault}")
    faults += [f"{name} is missing: {one.about}" for name, one in known.items() if one.required and not found.get(name)]
    if faults:
        raise Problem(400, "; ".join(faults), faults=faults)
    return found


def _value(parameter: Parameter, said: list[str]) -> Any:
    if parameter.many:
        return [parameter.read(_bounded(one, parameter)) for one in said]
    if len(said) > 1:
        raise ValueError("it is told more than once")
    return parameter.read(_bounded(said[0], parameter))


def _bounded(said: str, parameter: Parameter) -> str:
    most = int(parameter.schema.get("maxLength", LONGEST))
    if not said or len(said) > most or "\x00" in said or "\ufffd" in said:
        raise ValueError(f"1 to {most} characters of UTF-8 are wanted, without NUL")
    return said
