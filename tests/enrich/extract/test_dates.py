"""The last change of a page, by what it says and not by its copyright line."""

from __future__ import annotations

from datetime import datetime

import pytest

from leadlight.enrich.extract.dates import changed_at, moment
from leadlight.enrich.extract.document import take_apart

NOW = datetime(2026, 11, 28, 12)


def changed(markup, **headers):
    found = changed_at(
        take_apart(markup, "https://acme.com/"), {k.replace("_", "-"): v for k, v in headers.items()}, NOW
    )
    return found and found[0]


@pytest.mark.parametrize(
    ("markup", "headers", "at"),
    [
        ("", {"last_modified": "Wed, 21 Oct 2015 07:28:00 GMT"}, datetime(2015, 10, 21, 7, 28)),
        ("", {"last_modified": "Sat, 28 Nov 2026 11:59:58 GMT"}, None),
        ('<meta property="article:modified_time" content="2026-03-12T10:00:00+02:00">', {}, datetime(2026, 3, 12, 8)),
        ('<p itemscope><meta itemprop="dateModified" content="2026-01-02">', {}, datetime(2026, 1, 2)),
        ('<time datetime="2025-01-01">a</time><time datetime="2026-02-01">b</time>', {}, datetime(2026, 2, 1)),
        ('<time datetime="2030-01-01">later</time><time datetime="1066-10-14">long ago</time>', {}, None),
        ("<p>© 2026 Acme. Updated 3 May 2026", {}, None),
        ("", {}, None),
    ],
)  # fmt: skip
def test_changed_at(markup, headers, at):
    assert changed(markup, **headers) == at


@pytest.mark.parametrize(
    "text",
    ["", "2026", "9999-99-99", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x" * 100, "1 2 3 4 5 6"],
)
def test_what_is_no_moment(text):
    assert moment(text) is None
