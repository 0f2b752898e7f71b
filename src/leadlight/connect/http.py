"""The way to a system: signed, paced, retried, counted, and never to another host than its own."""

from __future__ import annotations

import json as jsonlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.connect.addresses import address_of, base_of, joined, shown
from leadlight.connect.exchange import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Request,
    bounded,
    in_time,
    retry_after,
    session_for,
)
from leadlight.connect.pace import Clock, Pace
from leadlight.connect.way import Answer, Sign, Used, Way
from leadlight.errors import RemoteError

if TYPE_CHECKING:
    from leadlight.connect.protocol import About, Limits
    from leadlight.connect.quota import Quota

__all__ = ["Answer", "Http", "Sign", "Used", "Way"]

ATTEMPTS = 6
"""How often a request is made, at most, before we give up."""
WAIT_LEAST, WAIT_MOST = 0.5, 30.0
"""Seconds between attempts where the system does not say how long: they double."""
ASKED_MOST = 300.0
"""Seconds that a system may ask us to wait; what is longer is told as an error that says when it goes on."""
REDIRECTS = 3
TOO_MANY, UNAVAILABLE, UNAUTHORIZED, SERVER_ERROR = 429, 503, 401, 500


class _AgainError(Exception):
    """To be tried again, in so many seconds (None: as is usual); else this error."""

    def __init__(self, error: RemoteError, seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.seconds = error, seconds


class Http:
    """Requests to one system; threads may share it."""

    def __init__(
        self,
        way: Way,
        about: About,
        *,
        limits: Limits | None = None,
        secrets: Mapping[str, str] | None = None,
        quota: Quota | None = None,
        clock: Clock | None = None,
        folder: Path | None = None,
    ) -> None:
        """`secrets` are kept out of all errors; without a `quota` none is counted.

        Who has the same `folder` (a push beside a sync) makes no more requests a second together than one alone.

        Raises RemoteError where the address is none that may be used, MissingExtraError without the extra `connect`.
        """
        from leadlight.connect.registry import need_extra

        need_extra()
        self._way, self._about, self._quota = way, about, quota
        self._base = base_of(about.title, way.base)
        self.clock = clock or Clock()
        """The time that all waiting goes by."""
        limits = limits or about.limits
        self._folder = folder
        self._pace = self.pace("all", limits.per_second)
        self._turns = threading.BoundedSemaphore(limits.at_once)
        self._signing = threading.RLock()
        self._secret = frozenset(value for value in (secrets or {}).values() if value)
        self._session = session_for(self._base)
        self.requests = 0
        """How many were made."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (),
        retry: bool = True,
    ) -> Answer:
        """Make a request and return its answer: 2xx, or a status of `expect`.

        `path` is put behind the base, or is a whole address on the same host (the next page's, say). Waits for its
        turn; 429, 5xx and broken connections are tried again (as long as the system says; not those that could be done
        twice, where not `retry`); a token that has run out is renewed once. Raises RemoteError.
        """
        ask = Request(method, path, params, json, form, body, headers, expect, retry)
        used = self._signed()
        answer = self._tried(ask, used)
        if self._way.sign.expired(answer):
            self._renew(used)
            used = self._signed()
            answer = self._tried(ask, used)
        return self._accepted(ask, answer, used)

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a GET."""
        return self.ask("GET", path, params=params or None).json()

    def post(self, path: str, json: Any) -> Any:
        """Return the JSON of a POST."""
        return self.ask("POST", path, json=json).json()

    def pace(self, name: str, per_second: float) -> Pace:
        """Return turns for some of the requests, which all processes of the connection share."""
        return Pace(per_second, self.clock, None if self._folder is None else self._folder / f"pace-{name}")

    def close(self) -> None:
        """Close connections, and give back what was reserved of the quota."""
        self._session.close()
        if self._quota is not None:
            self._quota.close()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------- signing

    def _signed(self) -> Mapping[str, str]:
        from leadlight.connect.secrets import without

        with self._signing:
            try:
                return self._way.sign.headers(self._unsigned)
            except RemoteError as error:
                raise without(error, self._secret) from None

    def _renew(self, used: Mapping[str, str]) -> None:
        """Drop the token, unless another thread has got a new one meanwhile."""
        with self._signing:
            if self._way.sign.headers(self._unsigned) == used:
                self._way.sign.forget()

    def _unsigned(self, method: str, path: str, **more: Any) -> Answer:
        ask = Request(method, path, **more)
        return self._accepted(ask, self._tried(ask, None), None)

    def _accepted(self, ask: Request, answer: Answer, signed: Mapping[str, str] | None) -> Answer:
        from leadlight.connect.refusals import usual

        if answer.status // 100 == 2 or answer.status in ask.expect:
            return answer
        raise self._clean(self._way.refusal(answer) or usual(answer, self._about), ask, signed)

    # ------------------------------------------------------------------------------------------------- attempts

    def _tried(self, ask: Request, signed: Mapping[str, str] | None) -> Answer:
        from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

        doubling = wait_exponential(multiplier=WAIT_LEAST, max=WAIT_MOST)

        def wait(state: RetryCallState) -> float:
            failed = state.outcome.exception() if state.outcome else None
            told = failed.seconds if isinstance(failed, _AgainError) else None
            return doubling(state) if told is None else told

        tries = Retrying(
            retry=retry_if_exception_type(_AgainError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return tries(self._once, ask, signed)
        except _AgainError as failed:
            raise self._clean(failed.error, ask, signed) from None

    def _once(self, ask: Request, signed: Mapping[str, str] | None) -> Answer:
        from leadlight.connect.refusals import too_long_to_wait, usual

        answer = self._sent(ask, signed)
        if self._quota is not None and (used := self._way.used(answer)) is not None:
            self._quota.told(used)
        seconds = self._way.busy(answer)
        refused = answer.status == UNAVAILABLE and "retry-after" in answer.headers
        again = seconds is not None or answer.status == TOO_MANY or refused
        if not again and not (answer.status >= SERVER_ERROR and ask.retry):
            return answer
        if answer.status in ask.expect and seconds is None and answer.status != TOO_MANY:
            return answer
        if seconds is None:
            seconds = retry_after(answer.headers.get("retry-after", ""), self.clock.now())
        told = self._way.refusal(answer)
        if told is not None and told.trouble == "quota":  # the day's: waiting a little does not help
            raise self._clean(told, ask, signed)
        if seconds is not None and seconds > ASKED_MOST:
            raise self._clean(too_long_to_wait(answer, self.clock.now(), seconds), ask, signed)
        raise _AgainError(told or usual(answer, self._about), seconds)

    def _sent(self, ask: Request, signed: Mapping[str, str] | None) -> Answer:
        """Send it once, following redirects on the same host."""
        import requests

        from leadlight.connect.refusals import broken

        address = address_of(self._about.title, self._base, ask.path, self._way.hosts)
        params = {**(self._way.params if signed is not None else {}), **(ask.params or {})}
        for _ in range(REDIRECTS + 1):
            if self._quota is not None:
                self._quota.take()
            try:
                answer = self._exchange(ask, address, params, signed)
            except (requests.RequestException, OSError) as error:
                trouble, never_sent = broken(self._about.title, f"{ask.method} {shown(address)}", error)
                if trouble.trouble == "unreachable" and (ask.retry or never_sent):
                    raise _AgainError(trouble) from None
                raise self._clean(trouble, ask, signed) from None
            to = answer.headers.get("location")
            if answer.status // 100 != 3 or not to or answer.status in ask.expect or ask.method not in ("GET", "HEAD"):
                return answer
            address, params = address_of(self._about.title, self._base, joined(address, to), self._way.hosts), {}
        return answer

    def _exchange(
        self, ask: Request, address: str, params: Mapping[str, Any], signed: Mapping[str, str] | None
    ) -> Answer:
        headers = {**(self._way.headers if signed is not None else {}), **(ask.headers or {}), **(signed or {})}
        data: Any = ask.body if ask.body is not None else ask.form
        if ask.json is not None:
            data = jsonlib.dumps(ask.json, separators=(",", ":")).encode()
            headers = {"Content-Type": "application/json", **headers}
        request = f"{ask.method} {shown(address)}"
        with self._turns:
            self._pace.wait()
            self.requests += 1
            with (
                in_time(self._about.title, request),
                self._session.request(
                    ask.method,
                    address,
                    params=params,
                    data=data,
                    headers=headers,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                found = {name.lower(): value for name, value in response.headers.items()}
                body = bounded(response, self._about.title, request)
        return Answer(response.status_code, found, body, self._about.title, request)

    # -------------------------------------------------------------------------------------------------- errors

    def _clean(self, error: RemoteError, ask: Request, signed: Mapping[str, str] | None) -> RemoteError:
        """Take out of an error what signs requests, whoever wrote it there."""
        from leadlight.connect.secrets import without

        hidden = {*self._secret, *self._way.params.values(), *(signed or {}).values()}
        hidden |= {value.partition(" ")[2] for value in (signed or {}).values()}
        if signed is None:  # signing in: what is sent is secret, all of it
            hidden |= {str(value) for value in (ask.form or {}).values() if len(str(value)) > len("refresh_token")}
        return without(error, hidden)
