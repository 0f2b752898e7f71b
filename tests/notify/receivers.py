"""Receivers that are real: an HTTP server and an SMTP server on loopback, which do as they are told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_bGVhZGxpZ2h0LXRlc3RzLXNlY3JldA=="


@dataclass
class Heard:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    def verified(self, secret: str = SECRET) -> Any:
        """Check the signature as a receiver would, and return what was said."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Answers what `answers` says, in turn, then 204; `by_lead` answers for single leads before that."""

    address: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    by_lead: dict[str, list[Any]] = field(default_factory=dict)
    hanging: threading.Event = field(default_factory=threading.Event)

    def answer(self, heard: Heard) -> Any:
        try:
            lead = heard.said["data"]["id"]
        except (ValueError, KeyError, TypeError):
            lead = ""
        own = self.by_lead.get(lead)
        if own:
            return own.pop(0)
        return self.answers.pop(0) if self.answers else 204

    def wait(self, count: int, seconds: float = 20) -> list[Heard]:
        """Wait until so many requests have come."""
        end = time.monotonic() + seconds
        while len(self.heard) < count:
            assert time.monotonic() < end, f"{len(self.heard)} of {count} came"
            time.sleep(0.01)
        return self.heard

    def told(self) -> list[tuple[str, str | None, str]]:
        """Who was told to have moved, from where to where, in order of arrival."""
        return [(said["id"], said["from"], said["to"]) for said in (h.said["data"] for h in self.heard)]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            heard = Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            receiver.heard.append(heard)
            answer = receiver.answer(heard)
            status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, "")
            if status == "hang":
                receiver.hanging.wait(20)
                return
            if status == "drop":
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST  # noqa: N815 - the library's words

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            return

    return Handler


class _Server(ThreadingHTTPServer):
    request_queue_size = 64


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver."""
    made = Receiver()
    server = _Server(("127.0.0.1", 0), _handler(made))
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.hanging.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class Mailbox:
    """An SMTP server's mail; `refuse` answers whoever it names."""

    port: int = 0
    mails: list[Any] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 - the library's word
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        from email import message_from_bytes
        from email.policy import default

        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@contextmanager
def mailbox(host: str = "127.0.0.1") -> Iterator[Mailbox]:
    """Run an SMTP server."""
    from aiosmtpd.controller import Controller

    class AnyPort(Controller):
        def _trigger_server(self) -> None:
            self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            super()._trigger_server()

    made = Mailbox()
    controller = AnyPort(made, hostname=host, port=0)
    controller.start()
    try:
        made.port = controller.port
        yield made
    finally:
        controller.stop()
