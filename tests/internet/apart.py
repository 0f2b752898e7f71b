"""An internet in a process of its own, so that its work is not counted as the client's."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from internet.internet import Internet
from leadlight.spec.enrich import NetworkSpec

Build = Callable[..., object]
"""A function of a module that is given the Internet (and what `apart` was told) and adds what there is."""


class Far:
    """The way to an internet in another process."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def ask(self, verb: str, *arguments: Any, **more: Any) -> Any:
        """Call a method of the Internet over there (`count`, `questions`, `most_at_once` …), or a verb below."""
        self._line.send((verb, arguments, more))
        fault, value = self._line.recv()
        if fault is not None:
            raise RuntimeError(fault)
        return value

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return what to write under `network:` in leadlight.yaml."""
        found: dict[str, Any] = self.ask("settings", **more)
        return found

    def network(self, **more: Any) -> NetworkSpec:
        """Return the same, checked."""
        return NetworkSpec.model_validate(self.settings(**more))

    def ended(self) -> dict[tuple[str, str], int]:
        """Return the requests that were answered whole, by host and path."""
        found: dict[tuple[str, str], int] = self.ask("ended")
        return found

    def cpu(self) -> float:
        """Return the CPU seconds of that process."""
        return float(self.ask("cpu"))


@contextmanager
def apart(build: Build, *arguments: Any, latency: float = 0.0, keep: bool = False) -> Iterator[Far]:
    """Run an internet in another process until the block is left; `build` is given it, and `arguments`."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, build, arguments, latency, keep), daemon=True)
    process.start()
    there.close()
    try:
        far = Far(here)
        far.ask("ready")
        yield far
    finally:
        here.close()
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(line: Connection, build: Build, arguments: tuple[Any, ...], latency: float, keep: bool) -> None:
    with Internet(latency=latency, keep=keep) as internet:
        build(internet, *arguments)
        while True:
            try:
                verb, given, more = line.recv()
            except (EOFError, OSError):
                return
            line.send(_told(internet, verb, given, more))


def _told(internet: Internet, verb: str, given: tuple[Any, ...], more: dict[str, Any]) -> tuple[str | None, Any]:
    try:
        if verb == "ready":
            return None, True
        if verb == "ended":
            return None, dict(internet.web.ended)
        if verb == "asked":
            return None, dict(internet.names.asked)
        if verb == "statuses":
            return None, dict(internet.web.statuses)
        if verb == "cpu":
            usage = resource.getrusage(resource.RUSAGE_SELF)
            return None, usage.ru_utime + usage.ru_stime
        if verb == "secure_hosts":
            return None, [host for host, site in internet.web.sites.items() if site.https]
        if verb == "connections":
            return None, internet.web.connections
        return None, getattr(internet, verb)(*given, **more)
    except Exception as error:  # told to the other side, where the test fails
        return f"{type(error).__name__}: {error}", None
