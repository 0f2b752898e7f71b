"""From plain values to spec models, with each of pydantic's errors said in our words and at its place in the file."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from leadlight.errors import Fault, did_you_mean, shorten
from leadlight.spec import models
from leadlight.spec.marks import Path
from leadlight.spec.notify import RuleSpec
from leadlight.spec.yaml import Parsed

T = TypeVar("T", bound=BaseModel)

WANTED = {
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "invalid_key": "text",
    "bool_parsing": "true or false",
    "float_parsing": "a number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}
LIMITS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
SHAPES = {"cap": "[lowest, highest]", "bands": "[low, high, points]", "features": "a list of two names"}
MISSING: dict[tuple[type[BaseModel], str], str] = {
    (models.CategoryCriterion, "points"): "give `points`, a map from value to points, or `bands`",
    (models.WhenCriterion, "points"): "say how many points a true condition gives",
    (models.EventCriterion, "points"): "say how many points an event gives",
    (models.AfterFeature, "plus"): "how long after? 4h, 5d, or a map with `by`",
    (models.TrendFeature, "within"): "the last window is held against the one before it",
    (models.ShareFeature, "where"): "the share of what?",
    (models.DecayedFeature, "half_life"): "after how long does an event count half?",
    (models.SumFeature, "property"): "name the property of the events to add up",
    (models.OutcomeSpec, "win"): "say which outcomes are wins",
    (RuleSpec, "again"): "always (tell of each crossing), never (once for each lead), or 30d (not again within it)",
    (RuleSpec, "tell"): "name the destinations that hear of it",
}
KINDS = {
    "feature_kind": (
        "feature",
        ["attribute", "expr", "age", "until", "after", "count", "sum", "min", "max", "avg", "distinct", "share",
         "recency", "decayed", "trend", "since_first", "interval", "sessions", "account"],
    ),
    "criterion_kind": ("criterion", ["feature", "features", "event", "when"]),
    "worth_kind": ("criterion of the worth", ["factors", "bands"]),
}  # fmt: skip
ACCOUNT_KINDS = [*KINDS["feature_kind"][1][5:-1], "distinct_leads"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an error is: the way to it in the file, the model it belongs to, and whether it is about a key."""

    path: Path
    owner: type[BaseModel] | None
    is_key: bool = False
    is_choice: bool = False
    """The error is about a value that is none of the kinds allowed."""
    is_idle: bool = False
    """The error comes from trying a kind that the value is not."""


def validate(model: type[T], parsed: Parsed) -> tuple[T | None, list[Fault]]:
    """Make a spec of what a file holds; None, with the faults, when it cannot be.

    >>> from leadlight.spec.yaml import read_yaml
    >>> _, faults = validate(models.WorkspaceSpec, read_yaml("entty: lead", "leadlight.yaml"))
    >>> faults[0].line, faults[0].message[:48]
    (1, "unknown key 'entty': did you mean 'entity'? Know")
    """
    try:
        return model.model_validate(parsed.value), []
    except ValidationError as error:
        return None, list(_faults(model, parsed, error.errors(include_url=False)))


def _faults(model: type[BaseModel], parsed: Parsed, errors: Sequence[ErrorDetails]) -> Iterable[Fault]:
    together: dict[tuple[str, bool], list[tuple[_Place, ErrorDetails]]] = {}
    for error in errors:
        place = _walk(model, error["loc"], parsed.value)
        if not place.is_idle:
            together.setdefault((repr(place.path), place.is_key), []).append((place, error))
    for group in together.values():
        place, error = group[0]
        path = _visible(place, error)
        mark = parsed.marks.key(path) if place.is_key or error["type"] == "extra_forbidden" else None
        yield parsed.marks.fault(_message(place, [each for _, each in group]), path, mark=mark)


def _visible(place: _Place, error: ErrorDetails) -> Path:
    """Return the part of a path that is in the file: not the key or list item that is missing."""
    return place.path[:-1] if error["type"] == "missing" else place.path


