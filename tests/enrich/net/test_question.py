"""Questions: what makes them the same, and what of them is kept."""

from __future__ import annotations

from leadlight.enrich.net.addresses import target
from leadlight.enrich.net.question import Question, shown


def ask(url, **more):
    return Question(target(url), **more)


def test_headers_and_secrets_make_no_other_question():
    plain = ask("https://api.example/v1?q=1")
    assert ask("https://api.example/v1?q=1", headers=(("Authorization", "a"),), secrets="k=1").key == plain.key
    assert ask("https://API.example:443/v1?q=1#x").key == plain.key


def test_all_else_does():
    keys = {
        ask("https://api.example/v1").key, ask("http://api.example/v1").key, ask("https://api.example/v1?a").key,
        ask("https://api.example/v1", body=b"{}").key, ask("https://api.example/v1", body=b"[]").key,
        ask("https://api.example/v1", crawl=True).key, ask("https://api.example/v1?key=a").key,
    }  # fmt: skip
    assert len(keys) == 7


def test_secrets_are_sent_and_not_shown():
    question = ask("https://api.example/v1?q=1", secrets="api_key=s3cret")
    assert question.secret_path == "/v1?q=1&api_key=s3cret"
    assert ask("https://api.example/v1", secrets="k=s3cret").secret_path == "/v1?k=s3cret"
    assert "s3cret" not in question.about + str(question.key)


def test_what_looks_like_a_secret_is_not_shown_either():
    assert shown("https://a.example/x?API_KEY=s&q=&token=t&c") == "https://a.example/x?API_KEY=***&q=&token=***&c"
    assert ask("https://a.example/?access_token=s3cret", body=b'{"a":1}').about == (
        'https://a.example/?access_token=***\n{"a":1}'
    )


def test_redirects_wait_for_other_hosts_turns_only():
    same = ask("https://a.example/").onward(target("https://a.example/b"))
    other = same.onward(target("https://b.example/"))
    assert (same.spaced, other.spaced) == (False, True)
    rules = ask("https://a.example/robots.txt", spaced=False, page=False)
    assert not rules.onward(target("https://b.example/robots.txt")).spaced


def test_what_was_meant_for_one_host_is_not_told_to_another():
    question = ask("https://a.example/", headers=(("Authorization", "s"),), secrets="k=s")
    assert question.onward(target("https://a.example/b")).headers == question.headers
    for other in ("https://b.example/", "http://a.example/", "https://a.example:8443/"):
        onward = question.onward(target(other))
        assert (onward.headers, onward.secrets) == ((), "")
