"""Pages of an endpoint as dlt's REST client finds them, each request made by our `Http`: signed, paced, to one host."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from leadlight.connect.http import Http
from leadlight.connect.refusals import odd
from leadlight.connect.rest.settings import ABOUT, EndpointSettings, RestSettings
from leadlight.errors import UsageError

if TYPE_CHECKING:
    import requests
    from dlt.sources.helpers.rest_client.paginators import BasePaginator

SAME_MOST = 3
"""How often the same page may come in a row before we say that paging goes nowhere."""


def pages(
    http: Http, settings: RestSettings, name: str, endpoint: EndpointSettings, params: Mapping[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of an endpoint, page by page. Raises RemoteError, UsageError for a paginator that is none."""
    from dlt.common.configuration.specs import RuntimeConfiguration
    from dlt.sources.helpers.rest_client.client import RESTClient

    session = _session(http)
    client = RESTClient(settings.url.rstrip("/"), session=session, config=RuntimeConfiguration())
    paginator = _paginator(settings, name, endpoint)
    found = client.paginate(
        endpoint.path or name,
        params={**endpoint.params, **params},
        paginator=paginator,
        data_selector=endpoint.records,
    )
    before, same = None, 0
    try:
        while True:
            try:
                page = next(found, None)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                # What dlt's paginators say of an answer that is no JSON, or not as they were told it would be.
                raise odd(ABOUT.title, f"{name}: {type(error).__name__} where its pages are looked for") from None
            if page is None:
                return
            records = [record for record in page if isinstance(record, dict)]
            if len(records) != len(page):
                raise odd(ABOUT.title, f"{name} has records that are no objects (see `records`)")
            same = same + 1 if records and records == before else 0
            if same >= SAME_MOST:
                raise odd(ABOUT.title, f"{name} gives the same page again and again (see `paginator`)")
            before = records
            yield records
    finally:
        session.close()


def _paginator(settings: RestSettings, name: str, endpoint: EndpointSettings) -> BasePaginator | None:
    from dlt.common.exceptions import DltException
    from dlt.sources.rest_api.config_setup import create_paginator

    told: Any = endpoint.paginator if endpoint.paginator is not None else settings.paginator
    try:
        config: Any = dict(told) if isinstance(told, dict) else told
        return create_paginator(config)
    except (DltException, ValueError, TypeError) as error:
        fix = "The kinds are json_link, header_link, header_cursor, cursor, offset, page_number, single_page, auto."
        raise UsageError(f"the paginator of {name} makes no sense: {error}", fix=fix) from None


def _session(http: Http) -> requests.Session:
    """Return a session of requests whose every request is made by `http`."""
    import requests
    from requests.adapters import BaseAdapter

    class Through(BaseAdapter):
        def send(  # type: ignore[override]  # what else requests tells (timeouts, proxies) is ours to know
            self, request: requests.PreparedRequest, **_: object
        ) -> requests.Response:
            answer = http.ask(str(request.method), str(request.url))
            response = requests.Response()
            response.status_code, response.url, response.request = answer.status, str(request.url), request
            response.headers.update(answer.headers)
            response.headers.pop("content-encoding", None)
            response.raw, response.encoding = io.BytesIO(answer.body), "utf-8"
            return response

        def close(self) -> None:
            """Keep `http`, which is its owner's to close."""

    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, Through())
    return session