# ----------------------------------------------------------------------------------------------- from loc to place


def _walk(model: type[BaseModel], loc: Sequence[int | str], value: Any) -> _Place:
    """Follow pydantic's loc through the models, leaving out what is not in the file: union tags and branch names."""
    here: Any = model
    owner: type[BaseModel] | None = model
    path: Path = ()
    for part in loc:
        if part == "[key]" and not (isinstance(value, dict) and part in value):
            return _Place(path, owner, is_key=True)
        branch = _branch(here, part)
        if branch is None:
            here = _inside(here, part)
            key = _raw_key(value, part)
            path, value = (*path, key), _item(value, key)
        elif get_origin(branch) in (dict, list) and not isinstance(value, get_origin(branch)):
            choice = not isinstance(value, dict | list)
            return _Place(path, owner, is_choice=choice, is_idle=not choice)
        else:
            here = branch
        model_here = _plain(here)
        owner = model_here if isinstance(model_here, type) and issubclass(model_here, BaseModel) else owner
    return _Place(path, owner)


def _plain(annotation: Any) -> Any:
    """Take Annotated and `| None` off a type."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _plain(members[0]) if len(members) == 1 else annotation
    return annotation


def _branch(annotation: Any, part: int | str) -> Any:
    """Return the member of a union that a part of a loc names, or None where the annotation is no union."""
    plain = _plain(annotation)
    if get_origin(plain) not in (Union, UnionType):
        return None
    for member in get_args(plain):
        tags = [extra.tag for extra in getattr(member, "__metadata__", ()) if isinstance(extra, Tag)]
        origin = get_origin(_plain(member))
        if part in tags or (origin is not None and str(part).startswith(f"{origin.__name__}[")):
            return member
    return Any


def _inside(annotation: Any, part: int | str) -> Any:
    """Return the type of what is inside a model, map or list under a key or position."""
    plain = _plain(annotation)
    if isinstance(plain, type) and issubclass(plain, RootModel):
        return _inside(plain.model_fields["root"].annotation, part)
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        known = plain.model_fields.get(str(part))
        return known.annotation if known is not None else Any
    arguments = get_args(plain)
    if get_origin(plain) is tuple and isinstance(part, int):
        return arguments[min(part, len(arguments) - 1)]
    return arguments[-1] if arguments else Any


def _raw_key(value: Any, part: int | str) -> Any:
    """Return the key as the file has it: pydantic writes a key that is no text as text."""
    if not isinstance(value, dict):
        return part
    return next((key for key in value if key == part or str(key) == str(part)), part)


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


# -------------------------------------------------------------------------------------------------------- messages


def _message(place: _Place, errors: Sequence[ErrorDetails]) -> str:
    """Say what was found and what is allowed."""
    error = errors[0]
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if place.is_choice:
        return f"must be a map or a list; found {found(value)}"
    if place.is_key:
        return _key_message(errors)
    if kind == "missing":
        return _missing(place, value)
    if kind == "extra_forbidden":
        fields = place.owner.model_fields if place.owner else {}
        known = [field.alias or name for name, field in fields.items()]
        return f"unknown key {shorten(place.path[-1])}: {did_you_mean(str(place.path[-1])[:100], known)}"
    if kind in KINDS:
        return _kind_message(kind, place.path, value)
    if kind in LIMITS:
        words, limit = LIMITS[kind]
        return f"must be {words} {context[limit]:g}; found {found(value)}"
    if kind in ("literal_error", "enum"):
        return f"must be {context['expected']}; found {found(value)}"
    if kind == "value_error":
        return str(context["error"])
    return _shape_message(place, kind, value, context) or error["msg"][:1].lower() + error["msg"][1:]


def _shape_message(place: _Place, kind: str, value: Any, context: dict[str, Any]) -> str | None:
    """Speak of types, lengths and patterns."""
    if kind == "tuple_type" or (kind == "too_long" and context.get("field_type") == "Tuple"):
        return f"must be {_shape(place.path)}; found {found(value)}"
    if kind in WANTED:
        return f"must be {WANTED[kind]}; found {found(value)}{quotes_hint(WANTED[kind], value)}"
    if kind == "finite_number":
        return f"must be a finite number; found {found(value)}"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters; it has {len(value)}"
    return _pattern(place.path, value) if kind == "string_pattern_mismatch" else None


def _pattern(path: Path, value: Any) -> str:
    if path == ("entity",):
        return f"must be 2 to 40 letters, blanks, '-' or '_'; found {found(value)}"
    if path[-1:] == ("name",):
        return f"must be one line that does not begin with a blank; found {found(value)}"
    return f"{_NAME}; found {found(value)}"


_NAME = "a name is letters, digits and _, a letter first"


def _key_message(errors: Sequence[ErrorDetails]) -> str:
    kinds = [error["type"] for error in errors]
    key = errors[0]["input"]
    if kinds == ["string_pattern_mismatch"]:
        return f"{_NAME}; found {found(key)}"
    if kinds == ["literal_error"]:
        return f"a key must be {errors[0].get('ctx', {})['expected']} here; found {found(key)}"
    if kinds == ["string_too_long"]:
        return f"a name has at most {errors[0].get('ctx', {})['max_length']} characters; this one has {len(key)}"
    wanted = "text, a number, true or false" if "bool_type" in kinds else "text"
    wanted = "text or a whole number" if kinds == ["string_type", "int_type"] else wanted
    return f"a key must be {wanted} here; found {found(key)}{quotes_hint('text', key)}"


def _missing(place: _Place, value: Any) -> str:
    last = place.path[-1]
    if isinstance(last, int):
        return f"must be {_shape(place.path[:-1])}; found {found(value)}"
    hint = MISSING.get((place.owner, str(last))) if place.owner else None
    return f"the key {last!r} is missing" + (f": {hint}" if hint else "")


def _shape(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    return SHAPES.get(names[-1], "a list") if names else "a list"


def _kind_message(kind: str, path: Path, value: Any) -> str:
    """Speak of a feature or criterion that does not say what it is, or says it twice."""
    noun, kinds = KINDS[kind]
    if kind == "feature_kind" and path[-1] == "account" and len(path) == 3:
        noun, kinds = "feature over the account", ACCOUNT_KINDS
    if not isinstance(value, dict):
        return f"a {noun} is a map with one of {', '.join(kinds)}; found {found(value)}"
    given = [key for key in kinds if key in value]
    if given:
        return f"a {noun} has only one of {' and '.join(given)}"
    if "distinct_leads" in value:
        return "distinct_leads goes inside account, as in {account: {distinct_leads: page_view}}"
    near = [match for key in value for match in difflib.get_close_matches(str(key)[:100], kinds, n=1)]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    keys = ", ".join(shorten(str(key)) for key in list(value)[:5]) or "no keys"
    return f"a {noun} needs one of {', '.join(kinds)}; found {keys}{hint}"


def quotes_hint(wanted: str, value: Any) -> str:
    """Say what quotes have to do with it, where they do.

    >>> quotes_hint("text", 5), quotes_hint("a number", "5")
    (', which needs quotes to be text', ', which is text because of its quotes')
    """
    if wanted == "text" and isinstance(value, bool | int | float):
        return ", which needs quotes to be text"
    looks = value in ("true", "false") if wanted == "true or false" else _is_number(value)
    return ", which is text because of its quotes" if isinstance(value, str) and wanted != "text" and looks else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", value[:100]))


def found(value: Any) -> str:
    """Show a value from YAML the way it would be written there, bounded.

    >>> found(None), found(True), found([1, 2]), found({})
    ('nothing', 'true', '[1, 2]', 'a map')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        plain = len(value) <= 6 and not any(isinstance(item, dict | list) for item in value)
        return f"[{', '.join('null' if item is None else found(item) for item in value)}]" if plain else "a list"
    return shorten(value)
