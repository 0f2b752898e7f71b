"""An answer that does not end is given up, in whatever part of it it drips."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from leadlight.connect import exchange
from leadlight.connect.auth import Bearer
from leadlight.connect.http import Http, Way
from leadlight.connect.protocol import About, Limits, Secret
from leadlight.errors import RemoteError

ABOUT = About("acme", "Acme", (Secret("token", "ACME_TOKEN", "Settings"),), Limits(per_second=1000), "")


def to(url: str) -> Http:
    return Http(Way(base=url, sign=Bearer("acme-secret-token-1")), ABOUT)


class Dripping:
    """A server that answers with a beginning, then byte by byte for ever."""

    def __init__(self, beginning: bytes) -> None:
        self._beginning = beginning
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked = 0
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while connection.recv(65_536):
                self.asked += 1
                connection.sendall(self._beginning)
                while not self._over.wait(0.02):
                    connection.sendall(b"1")

    def close(self) -> None:
        self._over.set()
        self._socket.close()


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",  # ends with the connection
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
        b"HTTP/1.1 200 OK\r\nX-Header: ",  # a header that does not end
        b"HTTP/1.1 429 Too Many\r\nContent-Length: 100000\r\n\r\n",
    ],
)
def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, beginning: bytes) -> None:
    monkeypatch.setattr(exchange, "ANSWER_SECONDS", 0.4)
    dripping = Dripping(beginning)
    began = time.monotonic()
    try:
        says = pytest.raises(RemoteError, match=r"answer to GET .*/leads has not ended after 0.4 s")
        with to(dripping.url) as http, says as caught:
            http.get("/leads")
    finally:
        dripping.close()
    assert caught.value.trouble == "unreachable"
    assert caught.value.fix is not None
    assert time.monotonic() - began < 10
    assert dripping.asked == 1


class Usual(BaseHTTPRequestHandler):
    """Answers at once, and keeps connections."""

    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]] = set()

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        return None


def test_answers_in_time_are_whole_and_their_connection_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "ANSWER_SECONDS", 0.5)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Usual)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with to(f"http://127.0.0.1:{server.server_port}") as http:
            began = time.monotonic()
            while time.monotonic() - began < 1.2:  # longer than any one deadline: none cuts what came after it
                assert http.get("/leads") == {}
    finally:
        server.shutdown()
        server.server_close()
    assert len(Usual.connections) == 1
