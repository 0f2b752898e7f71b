"""What makes a text no YAML, in our words instead of the reader's."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from leadlight.errors import Fault

WORDS = (
    (r"found character '\\t'", "a tab stands where blanks should: indent with blanks"),
    (r"found character ('[@`%]')", r"a value cannot begin with {0}: put it in quotes"),
    (r"mapping values are not allowed", "a ':' where none can stand: put the text in quotes, write 'key: value' with a "
                                        "blank, or check the indentation"),
    (r"sequence entries are not allowed", "a '-' where no list can begin: check the indentation"),
    (r"could not find expected ':'", "a ':' is missing after a key"),
    (r"unexpected end of stream", "a quote is opened here and never closed"),
    (r"found '<block mapping start>'", "the indentation fits nothing above"),
    (r"found '<block sequence start>'", "the indentation fits nothing above"),
    (r"<block end>, but found '<scalar>'", "more text after a closing quote: put the whole value in double quotes"),
    (r"<block end>, but found ('[-?]')", "a list and a map are mixed at one indentation"),
    (r"expected ',' or '([\]}])'", "a ',' or the closing '{0}' is missing"),
    (r"expected the node content, but found '([^']*)'", "a value is missing before '{0}'"),
    (r"unknown escape character ('.*')", "\\ and {0} mean nothing in double quotes: write \\\\ for a backslash"),
)  # fmt: skip


def syntax_fault(error: MarkedYAMLError, file: str) -> Fault:
    """Say in our words what the reader found; its own words where we have none."""
    problem = str(error.problem)
    mark = error.problem_mark or error.context_mark
    if "unexpected end of stream" in problem and error.context_mark is not None:
        mark = error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
    for pattern, words in WORDS:
        match = re.search(pattern, problem)
        if match:
            return Fault(words.format(*match.groups()), file, *place)
    return Fault(f"this is not YAML: {problem}", file, *place)


def character_fault(error: ReaderError, text: str, file: str) -> Fault:
    """Say where a character stands that no YAML may hold."""
    before = text[: error.position]
    code = error.character if isinstance(error.character, int) else ord(str(error.character)[0])
    message = f"the character U+{code:04X} may not stand in YAML: remove it"
    return Fault(message, file, before.count("\n") + 1, len(before) - before.rfind("\n"))
