"""Tryton's REST API: its methods, called by POST with an application key."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leadlight.connect.refusals import odd, said
from leadlight.connect.tryton.values import tagged
from leadlight.errors import RemoteError, shorten

if TYPE_CHECKING:
    from leadlight.connect.http import Answer, Http

TITLE = "Tryton"
BAD, UNAUTHORIZED, FORBIDDEN, ABSENT, WARNED, LOCKED, ILL = 400, 401, 403, 404, 409, 423, 500
KEY_FIX = (
    "Look at the key (TRYTON_KEY): in Tryton, a user's own applications stand in the preferences, all of them under "
    "Administration > Users > Users > Applications. The application is REST API, its state Validated."
)
GROUP_FIX = (
    "In Tryton, give the key's user a group that may (Administration > Users > Users > the user > Access Permissions): "
    "Sale Opportunity for leads, Sales for sales, Marketing for e-mails."
)
NOT_ALLOWED = re.compile(r"not allowed to (access|search|read)", re.IGNORECASE)
NAMES = re.compile(r"<p>&#39;([\w.]{1,100})&#39;</p>")
"""How a server error tells of a name that it does not know."""

Domain = Sequence[Any]
"""A condition of Tryton's: `[["state", "=", "lead"], …]`."""


def refusal(answer: Answer) -> RemoteError | None:
    """Return what a refused request means in Tryton."""
    status = answer.status
    if status == UNAUTHORIZED:
        return RemoteError(TITLE, "sign_in", "does not accept the application key", fix=KEY_FIX, status=status)
    if status == ABSENT:
        fix = (
            "Look whether `url` and `database` are right, and whether it is Tryton 8 or newer: older ones have no "
            "REST API."
        )
        return RemoteError(TITLE, "absent", f"there is no {answer.request.partition(' ')[2]}", fix=fix, status=status)
    own = said(answer) or ""
    if status == FORBIDDEN or (status == BAD and NOT_ALLOWED.search(own)):
        message = f"does not allow this: {own}" if own else "does not allow this"
        return RemoteError(TITLE, "scope", message, fix=GROUP_FIX, status=status)
    if status == ILL and (found := NAMES.search(answer.text())):
        message = f"fails at {shorten(found[1])}: there is no such field or model (any more)"
        fix = "Look whether the fields that the sources name still exist in Tryton."
        return RemoteError(TITLE, "absent", message, fix=fix, status=status)
    return None


class Rest:
    """Calls of methods of Tryton's models."""

    def __init__(self, http: Http, company: int | None) -> None:
        self._http, self._company = http, company

    def now(self) -> datetime:
        """Return what time it is, by our own clock."""
        return self._http.clock.now()

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method that reads. Raises RemoteError."""
        return self._http.ask("POST", f"/{model}/{method}", json=arguments, headers=self._headers()).json()

    def search(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: Sequence[Sequence[str]] | None = None,
        as_of: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Return fields of the records of a condition: as they are, or as they were. Raises RemoteError."""
        asked = {"domain": domain, "fields_names": list(fields), "limit": limit, "order": order}
        answer = self._http.ask("POST", f"/{model}/search_read", json=asked, headers=self._headers(as_of))
        found = answer.json()
        if not isinstance(found, list) or not all(
            isinstance(one, dict) and isinstance(one.get("id"), int) for one in found
        ):
            raise odd(TITLE, f"records of {model} are {shorten(found)}")
        return found

    def put(self, model: str, number: str, values: Mapping[str, Any]) -> Answer:
        """Write one record; what Tryton refuses is returned, not raised."""
        refused = (BAD, FORBIDDEN, ABSENT, WARNED, LOCKED, ILL)
        return self._http.ask("PUT", f"/{model}/{number}", json=values, headers=self._headers(), expect=refused)

    def change(self, model: str, method: str, *, retry: bool = True, **arguments: Any) -> Answer:
        """Call a method that writes; what Tryton refuses is returned, not raised."""
        refused = (BAD, FORBIDDEN, ABSENT, WARNED, LOCKED, ILL)
        path = f"/{model}/{method}"
        return self._http.ask("POST", path, json=arguments, headers=self._headers(), expect=refused, retry=retry)

    def _headers(self, as_of: datetime | None = None) -> dict[str, str]:
        context: dict[str, Any] = {} if self._company is None else {"company": self._company}
        if as_of is not None:
            context["_datetime"] = tagged(as_of, "datetime")
        if not context:
            return {}
        return {"X-Tryton-Context": base64.urlsafe_b64encode(json.dumps(context).encode()).decode()}
