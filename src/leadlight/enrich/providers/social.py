"""Public profiles: Gravatar by e-mail address; GitHub, Mastodon and Bluesky by links that are known already.

Nobody is searched for by name: only a profile that the lead or its company links to is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field

from leadlight.enrich.answer import at, items_at, json_from, number_at, text_at
from leadlight.enrich.convert import time_of
from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings, Value

WEEK = timedelta(days=7)
_TAG = re.compile(r"<[^<>]{0,500}>")
_NAME = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_NOT_MASTODON = re.compile(
    r"(?:^|\.)(?:youtube|tiktok|medium|threads|x|twitter|instagram|facebook|linkedin|github|telegram|t|substack|flickr|"
    r"vimeo|pinterest|quora|bsky|npmjs)\.(?:com|net|app|me|org)$"
)
"""Hosts that write /@name too, but are no Mastodon."""


def _links(query: Query) -> Iterator[tuple[str, list[str]]]:
    """Return host and parts of the path of every link that is known of a lead."""
    for link in (query.get(Clue.LINKS) or "").split()[:20]:
        try:
            found = urlsplit(link if "//" in link else f"https://{link}")
            host = (found.hostname or "").removeprefix("www.")
        except ValueError:
            continue
        if host:
            yield host, [unquote(part) for part in found.path.split("/") if part]


def _plain(html: str | None) -> str | None:
    import html as entities

    return None if html is None else entities.unescape(_TAG.sub(" ", html)).strip() or None


async def _get(
    network: Network, query: Query, url: str, nothing: tuple[int, ...], *, headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
) -> Any:  # fmt: skip
    return await json_from(
        network, url, whose=urlsplit(url).hostname or "", at=query.at, params=params, headers=headers, ttl=WEEK,
        nothing=nothing,
    )  # fmt: skip


def _given(origin: str, sure: float, found: dict[str, Value | None]) -> tuple[Fact, ...]:
    return tuple(
        Fact(attribute, value, sure, origin, str(value)) for attribute, value in found.items() if value is not None
    )


# -------------------------------------------------------------------------------------------------------- Gravatar


class GravatarSettings(Settings):
    """Settings of gravatar."""

    key: str | None = Field(None, description="an API key, best as a ${VARIABLE}; less is told without one")


ABOUT_GRAVATAR = About(
    name="gravatar",
    title="Gravatar profile",
    needs=(frozenset({Clue.EMAIL}),),
    gives=("has_gravatar", "social_bio", "social_profiles", "company_name"),
    clues=frozenset({Clue.LINKS, Clue.COMPANY}),
    personal=True,
    licence="Gravatar API terms (gravatar.com/terms); 100 requests an hour without a key, 1,000 with one",
    per_second=0.25,
)


class Gravatar:
    """Reads the public profile that goes with an e-mail address: the address's SHA-256 is sent, not itself."""

    def __init__(self, settings: GravatarSettings, surroundings: Surroundings) -> None:
        self.about, self.settings = ABOUT_GRAVATAR, settings
        key = settings.key and surroundings.expand(settings.key)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def key(self, query: Query) -> str | None:
        """Return the e-mail address."""
        email = (query.get(Clue.EMAIL) or "").strip().lower()
        return email if "@" in email else None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the profile says, if there is one. Raises NetworkError."""
        email = self.key(query)
        if email is None:
            return ()
        digest = hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()
        origin = "https://api.gravatar.com/v3/profiles"
        profile = await _get(network, query, f"{origin}/{digest}", (404,), headers=self._headers)
        if profile is None:
            return _given(origin, 0.95, {"has_gravatar": False})
        accounts = [text_at(each, "url") for each in items_at(profile, "verified_accounts")]
        links = [url for url in accounts if url and url.startswith("https://")]
        found: dict[str, Value | None] = {
            "has_gravatar": True,
            "social_bio": text_at(profile, "description"),
            "social_profiles": " ".join(links) or None,
            "company_name": text_at(profile, "company"),
        }
        return _given(origin, 0.8, found)


GRAVATAR = Offer(ABOUT_GRAVATAR, GravatarSettings, Gravatar)


# ---------------------------------------------------------------------------------------------------------- GitHub


class GithubSettings(Settings):
    """Settings of github."""

    key: str | None = Field(None, description="a token, best as a ${VARIABLE}: 5,000 requests an hour and not 60")


ABOUT_GITHUB = About(
    name="github",
    title="GitHub profile",
    needs=(frozenset({Clue.LINKS}),),
    gives=("github_repositories", "github_followers", "social_followers", "social_bio", "company_name"),
    personal=True,
    ttl=timedelta(days=14),
    licence="GitHub API terms (docs.github.com/site-policy); 60 requests an hour without a key, 5,000 with one",
    per_second=1.0,
)
_GITHUB_OWN = frozenset(
    {"about", "features", "pricing", "topics", "orgs", "sponsors", "marketplace", "login", "search"}
)


def _github_user(query: Query) -> str | None:
    for host, parts in _links(query):
        names = parts[1:] if parts[:1] == ["orgs"] else parts
        if host == "github.com" and names and names[0].lower() not in _GITHUB_OWN and _NAME.fullmatch(names[0]):
            return names[0].lower()
    return None


class Github:
    """Reads the profile of a person or organisation on GitHub."""

    def __init__(self, settings: GithubSettings, surroundings: Surroundings) -> None:
        self.about, self.settings = ABOUT_GITHUB, settings
        key = settings.key and surroundings.expand(settings.key)
        self._headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        self._headers |= {"Authorization": f"Bearer {key}"} if key else {}

    def key(self, query: Query) -> str | None:
        """Return the name on GitHub."""
        return _github_user(query)

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the profile says, if there is one. Raises NetworkError."""
        name = _github_user(query)
        url = f"https://api.github.com/users/{quote(name or '', safe='')}"
        user = None if name is None else await _get(network, query, url, (404, 451), headers=self._headers)
        found: dict[str, Value | None] = {
            "github_repositories": number_at(user, "public_repos"),
            "github_followers": number_at(user, "followers"),
            "social_followers": number_at(user, "followers"),
            "social_bio": text_at(user, "bio") or text_at(user, "description"),
            "company_name": (text_at(user, "company") or "").lstrip("@") or None,
        }
        return _given(url, 0.9, found)


