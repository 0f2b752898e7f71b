import pytest

from leadlight.spec.yaml import read_yaml


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: @x", "f:1:4: a value cannot begin with '@': put it in quotes"),
        ("a: `x`", "f:1:4: a value cannot begin with '`': put it in quotes"),
        ("a: 1\n\t\nb: 2", "f:2:1: a tab stands where blanks should: indent with blanks"),
        ("a: -\n", "f:1:4: a '-' where no list can begin: check the indentation"),
        ("'a': b\n'c' 'd'", "f:2:8: a ':' is missing after a key"),
        ("- - a\n - b", "f:2:2: the indentation fits nothing above"),
        ("-a: 1\n- b", "f:2:1: a list and a map are mixed at one indentation"),
        ("a: ]", "f:1:4: a value is missing before ']'"),
        ("a: |3x\n", "f:1:6: this is not YAML: expected chomping or indentation indicators, but found 'x'"),
        ("%YAML 9.9\n---\na: 1", "f:1:1: this is not YAML: found incompatible YAML document (version 1.* is required)"),
        ("x" * 2000 + ": 1", "f:1:2001: a ':' where none can stand: put the text in quotes, write 'key: value' with a "
                             "blank, or check the indentation"),
    ],
)  # fmt: skip
def test_what_the_reader_stumbles_over_is_said_in_our_words(text: str, fault: str) -> None:
    assert [str(found) for found in read_yaml(text, "f").faults] == [fault]
