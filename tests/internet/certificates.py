"""Certificates for any host name, made when first asked for, from an authority that lives as long as the tests."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

KEPT = 2000


class Certificates:
    """An authority, and a TLS context per host."""

    def __init__(self, folder: Path, tls: Callable[[str], str | None]) -> None:
        self.authority, self.stranger = trustme.CA(), trustme.CA()
        self.file = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.file))
        self.tls = tls
        self.contexts: dict[str, ssl.SSLContext] = {}
        self.context = self._context("nobody.invalid")
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: Any) -> int | None:
        host = (name or "").lower().rstrip(".")
        if self.tls(host) == "refused":
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if host not in self.contexts:
            if len(self.contexts) >= KEPT:
                self.contexts.pop(next(iter(self.contexts)))
            self.contexts[host] = self._context(host or "nobody.invalid")
        connection.context = self.contexts[host]
        return None

    def _context(self, host: str) -> ssl.SSLContext:
        tls = self.tls(host)
        authority = self.stranger if tls == "unknown_authority" else self.authority
        name = "somebody-else.invalid" if tls == "wrong_name" else host
        yesterday = datetime.now(UTC) - timedelta(days=1)
        certificate = authority.issue_cert(name, not_after=yesterday if tls == "expired" else None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        certificate.configure_cert(context)
        return context
