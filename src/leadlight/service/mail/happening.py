"""What providers say happened to a message, in words of our own: the same six events from each of them.

Whom it is about is said by a custom argument with the user's id, where the sender put one into the message; else by
the address, as the id `email:ann@acme.example` (see `addresses`). Opens that the provider knows a machine made are kept
with `machine: true`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.errors import shorten
from leadlight.service.call import Call
from leadlight.service.segment import MAX_ID, OURS_FOR_EVENTS, Batch, CallFault, Rejected, flat, happened_at
from leadlight.store.merge import BY_ADDRESS

LONGEST_ADDRESS = 320
READERS = re.compile(r"GoogleImageProxy|YahooMailProxy|Microsoft Office|ms-office|Outlook|Thunderbird", re.IGNORECASE)
"""Mail programs, and proxies that fetch the images of a message when it is read."""
ODD = frozenset(map(chr, range(32))) | {'"', "\\"}
"""What no address has that anybody would write to."""

DELIVERED, OPEN, CLICK = "email_delivered", "email_open", "email_click"
BOUNCE, COMPLAINT, UNSUBSCRIBE = "email_bounce", "email_complaint", "email_unsubscribe"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a message, as its provider says it; nothing of it is checked yet."""

    event: str
    id: str
    """The provider's own id of it, so that hearing of it again does no harm."""
    at: Any
    address: Any
    user: Any = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    agent: Any = None
    """What the client that opened or clicked calls itself."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a webhook brought: calls, those left out, and how many say what is of no interest here."""

    batch: Batch = field(default_factory=Batch)
    ignored: int = 0


Reader = Callable[[Any, str], Iterable[Happening] | None]
"""Reads an item of a webhook; is told the custom argument that holds the user's id. None where it is of no interest.

Raises CallFault where it is no such item at all.
"""


def read_items(items: Iterable[Any], reader: Reader, received_at: datetime, user_argument: str) -> Heard:
    """Read what a webhook brought, item by item: one that is faulty takes no other with it."""
    batch, ignored = Batch(), 0
    for index, item in enumerate(items):
        try:
            said = reader(item, user_argument)
            if said is None:
                ignored += 1
            else:
                batch.calls.extend([call_of(one, received_at) for one in said])
        except CallFault as fault:
            batch.rejected.append(Rejected(index, str(fault)))
    return Heard(batch, ignored)


def call_of(said: Happening, received_at: datetime) -> Call:
    """Return it as a call.

    Raises CallFault.

    >>> call = call_of(Happening(OPEN, "e1", 1769853600, " Ann@Acme.example "), datetime(2026, 1, 31, 12))
    >>> call.user_id, call.event, call.traits, call.at
    ('email:ann@acme.example', 'email_open', None, datetime.datetime(2026, 1, 31, 10, 0))
    """
    user = user_id(said.user) or f"{BY_ADDRESS}{address_of(said.address)}"
    if not isinstance(said.id, str) or not said.id or len(said.id) > 2 * MAX_ID:
        raise CallFault(f"the id of the event is {shorten(said.id)}: a text is wanted")
    if said.at is None:
        raise CallFault("it does not say when it happened")
    told = {name: value for name, value in said.properties.items() if value not in (None, "", [], {})}
    properties = {name: value for name, value in flat(told, OURS_FOR_EVENTS).items() if value is not None}
    return Call(
        said.id.replace("\x00", ""), happened_at(said.at, None, received_at), received_at, user_id=user,
        event=said.event, properties=properties, agent=agent_of(said.agent),
    )  # fmt: skip


def agent_of(value: Any) -> str | None:
    """Return what a client calls itself, by which crawlers are known; None for mail programs and their proxies.

    Lists of crawlers have those too, but somebody reads what they fetch.

    >>> agent_of("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)")
    >>> agent_of("Googlebot/2.1")
    'Googlebot/2.1'
    """
    if not isinstance(value, str) or READERS.search(value):
        return None
    return value[:MAX_ID].replace("\x00", "").encode("utf-8", "ignore").decode() or None


def user_id(value: Any) -> str | None:
    """Return the user's id that a custom argument holds, None where it holds none.

    >>> user_id(" crm-1 "), user_id(7), user_id(["crm-1"]), user_id("")
    ('crm-1', '7', 'crm-1', None)
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # tags are lists
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = value.replace("\x00", "").strip()
    return text if 0 < len(text) <= MAX_ID else None


def address_of(value: Any) -> str:
    """Return an e-mail address as ids hold it: trimmed and in small letters, as duplicates are found.

    Raises CallFault.
    """
    text = value.strip().lower() if isinstance(value, str) else ""
    name, at, host = text.rpartition("@")
    if not at or not name or not host or len(text) > LONGEST_ADDRESS or any(c.isspace() or c in ODD for c in text):
        raise CallFault(f"the address is {shorten(value)}: an e-mail address is wanted")
    return text.encode("utf-8", "ignore").decode()


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object, empty where it is none: what a provider adds is not worth losing the event for."""
    return value if isinstance(value, Mapping) else {}


def item(value: Any) -> Mapping[str, Any]:
    """Return an item that has to be an object.

    Raises CallFault.
    """
    if not isinstance(value, Mapping):
        raise CallFault(f"expected an object, found {shorten(value)}")
    return value


def first(value: Any) -> Any:
    """Return the first of a list, or what is no list itself: of several categories of a message, the first counts."""
    return (value[0] if value else None) if isinstance(value, list) else value
