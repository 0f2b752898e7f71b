"""Queries, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.refusals import odd
from leadlight.connect.salesforce import soql
from leadlight.errors import RemoteError

OUTDATED = "INVALID_QUERY_LOCATOR"
"""What is said where the rest of an answer is not kept any more: two days later, or ten queries later."""
OPTIONS = "Sforce-Query-Options"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records, and where the next are."""

    records: Sequence[Mapping[str, Any]]
    rest: str | None


class Query:
    """Asks an org in SOQL."""

    def __init__(self, http: Http, root: str, page: int) -> None:
        self._http, self._root, self._page = http, root, page

    def first(self, soql_text: str, *, deleted: bool = False) -> Batch:
        """Return the first records of a query; with the deleted ones that are still in the bin. Raises RemoteError."""
        path = f"{self._root}/{'queryAll' if deleted else 'query'}/"
        return self._batch(self._http.ask("GET", path, params={"q": soql_text}, headers=self._headers()).json())

    def next(self, rest: str) -> Batch | None:
        """Return the records after those; None where the org has forgotten the query. Raises RemoteError."""
        try:
            return self._batch(self._http.ask("GET", rest, headers=self._headers()).json())
        except RemoteError as error:
            if OUTDATED in error.message:
                return None
            raise

    def all(self, soql_text: str, *, deleted: bool = False) -> Iterator[Mapping[str, Any]]:
        """Yield the records of a query that is small. Raises RemoteError."""
        batch = self.first(soql_text, deleted=deleted)
        yield from batch.records
        while batch.rest is not None:
            more = self.next(batch.rest)
            if more is None:
                raise RemoteError(soql.TITLE, "trouble", "forgot a query in its midst", fix="Sync again; it goes on.")
            batch = more
            yield from batch.records

    def _headers(self) -> Mapping[str, str]:
        return {OPTIONS: f"batchSize={self._page:d}"}

    def _batch(self, told: Any) -> Batch:
        records = told.get("records") if isinstance(told, dict) else None
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise odd(soql.TITLE, "a query's answer has no `records`")
        rest = told.get("nextRecordsUrl")
        return Batch(records, rest if isinstance(rest, str) and told.get("done") is not True else None)
