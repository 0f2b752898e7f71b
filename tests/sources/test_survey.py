import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.errors import DataError
from leadlight.sources.survey import CHUNK, Survey, _Counts, fingerprint, open_bytes, survey


@pytest.fixture
def look(tmp_path: Path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def look(content: bytes, **told: object) -> Survey:
        path = tmp_path / "f"
        path.write_bytes(content)
        return survey(path, "f", scratch=scratch, **told)

    return look


def text_of(seen: Survey) -> str:
    with open_bytes(seen.path, seen.compression) as file:
        return file.read().decode()


TEXT = "name;größe\nŁukasz;5\nЖ;☃\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_unicode_is_found(look, encoding: str) -> None:
    content = TEXT.encode(encoding)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    seen = look(content)
    assert seen.head == TEXT
    assert text_of(seen).lstrip("﻿") == TEXT


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id,note\n1,Über die Brücke gehen schöne Mädchen\n2,café déjà vu naïve\n" * 5, "cp1252"),
        ("id,note\n1,El niño comió piñas en España\n" * 5, "cp1252"),
        ("id,note\n1,Съешь же ещё этих мягких французских булок\n" * 5, "cp1251"),
        ("id,note\n1,東京都の株式会社で働いています。今日は天気がいいですね。\n" * 5, "shift_jis"),
        ("id,note\n1,Ξεσκεπάζω την ψυχοφθόρα βδελυγμία\n" * 5, "cp1253"),
    ],
)
def test_legacy_encoding_is_found(look, text: str, encoding: str) -> None:
    assert text_of(look(text.encode(encoding))) == text


def test_one_chunk_after_another(look) -> None:
    """A character and a line end that fall on the border of two chunks are seen whole."""
    content = b"x" * (CHUNK - 1) + "é".encode() + b"\r\n" + b"y" * (CHUNK - 4) + b"\r\nz"
    seen = look(content)
    assert (seen.encoding, seen.newline, seen.lines, seen.notes) == ("utf-8", "\r\n", 3, ())


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", "é".encode(), b"\x00"]), max_size=12), st.integers(1, 5))
def test_counts_do_not_depend_on_chunks(pieces: list[bytes], size: int) -> None:
    content = b"".join(pieces)
    whole, split = _Counts(), _Counts()
    whole.add(content)
    for start in range(0, len(content), size):
        split.add(content[start : start + size])
    assert (whole.lines, whole.newline, whole.nul, whole.utf8) == (split.lines, split.newline, split.nul, split.utf8)


def test_only_so_much_is_looked_at(look) -> None:
    assert look(b"a\n" * 1000, limit=100).lines == 50
    assert look(gzip.compress(b"a\n" * 1000), limit=100).lines == 50


def test_file_is_read_where_it_lies_unless_it_needs_mending(look, tmp_path: Path) -> None:
    assert look(b"a\nb\n").path == tmp_path / "f"
    assert look(b"a\r\nb\n").path.parent == tmp_path / "scratch"


def test_fingerprint_changes_with_the_content(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"1")
    first = fingerprint(path)
    path.write_bytes(b"2")
    assert fingerprint(path) != first
    path.write_bytes(b"1")
    assert fingerprint(path) == first


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(look, tmp_path: Path) -> None:
    look(b"a\n")
    (tmp_path / "f").chmod(0)
    with pytest.raises(DataError, match="f: cannot be opened: Permission denied"):
        survey(tmp_path / "f", "f", scratch=tmp_path / "scratch")
