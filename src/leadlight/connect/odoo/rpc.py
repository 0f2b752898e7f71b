"""Odoo's external API, both ways it has: JSON-RPC (16 to 21), where a login is told, and JSON-2 (19 and newer)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leadlight.connect.refusals import odd, said
from leadlight.connect.secrets import hide
from leadlight.errors import RemoteError, RemoteTrouble, shorten

if TYPE_CHECKING:
    from leadlight.connect.http import Answer, Http

TITLE = "Odoo"
UNAUTHORIZED, FORBIDDEN, ABSENT = 401, 403, 404
REFUSED = (400, UNAUTHORIZED, FORBIDDEN, ABSENT, 409, 422)
KEY_FIX = (
    "Look at the key (ODOO_KEY): in Odoo, My Profile > Account Security > API Keys; it is made by the user it works "
    "for, and may have a date of expiry. For JSON-RPC, `login` is that user's login."
)
RIGHTS_FIX = (
    "In Odoo, under Settings > Users, give the key's user the right: Sales > Administrator (all leads), for the "
    "history of fields and for making fields Administration > Settings."
)
NO_API_FIX = (
    "Look whether `url` and `database` are right. Odoo 18 and older have no JSON-2: write the user's `login:`, and "
    "JSON-RPC is used. On Odoo Online, only the Custom plan has an external API."
)
FIELD_FIX = "Look whether the fields that the sources name still exist in Odoo (Settings > Technical > Fields)."
UNKNOWN = re.compile(r"[Ii]nvalid field ['\"]?([\w.]+)|no attribute ['\"]([\w.]+)|KeyError:? ['\"]?([\w.]+)")
BUSY = ("SerializationFailure", "LockNotAvailable", "DeadlockDetected", "OperationalError")
"""Exceptions that mean that another transaction was in the way: it may go well next time."""
KINDS: Mapping[str, tuple[RemoteTrouble, str, str | None]] = {
    "AccessDenied": ("sign_in", "does not let us in", KEY_FIX),
    "Unauthorized": ("sign_in", "does not let us in", KEY_FIX),
    "AccessError": ("scope", "does not allow this", RIGHTS_FIX),
    "Forbidden": ("scope", "does not allow this", RIGHTS_FIX),
    "MissingError": ("absent", "has no such record any more", None),
    "NotFound": ("absent", "has no such model", FIELD_FIX),
    "ValidationError": ("invalid", "does not take these values", None),
    "UserError": ("invalid", "does not take this", None),
    "UnprocessableEntity": ("invalid", "does not take this", None),
}
"""What an exception of Odoo's means, by the last part of its name."""


class OdooError(RemoteError):
    """Something that Odoo refused; `kind` is the exception's name there, without its module."""

    def __init__(
        self, kind: str, trouble: RemoteTrouble, message: str, *, fix: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(TITLE, trouble, message, fix=fix, status=status)
        self.kind = kind


def failed(kind: str, message: str, status: int | None = None) -> OdooError:
    """Return what an exception of Odoo's means, and what to do."""
    kind = kind.rpartition(".")[2]
    own = " ".join(message.split())[:300]
    if (found := UNKNOWN.search(own)) is not None and kind not in KINDS:
        name = next(group for group in found.groups() if group)
        return OdooError(kind, "absent", f"knows no field or model {shorten(name)}", fix=FIELD_FIX, status=status)
    if "does not exist" in own and "database" in own:
        return OdooError(kind, "absent", "has no such database", fix=NO_API_FIX, status=status)
    trouble, words, fix = KINDS.get(kind, ("trouble", "failed", None))
    return OdooError(kind, trouble, f"{words}: {own}" if own else words, fix=fix, status=status)


def refusal(answer: Answer) -> RemoteError | None:
    """Return what it means that JSON-2 fails, again and again (JSON-RPC answers 200, whatever happens)."""
    name = _object(answer).get("name")
    return failed(name, said(answer) or "", answer.status) if isinstance(name, str) and name else unnamed(answer)


def unnamed(answer: Answer) -> OdooError | None:
    """Return what a refusal means that does not come from Odoo itself, but from the address or a server before it."""
    if answer.status == ABSENT:
        return OdooError("", "disabled", "has no such API at this address", fix=NO_API_FIX, status=ABSENT)
    if answer.status == UNAUTHORIZED:
        return OdooError("", "sign_in", "does not let us in", fix=KEY_FIX, status=UNAUTHORIZED)
    if answer.status == FORBIDDEN:
        return OdooError("", "scope", "does not allow this", fix=RIGHTS_FIX, status=FORBIDDEN)
    return None


class Rpc:
    """Calls of methods of Odoo's models."""

    def __init__(self, http: Http, *, database: str, login: str | None, key: str) -> None:
        self.http = http
        self._database, self._login, self._key = database, login, key
        self._user: int | None = None

    def call(
        self,
        model: str,
        method: str,
        arguments: Mapping[str, Any],
        *,
        ids: Sequence[int] | None = None,
        positional: Sequence[str] = (),
        retry: bool = True,
    ) -> Any:
        """Call a method; `positional` names the arguments that JSON-RPC wants by their place. Raises RemoteError."""
        context = {"lang": "en_US", "tz": "UTC", "active_test": False, **arguments.get("context", {})}
        named = {**arguments, "context": context}
        if self._login is None:
            asked = named if ids is None else {"ids": list(ids), **named}
            answer = self.http.ask("POST", f"/json/2/{model}/{method}", json=asked, retry=retry, expect=REFUSED)
            if answer.status in REFUSED:
                raise self._refused(answer)
            return answer.json()
        placed = [*([] if ids is None else [list(ids)]), *(named.pop(name) for name in positional)]
        who = [self._database, self._signed_in(), self._key]
        return self._rpc("object", "execute_kw", [*who, model, method, placed, named], retry=retry)

    def search(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return fields of the records of a condition, archived ones too. Raises RemoteError."""
        asked = {"domain": list(domain), "fields": list(fields), "limit": limit, "order": order}
        found = self.call(model, "search_read", {name: value for name, value in asked.items() if value is not None})
        if not isinstance(found, list) or not all(isinstance(one, dict) and _is_id(one.get("id")) for one in found):
            raise odd(TITLE, f"records of {model} are {shorten(found)}")
        return found

    def _signed_in(self) -> int:
        if self._user is None:
            user = self._rpc("common", "login", [self._database, self._login, self._key], retry=True)
            if not _is_id(user):
                raise OdooError("AccessDenied", "sign_in", "does not let us in", fix=KEY_FIX)
            self._user = int(user)
        return self._user

    def _rpc(self, service: str, method: str, arguments: Sequence[Any], *, retry: bool) -> Any:
        params = {"service": service, "method": method, "args": arguments}
        asked = {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        answer = self.http.ask("POST", "/jsonrpc", json=asked, retry=retry).json()
        if not isinstance(answer, dict):
            raise odd(TITLE, f"an answer of JSON-RPC is {shorten(answer)}")
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        data = error.get("data") if isinstance(error, dict) else None
        held = data if isinstance(data, dict) else {}
        raise failed(str(held.get("name") or ""), hide(str(held.get("message") or ""), [self._key]))

    def _refused(self, answer: Answer) -> OdooError:
        kind = _object(answer).get("name")
        if isinstance(kind, str) and kind:
            return failed(kind, hide(said(answer) or "", [self._key]), answer.status)
        return unnamed(answer) or failed("", hide(said(answer) or "", [self._key]), answer.status)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except RemoteError:
        return {}
    return told if isinstance(told, dict) else {}
