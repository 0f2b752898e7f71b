import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.spec.marks import Marks, format_path
from leadlight.spec.yaml import read_yaml

TEXT = """\
groups:
  fit:
    cap: [-100, 60]
    criteria:
      - {name: Size, points: {1: 5}}
      - name: Other
        points: 3
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("groups",), (1, 1)),
        (("groups", "fit"), (2, 3)),
        (("groups", "fit", "cap"), (3, 10)),
        (("groups", "fit", "cap", 1), (3, 17)),
        (("groups", "fit", "cap", 9), (3, 10)),
        (("groups", "fit", "criteria"), (4, 5)),
        (("groups", "fit", "criteria", 0), (5, 9)),
        (("groups", "fit", "criteria", 0, "points", 1), (5, 34)),
        (("groups", "fit", "criteria", 1), (6, 9)),
        (("groups", "fit", "criteria", 1, "points"), (7, 17)),
        (("groups", "nothing", "here"), (1, 1)),
    ],
)
def test_value_stands_at(path: tuple[object, ...], place: tuple[int, int]) -> None:
    assert read_yaml(TEXT, "f.yaml").marks.at(path) == place


def test_key_stands_before_its_value() -> None:
    marks = read_yaml(TEXT, "f.yaml").marks
    assert marks.key(("groups", "fit", "cap")) == (3, 5)
    assert marks.key(("groups", "fit", "criteria", 0, "points", 1)) == (5, 31)
    assert marks.key(("groups", "fit", "criteria", 1)) == (6, 9)
    assert marks.key(()) == (1, 1)


def test_nothing_is_at_its_key() -> None:
    assert read_yaml("a: 1\nb:\n\nc: 1\n", "f.yaml").marks.at(("b",)) == (2, 1)


def test_marks_of_an_unread_file_have_no_places() -> None:
    assert str(Marks("f.yaml").fault("gone", ("a",))) == "f.yaml: a: gone"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a: plain text\n", "plain text"),
        ("a:\n  plain\n    over lines\n", "plain over lines"),
        ("a: &x plain text\n", "plain text"),
        ("a: 'it''s here'\n", "it's here"),
        ("a: 'folded\n\n  text'\n", "folded\ntext"),
        ('a: "say \\"hi\\" \\u00e9 now"\n', 'say "hi" é now'),
        ('a: "joined\\\n   up"\n', "joinedup"),
        ("a: |\n   one\n     two\n   three\n", "one\n  two\nthree\n"),
        ("a: |2-\n   one\n  two\n", " one\ntwo"),
        ("a: >-\n  one\n  two\n\n  three\n", "one two\nthree"),
        ("a: 'with\r\n  returns'\r\n", "with returns"),
    ],
)
def test_every_character_of_a_text_is_found_where_it_is_written(written: str, meant: str) -> None:
    parsed = read_yaml(written, "f.yaml")
    assert parsed.value == {"a": meant}
    lines = written.split("\n")
    for row, text in enumerate(meant.split("\n"), start=1):
        for column, character in enumerate(text, start=1):
            line, at = parsed.marks.inside(("a",), row, column) or (0, 0)
            if not character.isspace():
                assert lines[line - 1][at - 1] in (character, "\\"), (row, column)


@given(st.text(alphabet="ab '\"\\\n", min_size=1, max_size=30))
def test_every_character_of_a_quoted_text_is_found(meant: str) -> None:
    escaped = meant.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    parsed = read_yaml(f'a: "{escaped}"', "f.yaml")
    assert parsed.value == {"a": meant}
    before = 0
    for row, text in enumerate(meant.split("\n"), start=1):
        for column, character in enumerate(text, start=1):
            mark = parsed.marks.inside(("a",), row, column)
            written = escaped[(mark.column if mark else 0) - 5 :]
            assert mark is not None
            assert mark.line == 1
            if not character.isspace():
                assert written.startswith((character, "\\" + character))
                assert mark.column > before
            before = mark.column


def test_place_behind_the_end_of_a_text_is_its_end() -> None:
    assert read_yaml("a: b c\n", "f.yaml").marks.inside(("a",), 1, 99) == (1, 7)


def test_place_inside_what_is_no_text_is_its_own() -> None:
    assert read_yaml("a: 5\n", "f.yaml").marks.inside(("a",), 1, 3) == (1, 4)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("groups", "fit", "criteria", 2, "name"), "groups.fit.criteria[2].name"),
        (("points", "c level"), "points.'c level'"),
        (("x" * 500,), "'" + "x" * 57 + "…'"),
        ((True,), ".True"[1:]),
        ((), ""),
    ],
)
def test_path_in_words_is_bounded(path: tuple[object, ...], words: str) -> None:
    assert format_path(path) == words


def test_number_that_is_a_key_is_not_written_like_a_place_in_a_list() -> None:
    fault = read_yaml("grades: {engagement: {1: 30, true: 2}}", "f.yaml").marks.fault
    assert fault("x", ("grades", "engagement", 1)).path == "grades.engagement.1"
