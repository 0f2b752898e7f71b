"""Text and JSON out of any bytes."""

from __future__ import annotations

import contextlib
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.network import NetworkError, Reply, Why

NOW = datetime(2026, 11, 28)


def reply(body, kind=None):
    return Reply("https://acme.example/a?key=secret", 200, {} if kind is None else {"content-type": kind}, body, NOW)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("Zürich".encode(), None, "Zürich"),
        ("Zürich".encode(), "text/html; charset=utf-8", "Zürich"),
        ("Zürich".encode("latin-1"), "text/html; charset=ISO-8859-1", "Zürich"),
        ("Zürich €".encode("cp1252"), "text/html; charset=iso-8859-1", "Zürich €"),
        (b"\xef\xbb\xbfZ\xc3\xbcrich", "text/html; charset=latin-1", "Zürich"),
        ("Zürich".encode("utf-16"), None, "Zürich"),
        ('<meta charset="windows-1251">Москва'.encode("cp1251"), None, '<meta charset="windows-1251">Москва'),
        ('<meta http-equiv="content-type" content="text/html; charset=shift_jis">東京'.encode("shift_jis"), "text/html",
         '<meta http-equiv="content-type" content="text/html; charset=shift_jis">東京'),
        ("München".encode(), "text/html; charset=iso-8859-1", "München"),  # declared wrongly, as so often
        ("Köln".encode("latin-1"), "text/html; charset=utf-8", "Köln"),
        ("東京".encode("iso2022_jp"), "text/plain; charset=iso-2022-jp", "東京"),
        ("Zürich".encode("utf-16-le"), "text/plain; charset=utf-16le", "Zürich"),
        (b"abc\xc3", None, "abc\ufffd"),
        (b"", None, ""),
    ],
)  # fmt: skip
def test_charsets_are_declared_or_found(body, kind, text):
    assert reply(body, kind).text() == text


@pytest.mark.parametrize("charset", ["cp1251", "cp1252", "shift_jis", "gb18030"])
def test_undeclared_charsets_are_guessed_where_there_is_enough_text(charset):
    text = {
        "cp1251": "Мы строим дома и продаём окна по всей стране. ",
        "cp1252": "Größe und Maße für Türen, Schlösser und Böden. ",
        "shift_jis": "東京の会社です。お問い合わせはこちら。",
        "gb18030": "我们是一家位于上海的软件公司，欢迎联系我们。",
    }[charset]
    assert reply((text * 20).encode(charset)).text() == text * 20


def test_a_few_broken_places_do_not_change_the_charset():
    text = "Größe, Straße, Übung und Öl " * 40
    assert reply(text.encode() + b"\xff" + text.encode()).text() == f"{text}\ufffd{text}"


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "unicode_escape", "utf-7", "zlib", "base64", "rot13", "klingon"]
)
def test_charsets_that_are_none_are_not_used(charset):
    assert reply(b"caf\xe9 \\u0041 +AGE-", f"text/html; charset={charset}").text().endswith("\\u0041 +AGE-")


@given(st.binary(max_size=500), st.none() | st.text(max_size=40))
def test_text_never_fails(body, kind):
    text = reply(body, kind).text()
    assert isinstance(text, str)
    text.encode("utf-16", "surrogatepass")


@given(st.binary(max_size=300))
def test_json_is_values_or_a_network_error(body):
    with contextlib.suppress(NetworkError):
        reply(body).json()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b'{"a": NaN}', b"[Infinity]", b"[" * 200_000, b"9" * 10_000, b"\xff", b'{"a": 1} x']
)
def test_what_is_no_json_is_broken_and_names_the_host_only(body):
    with pytest.raises(NetworkError) as caught:
        reply(body).json()
    assert (caught.value.why, caught.value.message) == (Why.BROKEN, "acme.example answered no JSON")


def test_halves_of_characters_are_replaced_in_keys_and_values():
    found = reply(b'{"\\ud800a": ["\\uDfff", "\\ud83d\\ude00", {"b": "\\udc00"}]}').json()
    assert found == {"\ufffda": ["\ufffd", "😀", {"b": "\ufffd"}]}