GITHUB = Offer(ABOUT_GITHUB, GithubSettings, Github)


# ------------------------------------------------------------------------------------------- Mastodon and Bluesky


class MastodonSettings(Settings):
    """Settings of mastodon: none."""


ABOUT_MASTODON = About(
    name="mastodon",
    title="Mastodon profile",
    needs=(frozenset({Clue.LINKS}),),
    gives=("social_followers", "social_last_post_at", "social_bio"),
    personal=True,
    ttl=timedelta(days=14),
    licence="each server's terms; public profiles only; 300 requests in five minutes",
    per_second=1.0,
)


def _mastodon_account(query: Query) -> tuple[str, str] | None:
    for host, parts in _links(query):
        name = parts[0].removeprefix("@") if parts and parts[0].startswith("@") else ""
        if not _NOT_MASTODON.search(host) and re.fullmatch(r"[\w.-]{1,60}(@[\w.-]{3,100})?", name, re.ASCII):
            return host, name.lower()
    return None


class Mastodon:
    """Reads a profile on any server of Mastodon."""

    def __init__(self, settings: MastodonSettings, _: Surroundings) -> None:
        self.about, self.settings = ABOUT_MASTODON, settings

    def key(self, query: Query) -> str | None:
        """Return name@server."""
        account = _mastodon_account(query)
        return None if account is None else f"{account[1]}@{account[0]}"

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the profile says, if there is one. Raises NetworkError."""
        account = _mastodon_account(query)
        if account is None:
            return ()
        host, name = account
        url = f"https://{host}/api/v1/accounts/lookup"
        found = await _get(network, query, url, (400, 404, 410, 422), params={"acct": name})
        values: dict[str, Value | None] = {
            "social_followers": number_at(found, "followers_count"),
            "social_last_post_at": time_of(at(found, "last_status_at")),
            "social_bio": _plain(text_at(found, "note")),
        }
        return _given(url, 0.9, values)


MASTODON = Offer(ABOUT_MASTODON, MastodonSettings, Mastodon)


class BlueskySettings(Settings):
    """Settings of bluesky: none."""


BLUESKY_URL = "https://public.api.bsky.app/xrpc"
ABOUT_BLUESKY = About(
    name="bluesky",
    title="Bluesky profile",
    needs=(frozenset({Clue.LINKS}),),
    gives=("social_followers", "social_last_post_at", "social_bio"),
    personal=True,
    ttl=timedelta(days=14),
    licence="Bluesky's terms (bsky.social/about/support/tos); public profiles only; no key",
    per_second=5.0,
)


def _bluesky_actor(query: Query) -> str | None:
    for host, parts in _links(query):
        if host == "bsky.app" and len(parts) > 1 and parts[0] == "profile" and _NAME.fullmatch(parts[1]):
            return parts[1]
    return None


class Bluesky:
    """Reads a profile on Bluesky, and when its newest post was."""

    def __init__(self, settings: BlueskySettings, _: Surroundings) -> None:
        self.about, self.settings = ABOUT_BLUESKY, settings

    def key(self, query: Query) -> str | None:
        """Return the handle, or DID."""
        return _bluesky_actor(query)

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the profile says, if there is one. Raises NetworkError."""
        actor = _bluesky_actor(query)
        if actor is None:
            return ()
        url = f"{BLUESKY_URL}/app.bsky.actor.getProfile"
        profile = await _get(network, query, url, (400, 404), params={"actor": actor})
        if profile is None:
            return ()
        feed = f"{BLUESKY_URL}/app.bsky.feed.getAuthorFeed"
        newest = {"actor": actor, "limit": "1", "filter": "posts_no_replies"}
        posts = await _get(network, query, feed, (400, 404), params=newest)
        found: dict[str, Value | None] = {
            "social_followers": number_at(profile, "followersCount"),
            "social_last_post_at": time_of(at(posts, "feed", 0, "post", "indexedAt")),
            "social_bio": text_at(profile, "description"),
        }
        return _given(url, 0.9, found)


BLUESKY = Offer(ABOUT_BLUESKY, BlueskySettings, Bluesky)
