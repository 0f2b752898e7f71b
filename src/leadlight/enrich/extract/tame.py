"""Take from hostile markup what would make a parser slow: endless nesting, thousands of attributes, open formatting.

An HTML parser takes quadratic time over deeply nested elements and over elements with very many attributes, and open
formatting elements are repeated in each paragraph that follows. Real pages stay far below these limits and come out
unchanged.
"""

from __future__ import annotations

import re

MAX_CHARACTERS = 2_000_000
MAX_TAGS = 60_000
MAX_DEPTH = 1_500
MAX_OPEN_FORMATTING = 40
MAX_ATTRIBUTE_WORDS = 1_000
MAX_HIDDEN_TAGS = 200
SMALL = 150_000
"""Below this many characters, with few tags and none of them long, a page cannot be slow."""

_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]{0,30}+)((?:[^=>]++|=\s*+"[^"]*+"?|=\s*+'[^']*+'?|=)*+)>?""")
"""A tag as a tokenizer sees it. It never fails once it has begun, so that all of them take linear time."""
_FORMATTING = frozenset(("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"))
_FORMATTING_TAG = re.compile(rf"(?i)</?(?:{'|'.join(sorted(_FORMATTING))})(?=[\s/>])[^>]*+>?")
_CHILDLESS = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "dd",
        "dt",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "option",
        "optgroup",
        "path",
        "a",
    )
)
"""Elements that have nothing inside, or are often left open because the next of the kind ends them."""


def tame(markup: str) -> str:
    """Return markup that can be parsed in linear time; the same where it already can.

    >>> tame("<p>Hello <b>world</b>")
    '<p>Hello <b>world</b>'
    >>> len(tame("<div>" * 400_000)) // 5
    1500
    """
    markup = markup[:MAX_CHARACTERS].replace("\0", "")
    if _is_small(markup):
        return markup
    pieces: list[str] = []
    kept = depth = formatting = worst = 0
    for number, tag in enumerate(_TAG.finditer(markup)):
        closing, name, inside = tag[1], tag[2].lower(), tag[3]
        hidden = inside.count("<") if inside else 0
        if hidden > MAX_HIDDEN_TAGS or (len(inside) > MAX_ATTRIBUTE_WORDS and _many_words(inside)):
            pieces.append(markup[kept : tag.start()])
            kept = tag.end()
            continue
        if name in _FORMATTING:
            formatting += -1 if closing else 1
            worst = max(worst, formatting)
        elif name not in _CHILDLESS:
            depth = max(depth - 1, 0) if closing else depth + 1 + hidden
        if depth > MAX_DEPTH or number >= MAX_TAGS:
            markup = markup[: tag.start()]
            break
    pieces.append(markup[kept:])
    tamed = "".join(pieces)
    return _FORMATTING_TAG.sub("", tamed) if worst > MAX_OPEN_FORMATTING else tamed


def _is_small(markup: str) -> bool:
    """Whether a page is too small to be slow, whatever stands in it."""
    if len(markup) >= SMALL:
        return False
    pieces = markup.split("<")
    return len(pieces) < SMALL // 50 and all(_is_script(piece) for piece in pieces if len(piece) >= SMALL // 24)


def _is_script(piece: str) -> bool:
    """Whether a long stretch without tags is the text of a script: its tag ends, and not inside of quotes."""
    head = piece.partition(">")[0]
    return piece[:6].lower() == "script" and len(head) < 500 and not (head.count('"') % 2 or head.count("'") % 2)


def _many_words(inside: str) -> bool:
    return len(inside.split(None, MAX_ATTRIBUTE_WORDS)) > MAX_ATTRIBUTE_WORDS or inside.count("/") > 2_000
