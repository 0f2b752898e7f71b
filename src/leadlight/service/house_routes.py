"""For whoever keeps the service running: whether it lives, whether it works, its figures."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.operation import TEXT, Answer, Body, Operation
from leadlight.service.state import State

PLAIN = Body({"text/plain": TEXT})


class Readiness(Answer):
    """Whether events get into the store, and how many wait."""

    ready: bool
    waiting: int
    unscored: int
    trouble: str | None
    faults: str | None
    """What is wrong with the workspace's files as they stand now; the service goes on by what they said before."""
    kafka: str | None = None
    """Why nothing is read from Kafka at present, where it is to be read."""


OPERATIONS = (
    Operation("GET", "/healthz", "Whether the process lives", response=PLAIN),
    Operation("GET", "/readyz", "Whether events get into the store", response=Readiness),
    Operation("GET", "/metrics", "Figures for Prometheus", response=PLAIN),
)


def routes(state: State) -> list[Route]:
    """Return the routes for whoever keeps it running."""

    async def alive(_: Request) -> Response:
        return Response(b"ok", media_type="text/plain")

    async def ready(_: Request) -> Response:
        worker = state.worker
        trouble = state.journal.trouble or worker.trouble or (None if worker.alive else "the worker has stopped")
        content = {
            "ready": trouble is None, "waiting": state.journal.depth, "unscored": worker.unscored, "trouble": trouble,
            "faults": None if worker.faults is None else worker.faults.message,
        }  # fmt: skip
        if state.kafka is not None:
            content["kafka"] = state.kafka.trouble
        return Response(orjson.dumps(content), 200 if trouble is None else 503, media_type="application/json")

    async def figures(request: Request) -> Response:
        if state.admission.spec.metrics == "key":
            allowed(state.keys, request, "read")
        return Response(state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/healthz", alive, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        Route("/metrics", figures, methods=["GET"]),
    ]
