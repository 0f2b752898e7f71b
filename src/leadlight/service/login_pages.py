"""The few pages for people: who is logged in and where things are, the forms to log in and to set a first password."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from html import escape

from starlette.responses import Response

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:4em auto;padding:0 1em;color:#222}"
    "input,button{font:inherit;padding:.4em .6em;margin:.2em 0}label{display:block;margin:.6em 0}"
    "input{width:100%;box-sizing:border-box}.fault{color:#a00}"
)
_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'",
    "Cache-Control": "no-store",
}
"""No script runs on these pages, nothing is loaded, nothing is kept."""


def page(title: str, *parts: str, status: int = 200) -> Response:
    """Return a page of parts that are HTML already."""
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{''.join(parts)}</html>"
    )
    return Response(html, status, HEADERS, "text/html")


def home(name: str | None, scopes: Sequence[str], proof: str) -> Response:
    """Return the page that says who is logged in and where things are."""
    if name is None:
        who = '<p>Nobody is logged in. <a href="/login">Log in</a></p>'
    else:
        may = ", ".join(scopes) or "nothing"
        who = (
            f"<p>You are <b>{escape(name)}</b>, and may {escape(may)}.</p>"
            f'<form method="post" action="/logout"><input type="hidden" name="csrf" value="{escape(proof)}">'
            "<button>Log out</button></form>"
        )
    places = [("/v1/docs", "What the API can do"), ("/v1/leads?limit=20", "The leads that come first")]
    places += [("/v1/keys", "Keys"), ("/v1/audit", "What was changed, by whom")] if "manage" in scopes else []
    listed = "".join(f'<li><a href="{escape(path)}">{escape(text)}</a></li>' for path, text in places)
    return page("Leadlight", who, f"<ul>{listed}</ul>")


def login(then: str, *, password: bool, issuer: str | None, fault: str = "", status: int = 200) -> Response:
    """Return the page to log in on."""
    parts = [_fault(fault)]
    if issuer is not None:
        parts.append(f'<p><a href="/login/oidc?next={escape(then)}">Log in with {escape(issuer)}</a></p>')
    if password:
        parts.append(
            f'<form method="post" action="/login"><input type="hidden" name="next" value="{escape(then)}">'
            '<label>Name<input name="name" autocomplete="username" required></label>'
            '<label>Password<input name="password" type="password" autocomplete="current-password" required></label>'
            "<button>Log in</button></form>"
        )
    if issuer is None and not password:
        parts.append("<p>Nobody can log in yet. The link to set the first password was shown where the service "
                     "started; <code>leadlight keys link</code> makes another.</p>")  # fmt: skip
    return page("Log in", *parts, status=status)


def first(token: str, *, fault: str = "", status: int = 200) -> Response:
    """Return the page on which the admin's password is set."""
    return page(
        "Set a password", _fault(fault),
        f'<form method="post" action="/login/first"><input type="hidden" name="token" value="{escape(token)}">'
        '<input type="hidden" name="name" value="admin" autocomplete="username">'
        '<label>Password of <b>admin</b>, at least 12 characters'
        '<input name="password" type="password" autocomplete="new-password" minlength="12" required></label>'
        "<button>Set it</button></form>", status=status,
    )  # fmt: skip


def sorry(title: str, text: str, status: int) -> Response:
    """Return a page that says why it does not go on."""
    return page(title, f"<p>{escape(text)}</p>", '<p><a href="/login">Log in</a></p>', status=status)


def _fault(text: str) -> str:
    return f'<p class="fault">{escape(text)}</p>' if text else ""
