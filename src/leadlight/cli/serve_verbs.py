"""The verbs that run the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import Folder, Json


class Log(StrEnum):
    """What is written of each request."""

    JSON = "json"
    TEXT = "text"
    OFF = "off"


For = Annotated[str | None, typer.Option("--for", metavar="DURATION", help="Stop by itself after a while, as in 30s.")]
Logged = Annotated[
    Log, typer.Option("--log", help="What is written of each request to standard error: json, text or off.")
]


def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on; 0.0.0.0 is all.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port to listen on; 0 is any free one.")
    ] = 8123,
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, help="Processes that answer requests; several need PostgreSQL.")
    ] = 1,
    workers: Annotated[
        int, typer.Option(metavar="N", min=0, help="Processes that store and score; 0: `leadlight work` does.")
    ] = 1,
    for_: For = None,
    log: Logged = Log.OFF,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Take events over HTTP and score whoever they are about at once; answer who comes first, and why.

    Clients of Segment and RudderStack work when they are pointed here. The first start makes an API key and shows it
    once. Ctrl-C stops; nothing that was accepted is lost, however it ends.
    """
    from leadlight.cli.console import err, words, write
    from leadlight.service.tuning import tune_allocator

    _need_the_extra()
    tune_allocator()
    from leadlight.service.serve import Crew
    from leadlight.service.serve import serve as run

    served = run(
        workspace, host=host, port=port, crew=Crew(processes, workers), for_=_duration(for_), log=log.value,
        say=lambda text: err().print(words(text)),
    )  # fmt: skip
    write(served, as_json=json)


def work(for_: For = None, log: Logged = Log.OFF, workspace: Folder = Path(), json: Json = False) -> None:
    """Store and score what `leadlight serve` takes in, in a process of its own; the store is a PostgreSQL.

    Any number of them, on any machines, share the work. Ctrl-C stops.
    """
    from leadlight.cli.console import err, words, write
    from leadlight.service.tuning import tune_allocator

    _need_the_extra()
    tune_allocator()
    from leadlight.service.serve import work as run

    worked = run(workspace, for_=_duration(for_), log=log.value, say=lambda text: err().print(words(text)))
    write(worked, as_json=json)


def _need_the_extra() -> None:
    from leadlight.errors import MissingExtraError

    try:
        import orjson  # noqa: F401
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"serving needs {error.name}", fix='Install it with `pip install "leadlight[serve]"`.'
        ) from None


def _duration(text: str | None) -> timedelta | None:
    from leadlight.errors import UsageError
    from leadlight.spec.durations import parse_duration

    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


VERBS: dict[str, Callable[..., None]] = {"serve": serve, "work": work}
