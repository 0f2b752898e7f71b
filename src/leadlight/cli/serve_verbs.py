"""The verb that runs the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from leadlight.cli.options import Folder, Json


def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on; 0.0.0.0 is all.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port to listen on; 0 is any free one.")
    ] = 8123,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Stop by itself after a while, as in 30s.")
    ] = None,
    workspace: Folder = Path(),
    json: Json = False,
) -> None:
    """Take events over HTTP and score whoever they are about at once; answer who comes first, and why.

    Clients of Segment and RudderStack work when they are pointed here. The first start makes an API key and shows it
    once. Ctrl-C stops; nothing that was accepted is lost, however it ends.
    """
    from leadlight.cli.console import err, words, write
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
    from leadlight.service.serve import serve as run

    served = run(workspace, host=host, port=port, for_=_duration(for_), say=lambda text: err().print(words(text)))
    write(served, as_json=json)


def _duration(text: str | None) -> timedelta | None:
    from leadlight.errors import UsageError
    from leadlight.spec.durations import parse_duration

    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


VERBS: dict[str, Callable[..., None]] = {"serve": serve}
