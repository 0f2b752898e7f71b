"""Failures that are told apart inside the door; outside they are NetworkErrors like others."""

from __future__ import annotations

from leadlight.enrich.network import NetworkError, Why


class Passing(NetworkError):
    """It says nothing of what was asked (a host left alone, silent name servers), so it is not kept."""


class Cut(NetworkError):
    """The connection broke before the answer was whole; asking again may help."""

    def __init__(self, host: str) -> None:
        super().__init__(Why.UNREACHABLE, f"{host} broke the connection")
