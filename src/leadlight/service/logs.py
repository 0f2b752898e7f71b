"""What the service writes down of itself: one line a request, and faults; never anything about a person.

A line has the route and not the path, the id of a key and not the key, the kind of a fault and where it came from and
not its message, which may hold a value. What libraries log is written as the text in their source, without its values.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import orjson

Kind = Literal["json", "text", "off"]
INFO = logging.INFO
KINDS: tuple[Kind, ...] = ("json", "text", "off")
REQUESTS = logging.getLogger("leadlight.requests")
FAULTS = logging.getLogger("leadlight.faults")
FACTS = "leadlight_facts"
"""The attribute of a record that holds its facts."""
PLACES = 6
"""How many of the innermost places of a fault are told."""


@contextmanager
def logging_to(stream: TextIO | None, kind: Kind) -> Iterator[None]:
    """Write the logs of this process to a stream, standard error unless told; `off` leaves out all but faults."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(_Json() if kind == "json" else _Text())
    root, before = logging.getLogger(), REQUESTS.level
    root.addHandler(handler)
    REQUESTS.setLevel(logging.WARNING if kind == "off" else logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        REQUESTS.setLevel(before)


def asked(facts: Mapping[str, Any]) -> None:
    """Log a request."""
    REQUESTS.info("request", extra={FACTS: facts})


def fault(what: str, error: BaseException, facts: Mapping[str, Any]) -> None:
    """Log a fault: its kind and where it came from."""
    FAULTS.error(what, extra={FACTS: {**facts, **described(error)}})


def described(error: BaseException) -> dict[str, Any]:
    """Return what may be told of an error.

    >>> try:
    ...     raise ValueError("ann@acme.example")
    ... except ValueError as error:
    ...     found = described(error)
    >>> found["error"], "ann" in str(found)
    ('ValueError', False)
    """
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    places = [f"{_module(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": places}


def _module(path: str) -> str:
    parts = path.rpartition(".")[0].replace("\\", "/").split("/")
    return "/".join(parts[-2:])


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record as facts."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    facts = {"time": at, "level": record.levelname.lower(), "event": str(record.msg)[:200]}
    if not record.name.startswith("leadlight."):
        facts["logger"] = record.name
    if record.exc_info and record.exc_info[1] is not None:
        facts |= described(record.exc_info[1])
    return facts | dict(getattr(record, FACTS, {}))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        return orjson.dumps(_facts(record), default=str).decode()


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line for people."""
        facts = _facts(record)
        head = " ".join(str(facts.pop(name)) for name in ("time", "level", "event"))
        rest = " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
        return f"{head} {rest}".replace("\n", " ").rstrip()
