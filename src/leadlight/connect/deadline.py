"""No answer takes for ever: where one has not ended in time, however it drips, its connection is cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

_threads = threading.local()


class Deadline:
    """Within it, the connection that this thread has sent a request over is cut after so many seconds.

    `passed` says afterwards whether it was: what was read then is not the whole answer, whatever it looks like.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.passed = seconds, False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _threads.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:  # a timer that has fired cuts no connection that is another request's by now
            self._socket = None
        _threads.deadline = None

    def watch(self, connection: socket.socket | None) -> None:
        """Say which connection it is."""
        with self._lock:
            self._socket = connection
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._socket is not None:
                with suppress(OSError):  # closed meanwhile
                    self._socket.shutdown(socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    """Tells the deadline of its thread that an answer is waited for (with urllib3's own type of one)."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        if (deadline := getattr(_threads, "deadline", None)) is not None:
            deadline.watch(self.sock)
        return super().getresponse()


class _WatchedSafe(HTTPSConnection):
    """The same, with TLS."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        if (deadline := getattr(_threads, "deadline", None)) is not None:
            deadline.watch(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolSafe(HTTPSConnectionPool):
    ConnectionCls = _WatchedSafe


_POOLS = {"http": _Pool, "https": _PoolSafe}


class Adapter(HTTPAdapter):
    """Sends requests whose connections a `Deadline` can cut, through a proxy too."""

    def init_poolmanager(self, *told: Any, **more: Any) -> None:
        """Make the connections' pools."""
        super().init_poolmanager(*told, **more)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *told: Any, **more: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*told, **more)
        if not manager.proxy.scheme.startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager
