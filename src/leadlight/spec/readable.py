"""What verbs return shows itself: as text where it is printed, as a table in a notebook."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape


class Readable:
    """A report whose `repr` is what `str` says, so that a console and a notebook show it as a person reads it.

    Dataclasses that inherit it leave their own repr out (`repr=False`).
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return the report for a notebook: its text, unless it has a table to show."""
        return f"<pre>{escape(str(self))}</pre>"


def html_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Collection[str] = ()
) -> str:
    """Return a table as HTML, every value escaped; columns of `numbers` stand at the right.

    >>> html_table("Who", ["id"], [["<b>"]]).partition("<tbody>")[2]
    '<tr><td style="text-align:left">&lt;b&gt;</td></tr></tbody></table>'
    """
    styles = [f' style="text-align:{"right" if column in numbers else "left"}"' for column in columns]
    head = "".join(f"<th{style}>{escape(column)}</th>" for style, column in zip(styles, columns, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{s}>{escape(str(value))}</td>" for s, value in zip(styles, row, strict=True)) + "</tr>"
        for row in rows
    )
    caption = f'<caption style="text-align:left">{escape(title)}</caption>'
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
