"""Any vendor's API, asked as a file describes it (`leadlight.spec.vendor`)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from leadlight.enrich.answer import answered
from leadlight.enrich.convert import convert, number_of, text_of
from leadlight.enrich.industries import industry_of
from leadlight.enrich.industry_names import industry_named
from leadlight.enrich.network import Network, NetworkError, Reply, Why
from leadlight.enrich.provider import About, Clue, Fact, Query, Surroundings, Value
from leadlight.enrich.sound import MAX_EVIDENCE, clean_text, hide
from leadlight.enrich.template import clues_in, fill, fill_path
from leadlight.enrich.vendor import VendorSettings, attribute_of
from leadlight.expr.types import Type
from leadlight.spec.vendor import AttributeSpec, ErrorSpec, ScaleSpec, VendorSpec

MAX_ITEMS = 1000


class Vendor:
    """A vendor, asked as its file says."""

    def __init__(self, about: About, settings: VendorSettings, spec: VendorSpec, surroundings: Surroundings) -> None:
        self.about, self.settings, self._spec = about, settings, spec
        self._auth = _auth(spec, surroundings)
        self._host = urlsplit(spec.request.url).hostname or ""
        self._clues = sorted(clues_in([spec.request.url, spec.request.query, spec.request.body]))

    def key(self, query: Query) -> str | None:
        """Return the clues that would be sent."""
        known = {clue: value.strip().lower() for clue in self._clues if (value := query.get(clue)) and value.strip()}
        suffices = any(need <= _given(query) for need in self.about.needs)
        if not suffices or fill_path(self._spec.request.url, query) is None:
            return None
        return "&".join(f"{clue.value}={value}" for clue, value in known.items())

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the vendor says. Raises NetworkError."""
        url = fill_path(self._spec.request.url, query)
        if url is None or self.key(query) is None:
            return ()
        answer = await self._answer(url, query, network, {})
        if answer is None:
            return ()
        return tuple(self._facts(await self._whole(answer, url, query, network)))

    async def _answer(self, url: str, query: Query, network: Network, more: Mapping[str, Any]) -> Any:
        """Send one request; None where the vendor knows nothing."""

        async def send(ttl: timedelta) -> Reply:
            return await self._send(url, query, network, more, ttl)

        return await answered(send, self._read, ttl=self.about.ttl, at=query.at)

    def _read(self, reply: Reply) -> Any:
        if reply.status in self._spec.nothing.status:
            return None
        later = self._spec.later
        if later is not None and reply.status in later.status:
            message = f"{self._host} is still looking"
            raise NetworkError(Why.RATE_LIMITED, message, retry_at=reply.fetched_at + later.after)
        if not reply.ok:
            raise NetworkError(Why.BROKEN, f"{self._host} answered with status {reply.status}")
        answer = reply.json()
        self._raise_errors(answer)
        nothing = self._spec.nothing.when
        return None if answer is None or (nothing and _is_true(_find(nothing, answer))) else answer

    async def _send(self, url: str, query: Query, network: Network, more: Mapping[str, Any], ttl: timedelta) -> Reply:
        request = self._spec.request
        if request.method == "post":
            body = fill(request.body, query)
            body = {**body, **more} if isinstance(body, dict) else body
            secret = self._auth.query
            return await network.post(url, json=body, headers=self._auth.headers, secrets=secret, ttl=ttl)
        params = {key: _written(value) for key, value in {**fill(request.query, query), **more}.items()}
        return await network.get(url, params=params, headers=self._auth.headers, secrets=self._auth.query, ttl=ttl)

    async def _whole(self, answer: Any, url: str, query: Query, network: Network) -> Any:
        """Fetch the other pages, and put their items behind those of the first."""
        pages = self._spec.pages
        if pages is None or not isinstance(answer, dict):
            return answer
        items, page, seen = _items(pages.items, answer), answer, set()
        for _ in range(pages.at_most - 1):
            following = text_of(_find(pages.next, page))
            if not following or following in seen or len(items) >= MAX_ITEMS:
                break
            seen.add(following)
            page = await self._page(following, url, query, network)
            if page is None:
                break
            items += _items(pages.items, page)
        return _with(answer, pages.items.split("."), items[:MAX_ITEMS])

    async def _page(self, following: str, url: str, query: Query, network: Network) -> Any:
        pages = self._spec.pages
        if pages is not None and pages.parameter is not None:
            return await self._answer(url, query, network, {pages.parameter: following})
        target = urlsplit(urljoin(url, following))
        if (target.scheme, target.netloc) != urlsplit(url)[:2]:  # the key goes to the vendor's host, and nowhere else
            return None
        reply = await network.get(
            target.geturl(), headers=self._auth.headers, secrets=self._auth.query, ttl=self.about.ttl
        )
        return reply.json() if reply.ok else None

    def _raise_errors(self, answer: Any) -> None:
        for error in self._spec.errors:
            if _is_true(_find(error.when, answer)):
                raise NetworkError(Why(error.why), f"{self._host}: {self._words(error, answer)}")

    def _words(self, error: ErrorSpec, answer: Any) -> str:
        said = text_of(_find(error.message, answer)) if error.message else None
        return self._hide(clean_text(said, 200)) if said else "it answered with an error"

    def _facts(self, answer: Any) -> Iterator[Fact]:
        sure = self._confidence(answer)
        for name, told in self._spec.attributes.items():
            place = attribute_of(told)
            found = _find(place.path, answer)
            value = self._value(name, place, found)
            if value is not None:
                confidence = sure if place.confidence is None else min(place.confidence, sure)
                value = self._hide(value) if isinstance(value, str) else value
                evidence = self._hide(clean_text(text_of(found) or str(value), MAX_EVIDENCE))
                origin = f"{self._host}: {place.path}"
                yield Fact(name, value, confidence, origin=origin, evidence=evidence)

    def _value(self, name: str, place: AttributeSpec, found: Any) -> Value | None:
        meaning = self.about.meaning(name)
        wanted = meaning.type if meaning else Type.TEXT
        if place.code:
            code = text_of(found[0] if isinstance(found, list) and found else found)
            if code is None:
                return None
            return f"{place.code}:{code}" if name == "industry_code" else industry_of(code, scheme=place.code)
        if name == "industry" and not place.values:
            said = [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)]
            return next((known for each in said if (known := industry_named(each[:200]))), None)
        if place.values:
            found = _translated(found, place.values)
        return convert(found, name, wanted)

    def _confidence(self, answer: Any) -> float:
        told = self._spec.confidence
        if not isinstance(told, ScaleSpec):
            return told
        found = number_of(_find(told.path, answer))
        return 0.5 if found is None else min(max(found / told.of, 0.0), 1.0)

    def _hide(self, text: str) -> str:
        """Leave keys out of what is kept, should a vendor ever say them back."""
        return hide(text, self._auth.secrets)


def _given(query: Query) -> frozenset[Clue]:
    return frozenset(clue for clue, value in query.clues.items() if value and value.strip())


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _translated(found: Any, values: Mapping[str, Any]) -> Any:
    """Put our words in the place of the vendor's; of a list, in the order of ours, so that the highest comes first."""
    said = [str(each).strip().lower() for each in (found if isinstance(found, list) else [found])]
    ours = [value for key, value in values.items() if key.lower() in said]
    return ours[0] if ours else None


# ------------------------------------------------------------------------------------------------------------ keys


@dataclass(frozen=True, slots=True, repr=False)
class _Auth:
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """What must never be kept, the longest first."""


def _auth(spec: VendorSpec, surroundings: Surroundings) -> _Auth:
    """Fill in the keys. Raises UsageError where a variable is not set."""
    headers = {name: surroundings.expand(text) for name, text in spec.request.headers.items()}
    secrets = [value for name, value in headers.items() if value != spec.request.headers[name]]
    query: dict[str, str] = {}
    told = spec.auth
    if told is not None and told.bearer:
        secrets.append(surroundings.expand(told.bearer))
        headers["Authorization"] = f"Bearer {secrets[-1]}"
    if told is not None and told.header:
        own = {name: surroundings.expand(text) for name, text in told.header.items()}
        secrets += own.values()
        headers |= own
    if told is not None and told.basic:
        user, password = surroundings.expand(told.basic.user), surroundings.expand(told.basic.password)
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        secrets += [user, password, pair]
        headers["Authorization"] = f"Basic {pair}"
    if told is not None and told.query:
        query = {name: surroundings.expand(text) for name, text in told.query.items()}
        secrets += query.values()
    kept = sorted({secret for secret in secrets if len(secret) > 3}, key=len, reverse=True)
    return _Auth(headers, query, tuple(kept))


# -------------------------------------------------------------------------------------------------------- answers


def _find(path: str, answer: Any) -> Any:
    """Return what stands at a JMESPath; None where nothing does, or where the answer has another shape."""
    import jmespath

    try:
        return jmespath.search(path, answer)
    except (jmespath.exceptions.JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError, AttributeError):
        return None


def _is_true(found: Any) -> bool:
    """Say whether a JMESPath's result counts as true: all but null, false, and what is empty."""
    return found is not None and found is not False and found not in ("", [], {})


def _items(path: str, page: Any) -> list[Any]:
    found = _find(path, page)
    return list(found) if isinstance(found, list) else []


def _with(answer: Any, keys: list[str], items: list[Any]) -> Any:
    """Return the answer with a list put in the place of the one that stands at some keys."""
    if not keys:
        return items
    inside = answer.get(keys[0]) if isinstance(answer, dict) else None
    return {**(answer if isinstance(answer, dict) else {}), keys[0]: _with(inside, keys[1:], items)}
