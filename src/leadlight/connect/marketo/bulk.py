"""Marketo's bulk extract: people by when they were created, month by month, as files of CSV that are read in pieces."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.marketo.api import ABOUT, PAGE, call, iso, results
from leadlight.connect.refusals import odd
from leadlight.connect.typed import moment, text
from leadlight.errors import RemoteError

WINDOW = timedelta(days=31)
"""The longest that Marketo exports at once."""
AHEAD = 3
"""Exports that are ordered before they are needed: Marketo makes two at a time and queues ten."""
PIECE = 1 << 20
"""Bytes that are asked for at a time."""
PATIENCE = timedelta(hours=6)
NOTHING = "null"
"""How an export writes that a field is empty."""
PARTIAL, OUT_OF_RANGE = 206, 416
ID = re.compile(r"[\w-]{1,100}")
ENDED = ("Cancelled", "Canceled", "Failed")

Rows = list[dict[str, str | None]]


def exported(
    http: Http, fields: Sequence[str], state: Mapping[str, Any], *, until: datetime, poll: float
) -> Iterator[tuple[Rows, dict[str, Any] | None]]:
    """Yield rows of everybody created until a moment, with where to go on after them (None: that was all).

    `state` begins as {"next": when the first were created}. Raises RemoteError.
    """
    state = {"jobs": [], "byte": 0, "header": None, "ahead": 1, **state}
    while True:
        ordered = _order(http, fields, state, until)
        if ordered and state["ahead"] > 1:
            yield [], dict(state)
        if not state["jobs"]:
            return
        size = _wait(http, state["jobs"][0]["id"], poll)
        for rows in _file(http, state, size):
            yield rows, dict(state)
        state |= {"jobs": state["jobs"][1:], "byte": 0, "header": None, "ahead": AHEAD}
        over = not state["jobs"] and (moment(state["next"]) or until) >= until
        yield [], None if over else dict(state)
        if over:
            return


def _order(http: Http, fields: Sequence[str], state: dict[str, Any], until: datetime) -> bool:
    """Order exports of the next months; say whether any was."""
    ordered = False
    start = moment(state["next"]) or until
    while len(state["jobs"]) < state["ahead"] and start < until:
        end = min(start + WINDOW - timedelta(seconds=1), until)
        created = {"startAt": iso(start), "endAt": iso(end)}
        wanted = {"fields": list(fields), "format": "CSV", "filter": {"createdAt": created}}
        made = results(call(http, "POST", "/bulk/v1/leads/export/create.json", json=wanted))
        job = text(made[0].get("exportId")) if made else None
        if job is None or not ID.fullmatch(job):
            raise odd(ABOUT.title, "an export without an id")
        _enqueue(http, job)
        start = end + timedelta(seconds=1)
        state |= {"jobs": [*state["jobs"], {"id": job}], "next": f"{start:%Y-%m-%dT%H:%M:%S}"}
        ordered = True
    return ordered


def _enqueue(http: Http, job: str) -> None:
    try:
        call(http, "POST", f"/bulk/v1/leads/export/{job}/enqueue.json")
    except RemoteError as error:
        if "already" not in error.message.lower():  # the answer to the first try was lost
            raise


def _wait(http: Http, job: str, poll: float) -> int:
    """Wait until an export has been made; return the size of its file."""
    waited = 0.0
    while waited < PATIENCE.total_seconds():
        (told, *_) = results(call(http, "GET", f"/bulk/v1/leads/export/{job}/status.json")) or [{}]
        status = told.get("status")
        if status == "Completed":
            size = told.get("fileSize")
            return size if isinstance(size, int) and size >= 0 else 0
        if status in ENDED:
            fix = "Start the sync anew with --full; if it goes on, ask Marketo's support with the id of the export."
            raise RemoteError(ABOUT.title, "trouble", f"its export {job} ended as {status}", fix=fix)
        http.clock.sleep(poll)
        waited += poll
    raise RemoteError(
        ABOUT.title, "trouble", f"its export {job} is not made", fix="Sync again later: it goes on there."
    )


def _file(http: Http, state: dict[str, Any], size: int) -> Iterator[Rows]:
    """Yield the rows of a file from a byte on; `state` is where the next ones begin."""
    path = f"/bulk/v1/leads/export/{state['jobs'][0]['id']}/file.json"
    length = PIECE
    while size == 0 or state["byte"] < size:
        at = int(state["byte"])
        headers = {"Range": f"bytes={at}-{at + length - 1}", "Accept": "text/csv"}
        answer = http.ask("GET", path, headers=headers, expect=(OUT_OF_RANGE,))
        if answer.status == OUT_OF_RANGE:
            return
        if answer.body[:1] == b"{":  # an error comes with a 200, as ever
            call(http, "GET", path)
        piece = answer.body if answer.status == PARTIAL else answer.body[at:]
        last = answer.status != PARTIAL or len(piece) < length
        lines = _lines(piece, whole=last)
        if not lines and not last:
            length *= 2
            if length > PIECE << 5:
                raise odd(ABOUT.title, "an export with a line longer than 32 MB")
            continue
        yield from _rows(lines, state)
        if last:
            return


def _lines(piece: bytes, *, whole: bool) -> list[bytes]:
    """Cut CSV into its lines, each with its end; a line break in quotes ends none. The last may be cut off.

    >>> _lines(b'a,b\\n"x\\ny",2\\n3,', whole=False)
    [b'a,b\\n', b'"x\\ny",2\\n']
    """
    *ended, rest = piece.split(b"\n")
    found: list[bytes] = []
    held = b""
    for line in ended:
        held += line + b"\n"
        if held.count(b'"') % 2 == 0:
            found.append(held)
            held = b""
    if whole and (held + rest).strip():
        found.append(held + rest)
    return found


def _rows(lines: Sequence[bytes], state: dict[str, Any]) -> Iterator[Rows]:
    if state["header"] is None and lines:
        state["header"] = _read(lines[:1])[0]
        state["byte"] += len(lines[0])
        lines = lines[1:]
    for start in range(0, len(lines), PAGE):
        several = lines[start : start + PAGE]
        state["byte"] += sum(map(len, several))
        yield [
            {name: None if value in ("", NOTHING) else value for name, value in zip(state["header"], row, strict=False)}
            for row in _read(several)
            if row
        ]


def _read(lines: Sequence[bytes]) -> list[list[str]]:
    try:
        return list(csv.reader([line.decode("utf-8-sig", "replace") for line in lines]))
    except csv.Error as error:
        raise odd(ABOUT.title, f"an export that is no CSV ({error})") from None
