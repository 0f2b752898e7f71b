"""Faults of a store that is asked by several threads or processes, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from leadlight.engines.base import Engine
from leadlight.errors import StoreError


class Unreachable(StoreError):
    """A store that could not be asked just now: its connection was lost, it stops, it has no room."""


@contextmanager
def reachable(engine: Engine) -> Iterator[None]:
    """Ask an engine over a connection that lives.

    Raises Unreachable where it is in no state to answer, StoreError where it cannot be reached; the same may go well
    a moment later.
    """
    engine.revive()
    try:
        yield
    except engine.fault as error:
        found = cause(engine, error)
        if not engine.unusable(found):
            raise
        said = str(found).strip().partition("\n")[0]
        raise Unreachable(f"the store cannot be asked: {said}", fix="Try again in a moment.") from None


def cause(engine: Engine, error: Exception) -> Exception:
    """Return what went wrong first: what is done in a transaction after a fault only says that there was one."""
    found: BaseException = error
    while engine.follows(found) and found.__context__ is not None:
        found = found.__context__
    assert isinstance(found, Exception)
    return found
