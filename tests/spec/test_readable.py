from __future__ import annotations

from dataclasses import dataclass

from leadlight.spec.readable import Readable, html_table


@dataclass(frozen=True, slots=True, repr=False)
class Note(Readable):
    text: str

    def __str__(self) -> str:
        return f"note: {self.text}"


def test_a_console_shows_what_is_printed() -> None:
    assert repr([Note("a"), Note("b")]) == "[note: a, note: b]"


def test_a_notebook_shows_it_as_it_stands_and_harmless() -> None:
    assert Note("<script>\n & so on")._repr_html_() == "<pre>note: &lt;script&gt;\n &amp; so on</pre>"


def test_a_table_escapes_all_it_is_given() -> None:
    html = html_table("<t>", ["<c>", "n"], [["<v>", 5], ["", -1]], numbers=["n"])
    assert "<t>" not in html
    assert "<c>" not in html
    assert "<v>" not in html
    assert html.count("<tr>") == 3
    assert '<td style="text-align:right">-1</td>' in html
