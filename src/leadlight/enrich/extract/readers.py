"""Pages are read in processes of their own, one for each core: reading takes most of the CPU of a run.

A reader is a plain child that is given pages over its standard input and ends when that does, however its parent ended.
A program that looks leads up needs no guard for it, as multiprocessing would ask for. Few pages are read where they
are asked for, as a child takes a second to start.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from asyncio import get_running_loop
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from leadlight.enrich.extract.page import PageFacts, read_page
from leadlight.enrich.network import NetworkError, Why

if TYPE_CHECKING:
    from leadlight.enrich.extract.technologies import Known

FEW = 300
"""So many pages are read without a child, which takes as long to start as to read these; by a thread all the same, as
the first page loads fingerprints and languages, and hosts that answer meanwhile would seem not to."""
MOST = 8
"""Children at most."""
DEATHS = 3
"""After so many children that died, pages are read without."""
_START = "from leadlight.enrich.extract.readers import serve; serve()"


class Readers:
    """Reads pages as `read_page` does, beside the event loop; the children end with it."""

    def __init__(self, fingerprints: Known | None = None, *, few: int = FEW, most: int = MOST) -> None:
        self._fingerprints, self._few, self._most = fingerprints, few, most
        self._seen = self._deaths = 0
        self._pool: ThreadPoolExecutor | None = None
        self._mine, self._alone = threading.local(), threading.Lock()
        self._children: list[subprocess.Popen[bytes]] = []
        self._end: Any = None

    async def read(
        self, markup: str, url: str, *, headers: Mapping[str, str] | None = None, fetched_at: datetime | None = None
    ) -> PageFacts:
        """Read a page. Raises NetworkError (broken) where a child died of it."""
        self._seen += 1
        alone = self._seen <= self._few or self._deaths >= DEATHS
        page = (markup, url, {"headers": dict(headers or {}), "fetched_at": fetched_at})
        return await get_running_loop().run_in_executor(self._threads(), self._here if alone else self._there, page)

    def _threads(self) -> ThreadPoolExecutor:
        """Return the threads that read, or wait for children, one for each."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(min(_cores(), self._most), thread_name_prefix="reader")
            self._end = weakref.finalize(self, _close, self._pool, self._children)
        return self._pool

    def _here(self, page: tuple[str, str, dict[str, Any]]) -> PageFacts:
        markup, url, told = page
        with self._alone:
            return read_page(markup, url, fingerprints=self._fingerprints, **told)

    def _there(self, page: tuple[str, str, dict[str, Any]]) -> PageFacts:
        child = getattr(self._mine, "child", None)
        try:
            if child is None:
                child = self._mine.child = self._start()
            _write(child.stdin, page)
            found: PageFacts = _read(child.stdout)
        except (OSError, EOFError, pickle.PickleError):
            self._mine.child = None
            self._deaths += 1
            if child is not None:
                _finish(child)
            raise NetworkError(Why.BROKEN, "the page could not be read") from None
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        paths = os.pathsep.join(path for path in sys.path if path)
        child = subprocess.Popen(
            [sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self._children.append(child)
        _write(child.stdin, self._fingerprints)
        return child


def serve() -> None:
    """Be a reader: pages in on the standard input, what they say out, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints shall not come among the answers
    with contextlib.suppress(EOFError, BrokenPipeError):
        fingerprints = _read(source)
        while True:
            markup, url, told = _read(source)
            _write(target, read_page(markup, url, fingerprints=fingerprints, **told))


def _write(stream: IO[bytes] | None, value: Any) -> None:
    assert stream is not None
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    stream.write(len(content).to_bytes(4) + content)
    stream.flush()


def _read(stream: IO[bytes] | None) -> Any:
    """Read what the other side of the pipe wrote, which is this very module; raises EOFError at the end."""
    assert stream is not None
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError
    return pickle.loads(stream.read(int.from_bytes(head)))


def _close(pool: ThreadPoolExecutor, children: list[subprocess.Popen[bytes]]) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    for child in children:
        _finish(child)


def _finish(child: subprocess.Popen[bytes]) -> None:
    """End a child; none is left behind."""
    for stream in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    try:
        child.wait(2)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
