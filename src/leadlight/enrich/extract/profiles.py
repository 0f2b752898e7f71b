"""Profiles of an organisation on social networks, and feeds of its site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from rapidfuzz import fuzz

from leadlight.enrich.extract.document import Document
from leadlight.enrich.extract.items import everything
from leadlight.enrich.extract.organisation import domain_label, host_of

_HANDLE = r"([\w.%@+-]{2,80})"
NETWORKS: dict[str, tuple[tuple[str, ...], re.Pattern[str]]] = {
    name: (hosts, re.compile(rf"(?i)^{pattern}/?(?:\?.*)?$"))
    for name, hosts, pattern in (
        ("linkedin", ("linkedin.com",), rf"/(?:company|school|showcase)/{_HANDLE}(?:/\w+)?"),
        ("facebook", ("facebook.com", "fb.com"), rf"/(?:pages/[^/]+/\d+|pg/{_HANDLE}|{_HANDLE})"),
        ("twitter", ("twitter.com", "x.com"), r"/(?:#!/)?@?(\w{2,15})"),
        ("instagram", ("instagram.com",), r"/([\w.]{2,30})"),
        ("youtube", ("youtube.com",), rf"/(?:channel/|c/|user/|@){_HANDLE}(?:/\w+)?|/([\w-]{{4,40}})"),
        ("github", ("github.com",), r"/([A-Za-z0-9-]{1,39})"),
        ("gitlab", ("gitlab.com",), rf"/{_HANDLE}"),
        ("tiktok", ("tiktok.com",), rf"/@{_HANDLE}"),
        ("pinterest", ("pinterest.com", "pinterest.de", "pinterest.co.uk", "pinterest.fr"), rf"/{_HANDLE}"),
        ("xing", ("xing.com",), rf"/(?:companies|pages|company)/{_HANDLE}"),
        ("bluesky", ("bsky.app",), rf"/profile/{_HANDLE}"),
        ("threads", ("threads.net", "threads.com"), rf"/@{_HANDLE}"),
        ("vimeo", ("vimeo.com",), r"/([A-Za-z][\w-]{2,40})"),
        ("medium", ("medium.com",), rf"/@?{_HANDLE}"),
        ("crunchbase", ("crunchbase.com",), rf"/organization/{_HANDLE}"),
        ("yelp", ("yelp.com", "yelp.co.uk", "yelp.ca", "yelp.de"), rf"/biz/{_HANDLE}"),
        ("telegram", ("t.me",), r"/(\w{4,32})"),
        ("google_plus", ("plus.google.com",), rf"/\+?{_HANDLE}(?:/\w+)?"),
    )
}
"""Network → its hosts, and the paths that are an organisation's profile there."""
_NOT_PROFILES = frozenset(
    [
        "share",
        "sharer",
        "sharer.php",
        "share.php",
        "intent",
        "dialog",
        "plugins",
        "tr",
        "login",
        "home",
        "search",
        "hashtag",
        "watch",
        "embed",
        "results",
        "about",
        "privacy",
        "terms",
        "policies",
        "help",
        "legal",
        "explore",
        "p",
        "reel",
        "events",
        "groups",
        "pages",
        "profile.php",
        "signup",
        "settings",
        "i",
        "oauth",
        "pin",
        "create",
        "features",
        "pricing",
        "topics",
        "collections",
        "orgs",
        "marketplace",
        "feed",
        "playlist",
        "shorts",
        "policy",
        "tos",
        "badges",
        "widgets.js",
        "joinchat",
        "addstickers",
        "hub",
    ]
)
_BY_HOST = {host: name for name, (hosts, _) in NETWORKS.items() for host in hosts}


def profiles(document: Document) -> tuple[str, ...]:
    """Return the addresses of profiles in one form, one for each network, in the order in which they stand there.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> links = '<a href="http://www.github.com/acme/?x=1">us</a> <a href="https://x.com/intent/post">share</a>'
    >>> profiles(take_apart(links, ""))
    ('https://github.com/acme',)
    """
    label = domain_label(host_of(document.url))
    best: dict[str, tuple[float, str]] = {}
    for url, stated in _addresses(document):
        found = profile(url)
        if found is None:
            continue
        name, normal = found
        handle = re.sub(r"\W", "", normal.rpartition("/")[2].lower())
        score = stated + fuzz.ratio(handle, label) / 100
        if name not in best or score > best[name][0]:
            best[name] = (score, normal)
    return tuple(url for _, url in best.values())


def profile(url: str) -> tuple[str, str] | None:
    """Return the network and the address of a profile in one form; None for what is none.

    >>> profile("https://de.linkedin.com/company/acme/about?x")
    ('linkedin', 'https://linkedin.com/company/acme')
    >>> profile("https://www.facebook.com/sharer/sharer.php?u=x")
    """
    try:
        parts = urlsplit(url[:500])
    except ValueError:
        return None
    host = (parts.netloc or "").lower().rpartition("@")[2].split(":")[0]
    name = _BY_HOST.get(host) or _BY_HOST.get(host.partition(".")[2])
    if name is None:
        return _mastodon(host, parts.path)
    path = unquote(parts.path).rstrip("/")
    match = NETWORKS[name][1].match(path)
    handle = next((group for group in match.groups() if group), path) if match else ""
    if match is None or handle.lower().lstrip("@") in _NOT_PROFILES or "/share" in path:
        return None
    kept = path[: match.end(match.lastindex)] if match.lastindex else path
    kept = kept.replace("/@", "/") if name == "twitter" else kept
    return name, f"https://{NETWORKS[name][0][0]}{kept}"


def _mastodon(host: str, path: str) -> tuple[str, str] | None:
    if re.fullmatch(r"/@\w{2,30}/?", path) and re.search(r"mastodon|social|mstdn|fosstodon|hachyderm|toot", host):
        return "mastodon", f"https://{host}{path.rstrip('/')}"
    return None


def _addresses(document: Document) -> Iterator[tuple[str, float]]:
    own = host_of(document.url), ""
    for item in everything(document.items):
        if not item.is_a("Person", "Article", "NewsArticle", "BlogPosting"):
            yield from ((url, 1.0) for url in item.texts("sameAs"))
    for link in document.links:
        if link.host not in own:
            yield link.url, 0.3 * (link.area in ("footer", "header")) + 0.5 * ("me" in link.rel.split())


def feeds(document: Document) -> tuple[str, ...]:
    """Return the addresses of RSS and Atom feeds, those of comments last."""
    found = [
        url for rel, url, kind in document.resources if "alternate" in rel and ("rss" in kind or "atom" in kind) and url
    ]
    if not found:
        found = [
            link.url for link in document.links if re.search(r"(?i)/(?:feed|rss|atom)(?:\.xml)?/?$", link.url[-40:])
        ]
    return tuple(sorted(dict.fromkeys(found), key=lambda url: "comment" in url.lower()))[:5]
