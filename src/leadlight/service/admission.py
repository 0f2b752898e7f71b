"""Who may, as one thing: the keys, the people and their sessions, the issuer, the audit log; opened with a workspace.

All of it lies in `.leadlight` beside an embedded store, and in tables of a store in PostgreSQL, so that every process
of a service knows the same. What others change is seen within seconds: a thread looks every second.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.engines.base import Engine
from leadlight.errors import StoreError
from leadlight.service.audit import FILE, AuditFile, AuditLog, AuditTable
from leadlight.service.idempotency import forget_old
from leadlight.service.keys import ALL, Keys
from leadlight.service.people import People
from leadlight.service.sessions import Sessions
from leadlight.service.shelf import FileShelf, Shelf, TableShelf
from leadlight.spec.service import ServiceSpec
from leadlight.spec.variables import expand
from leadlight.store.open import POSTGRES
from leadlight.workspace import Workspace, utc_now

if TYPE_CHECKING:
    from leadlight.service.oidc import Issuer
    from leadlight.service.shared_limits import SharedLimits

OURS = ".leadlight"
"""The workspace's folder for what is not written by hand."""
LOOK = 1.0
"""Seconds after which changes of other processes are looked for."""
NOTE = 30
"""How many looks later the last use of keys is told to others."""
TIDY = 3600
"""How many looks later answers are forgotten that were kept long enough; also with the first look."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything that says who may."""

    keys: Keys
    people: People
    sessions: Sessions
    audit: AuditLog
    spec: ServiceSpec
    issuer: Issuer | None
    now: Callable[[], datetime] = utc_now

    def look(self) -> None:
        """Take over what other processes changed."""
        self.keys.look()
        self.people.look()
        self.sessions.look()

    def digest(self, parts: list[bytes]) -> str:
        """Return what stands for a body in the audit log: to prove what was sent, of no use to guess it."""
        if not any(parts):
            return ""
        found = hmac.new(self.sessions.derived("audit"), digestmod=hashlib.sha256)
        for part in parts:
            found.update(part)
        return found.hexdigest()


@contextmanager
def open_admission(folder: Path, *, now: Callable[[], datetime] = utc_now, watch: bool = True) -> Iterator[Admission]:
    """Open what a workspace's service knows of who may; with `watch`, follow what other processes change.

    Raises SpecError, StoreError.
    """
    spec = Workspace(folder).loaded.workspace.spec
    with ExitStack() as stack:
        shelf: Shelf = FileShelf(folder / OURS)
        audit: AuditLog = AuditFile(folder / OURS / FILE)
        if spec.store.startswith(POSTGRES):
            shelf, audit = _in_the_store(stack, spec.store)
        keys = Keys(shelf, now=now)
        if watch and spec.store.startswith(POSTGRES):
            keys.shared = _shared_limits(stack, spec.store)
        people, sessions = People(shelf, now=now), Sessions(shelf, now=now)
        found = Admission(keys, people, sessions, audit, spec.service, _issuer(spec.service, now), now)
        if watch:
            stack.enter_context(_watched(found))
        yield found


def _issuer(spec: ServiceSpec, now: Callable[[], datetime]) -> Issuer | None:
    if spec.oidc is None:
        return None
    from leadlight.service.oidc import Issuer

    if spec.oidc.client_secret is not None:
        expand(spec.oidc.client_secret, os.environ)  # one that is not set is said at the start
    return Issuer(spec.oidc, now=now)


def _shared_limits(stack: ExitStack, address: str) -> SharedLimits:
    from leadlight.engines.postgres import PostgresEngine
    from leadlight.service.shared_limits import SharedLimits

    found = SharedLimits(lambda: PostgresEngine(expand(address, os.environ)))
    stack.callback(found.close)
    return found


def _in_the_store(stack: ExitStack, address: str) -> tuple[Shelf, AuditLog]:
    from leadlight.engines.postgres import PostgresEngine

    found: list[Engine] = []
    for _ in range(2):
        engine = PostgresEngine(expand(address, os.environ))
        stack.callback(engine.close)
        found.append(engine)
    return TableShelf(found[0]), AuditTable(found[1])


@contextmanager
def _watched(admission: Admission) -> Iterator[None]:
    """Look at the shelf every second, and tell it now and then when keys were used."""
    stop = threading.Event()

    def follow() -> None:
        looks = 0
        while not stop.wait(LOOK):
            looks += 1
            with suppress(StoreError):  # what is known stays good until the store can be asked again
                admission.look()
                if looks % NOTE == 0:
                    admission.keys.note_use()
                if looks % TIDY == 1:
                    forget_old(admission.keys.shelf, admission.now())

    thread = threading.Thread(target=follow, name="admission", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        with suppress(StoreError):
            admission.keys.note_use()


def first_key(keys: Keys, say: Say) -> None:
    """Make a key that may do all where there is none yet, and say it once; one process does, however many start."""
    if keys.all():
        return
    secret = keys.make_first("admin", ALL)
    if secret is not None:
        say(f"Key that may do all, shown this once: {secret}")
