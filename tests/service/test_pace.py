"""A body that comes too slowly is refused, over real sockets; one that makes progress is not."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from tests.service.gate import Gate, gate

from leadlight.service.listening import listen, server_of

BODY = json.dumps({"name": "shop", "scopes": ["read"]}).ljust(600).encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gate, int]]:
    with gate(tmp_path_factory.mktemp("gate")) as found, listen("127.0.0.1", 0) as listening:
        server = server_of(found.app)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield found, listening.getsockname()[1]
        server.should_exit = True
        thread.join(20)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadlight.service.pace.PATIENCE", 0.4)


def sent(served: tuple[Gate, int], step: int, *, head: str = "", key: str | None = None) -> tuple[int, Any]:
    """Send a body by so many bytes at a time, 20 times a second, until there is an answer and the connection ends."""
    found, port = served
    with closing(socket.create_connection(("127.0.0.1", port), 20)) as connection:
        connection.sendall(
            f"POST /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key or found.key}\r\n{head}"
            f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
        )
        answer, place = b"", 0
        connection.settimeout(0.05)
        with suppress(ConnectionError):  # what is sent to who has closed
            while place < len(BODY) or not answer:
                connection.sendall(BODY[place : place + step])
                place += step
                with suppress(TimeoutError):
                    if not (part := connection.recv(65536)):
                        break
                    answer += part
    before, _, body = answer.partition(b"\r\n\r\n")
    return int(before.split()[1]), json.loads(body)


@pytest.mark.parametrize("head", ["", "Idempotency-Key: one\r\n"])
def test_a_body_that_drips_is_a_408_and_the_connection_ends(served: tuple[Gate, int], head: str) -> None:
    began = time.monotonic()
    status, said = sent(served, 1, head=head)
    assert (status, said["status"]) == (408, 408)
    assert "the body came too slowly: " in said["detail"]
    assert time.monotonic() - began < 3


def test_one_that_makes_progress_is_read_however_long_it_takes(served: tuple[Gate, int]) -> None:
    began = time.monotonic()
    status, _ = sent(served, 40)  # 800 bytes a second
    assert status == 201
    assert time.monotonic() - began > 0.6


@pytest.mark.parametrize("first", [b"", b"GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"])
def test_who_never_asks_or_drips_on_behind_an_answer_is_not_waited_for(
    served: tuple[Gate, int], first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadlight.service.listening.HEAD", 0.4)
    began = time.monotonic()
    with closing(socket.create_connection(("127.0.0.1", served[1]), 0.05)) as connection, suppress(ConnectionError):
        connection.sendall(first)
        while time.monotonic() - began < 20:
            connection.sendall(b"G")
            with suppress(TimeoutError):
                if not connection.recv(65536):
                    break
    assert time.monotonic() - began < 10
