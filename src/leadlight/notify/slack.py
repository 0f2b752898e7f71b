"""A message to a chat that takes what Slack's incoming webhooks take."""

from __future__ import annotations

import json

from leadlight.notify.message import Message

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def body(message: Message) -> bytes:
    """Return the body: nothing in it can call people or hide an address behind words."""
    head, _, rest = message.text.partition("\n")
    text = f"*{escaped(head)}*" + (f"\n{escaped(rest)}" if rest else "")
    return json.dumps({"text": text}, ensure_ascii=False, separators=(",", ":")).encode()


def escaped(text: str) -> str:
    """Take the meaning off the three characters that have one.

    >>> escaped("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.translate(_ESCAPED)
