"""Public profiles: Gravatar, GitHub, Mastodon and Bluesky in the shapes of their APIs."""

from __future__ import annotations

import hashlib
from datetime import datetime

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.social import BLUESKY, GITHUB, GRAVATAR, MASTODON

LINKS = (
    "https://www.linkedin.com/in/made-up https://github.com/pricing https://github.com/Ada-Made-Up/repo "
    "https://youtube.com/@ada https://social.anvil.example/@Ada https://bsky.app/profile/ada.anvil.example http://[bad"
)
SOURCES = {"gravatar": GRAVATAR, "github": GITHUB, "mastodon": MASTODON, "bluesky": BLUESKY}


def made(name, **settings):
    source = SOURCES[name]
    return source.make(source.settings(**settings), Surroundings(environ={"KEY": "s3cret-key"}))


def values(found):
    return {name: fact.value for name, fact in found.items()}


def test_gravatar(internet, ask):
    digest = hashlib.sha256(b"ada@anvil.example").hexdigest()
    seen = []
    profile = {
        "hash": digest, "display_name": "Ada Example", "profile_url": "https://gravatar.com/ada", "avatar_alt_text": "",
        "avatar_url": f"https://0.gravatar.com/avatar/{digest}", "location": "Leeds", "description": "Makes anvils.",
        "job_title": "Engineer", "company": "Anvil Works", "pronunciation": "", "pronouns": "",
        "verified_accounts": [
            {"service_type": "github", "service_label": "GitHub", "service_icon": "…", "is_hidden": False,
             "url": "https://github.com/ada-made-up"},
            {"service_type": "odd", "url": "javascript:alert(1)"},
        ],
    }  # fmt: skip
    internet.handle("api.gravatar.com", "*", 404)
    internet.handle("api.gravatar.com", f"/v3/profiles/{digest}", lambda request: seen.append(request) or profile)
    found = ask(made("gravatar", key="${KEY}"), email=" Ada@Anvil.Example ")
    assert values(found) == {
        "has_gravatar": True, "social_bio": "Makes anvils.", "social_profiles": "https://github.com/ada-made-up",
        "company_name": "Anvil Works",
    }  # fmt: skip
    assert seen[0].headers["authorization"] == "Bearer s3cret-key"
    assert digest not in repr(found), "where it stands says nothing of who it is"
    assert values(ask(made("gravatar"), email="nobody@anvil.example")) == {"has_gravatar": False}


def test_github(internet, ask):
    internet.handle("api.github.com", "*", 404)
    internet.handle("api.github.com", "/users/ada-made-up", {
        "login": "ada-made-up", "id": 1, "type": "User", "name": "Ada Example", "company": "@anvil-works", "blog": "",
        "location": None, "email": None, "bio": "Makes anvils.", "twitter_username": None, "public_repos": 42,
        "public_gists": 0, "followers": 1300, "following": 1, "created_at": "2010-01-01T00:00:00Z",
        "updated_at": "2026-10-01T00:00:00Z",
    })  # fmt: skip
    assert values(ask(made("github"), links=LINKS)) == {
        "github_repositories": 42, "github_followers": 1300, "social_followers": 1300, "social_bio": "Makes anvils.",
        "company_name": "anvil-works",
    }  # fmt: skip
    assert ask(made("github"), links="https://github.com/orgs/nobody/people") == {}
    assert internet.begun("api.github.com", "/users/nobody") == 1


def test_mastodon(internet, ask):
    seen = []
    internet.handle("social.anvil.example", "/api/v1/accounts/lookup", lambda request: seen.append(request.query) or {
        "id": "1", "username": "ada", "acct": "ada", "display_name": "Ada", "locked": False, "bot": False,
        "created_at": "2022-11-01T00:00:00.000Z", "note": "<p>Makes <b>anvils</b> &amp; more.</p>",
        "url": "https://social.anvil.example/@ada", "followers_count": 5400, "following_count": 1, "statuses_count": 9,
        "last_status_at": "2026-10-01", "emojis": [], "fields": [],
    })  # fmt: skip
    assert values(ask(made("mastodon"), links=LINKS)) == {
        "social_followers": 5400, "social_last_post_at": datetime(2026, 10, 1), "social_bio": "Makes anvils & more.",
    }  # fmt: skip
    assert seen == [{"acct": "ada"}]
    internet.handle("social.anvil.example", "*", 404)
    assert ask(made("mastodon"), links="https://social.anvil.example/@nobody") == {}


def test_bluesky(internet, ask):
    host = "public.api.bsky.app"
    internet.handle(host, "/xrpc/app.bsky.actor.getProfile", lambda request: {
        "did": "did:plc:madeup", "handle": request.query["actor"], "displayName": "Ada", "description": "Anvils.",
        "followersCount": 77, "followsCount": 1, "postsCount": 3, "indexedAt": "2026-01-01T00:00:00.000Z",
        "createdAt": "2024-01-01T00:00:00.000Z",
    })  # fmt: skip
    post = {"uri": "at://…", "cid": "…", "indexedAt": "2026-09-30T10:00:00.000Z", "record": {"text": "An anvil."}}
    internet.handle(host, "/xrpc/app.bsky.feed.getAuthorFeed", {"feed": [{"post": post}], "cursor": "x"})
    assert values(ask(made("bluesky"), links=LINKS)) == {
        "social_followers": 77, "social_last_post_at": datetime(2026, 9, 30, 10), "social_bio": "Anvils.",
    }  # fmt: skip
    unknown = Answer('{"error": "InvalidRequest", "message": "Profile not found"}', status=400, kind="application/json")
    internet.handle(host, "/xrpc/app.bsky.actor.getProfile", unknown)
    assert ask(made("bluesky"), links="https://bsky.app/profile/nobody.example") == {}


@pytest.mark.parametrize(
    ("name", "links", "key"),
    [
        ("github", LINKS, "ada-made-up"),
        ("github", "github.com/orgs/Anvil-Works", "anvil-works"),
        ("github", "https://github.com/..%2f..%2fadmin https://github.com/features", None),
        ("github", "https://evil.example/github.com/ada", None),
        ("mastodon", LINKS, "ada@social.anvil.example"),
        ("mastodon", "https://www.tiktok.com/@ada https://x.com/@ada https://medium.com/@ada", None),
        ("mastodon", "https://social.anvil.example/@ada%2f..%2f", None),
        ("bluesky", LINKS, "ada.anvil.example"),
        ("bluesky", "https://bsky.app/about", None),
        ("gravatar", LINKS, None),
    ],
)
def test_who_is_asked_for(name, links, key):
    assert made(name).key(Query({Clue.LINKS: links})) == key


@pytest.mark.parametrize("name", ["github", "mastodon", "bluesky"])
def test_errors(name, internet, ask):
    for host in ("api.github.com", "social.anvil.example", "public.api.bsky.app"):
        internet.handle(host, "*", Answer(status=418))
        internet.handle(host, "/xrpc/app.bsky.actor.getProfile", Answer(status=418))
        internet.handle(host, "/users/ada-made-up", Answer(status=418))
        internet.handle(host, "/api/v1/accounts/lookup", Answer(status=418))
    with pytest.raises(NetworkError, match="answered with status 418"):
        ask(made(name), links=LINKS)
