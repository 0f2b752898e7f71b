"""From bytes of strangers to text and JSON values, without a way to fail."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from leadlight.enrich.network import NetworkError, Why

SAMPLE = 8192
"""Bytes by which the charset is guessed where none is declared and it is not UTF-8."""
FEW = 30
"""With fewer bytes beyond ASCII there is nothing to guess by, and the commonest charset is taken."""
HEAD = 4096
"""Bytes in which a page says what charset it has."""
KNOWN = frozenset({
    "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1250", "cp1251",
    "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp437", "cp850", "cp866", "cp874", "cp932",
    "cp949", "iso8859-1", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8",
    "iso8859-9", "iso8859-10", "iso8859-11", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "koi8-r", "koi8-u",
    "mac-roman", "mac-cyrillic", "tis-620", "gb2312", "gbk", "gb18030", "big5", "big5hkscs", "euc_jp", "iso2022_jp",
    "shift_jis", "euc_kr", "johab", "ptcp154",
})  # fmt: skip
"""Charsets by which strangers' bytes are read: others (punycode, unicode_escape …) are slow or no charsets."""
LIKE_UTF_8 = frozenset({"iso2022_jp", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})
"""Charsets whose bytes can be valid UTF-8, and mean something else."""
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def text_of(body: bytes, content_type: str | None) -> str:
    """Return a body as text: by its byte order mark, its header, what it says of itself, or a guess."""
    from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

    charset, mark = read_bom(body)
    if charset is not None and mark is not None:
        return body[len(mark) :].decode(charset, "replace")
    declared = http_content_type_encoding(content_type) or html_body_declared_encoding(body[:HEAD])
    if declared in LIKE_UTF_8:
        return body.decode(declared, "replace")
    try:
        return body.decode("utf-8")  # whatever is declared: other text is not valid UTF-8 by chance
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return body.decode("utf-8", "replace")
    known = declared in KNOWN and declared != "utf-8"
    return body.decode(declared if known and declared else _guess(body), "replace")


def _guess(body: bytes) -> str:
    """Guess the charset of bytes that are no UTF-8: by the stretch around the first of them."""
    from charset_normalizer import from_bytes

    first = next((place for place, byte in enumerate(body) if byte > 127), 0)
    start = max(first - SAMPLE // 4, 0)
    sample = body[start : start + SAMPLE]
    if _mostly_utf8(sample):
        return "utf-8"
    if sum(byte > 127 for byte in sample) < FEW:
        return "cp1252"
    best = from_bytes(
        sample, cp_isolation=["cp1252", "cp1250", "cp1251", "shift_jis", "euc_jp", "gb18030", "big5"]
    ).best()
    return best.encoding if best is not None and best.encoding.replace("_", "-") != "ascii" else "cp1252"


def _mostly_utf8(sample: bytes) -> bool:
    """Whether it is UTF-8 with a few broken places."""
    lost = sample.decode("utf-8", "replace").count("\ufffd")
    return lost * 5 < sum(byte > 127 for byte in sample)


def json_of(body: bytes, url: str) -> Any:
    """Return a body as JSON values; raises NetworkError (broken)."""
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NetworkError(Why.BROKEN, f"{urlsplit(url).hostname or 'the host'} answered no JSON") from None
    return _whole(value) if _HALF.search(body) else value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _whole(value: Any) -> Any:
    """Replace halves of characters, which no file and no table can hold."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
